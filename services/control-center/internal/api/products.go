package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// ChangeProducts has a receiver change which products a tenant has.
func (a *API) ChangeProducts(ctx context.Context, r openapi.ChangeProductsRequestObject) (openapi.ChangeProductsResponseObject, error) {
	t, err := a.tenant(ctx, r.Tenant)
	if err != nil {
		return nil, err
	}
	state, err := a.deps.Ledger.TenantUncounted(ctx, t.ID)
	if err != nil && !errors.Is(err, ledger.ErrNoTenant) {
		return nil, err
	}
	former := formerOf(t, state)
	wanted := connect.ChangeProducts{
		Tenant: t.ID, By: by(ctx), Set: mapped(r.Body.Set, productFrom),
		// What was removed before is not to be had any longer: the same again is answered alike.
		Remove: slices.DeleteFunc(slices.Clone(r.Body.Remove), func(id string) bool {
			return slices.ContainsFunc(former, func(f openapi.FormerProduct) bool { return f.ID == id })
		}),
	}
	if err := productFaults(t, wanted); err != nil {
		return nil, err
	}
	has, err := a.deps.Receivers.ChangeProducts(ctx, t.Provider, wanted)
	if err != nil {
		return nil, err
	}
	return openapi.ChangeProducts200JSONResponse{Items: mapped(has, func(p tenant.Product) openapi.ProductDefinition {
		return openapi.ProductDefinition{ID: p.ID, Name: p.Name, Group: p.Group, LicensedActions: p.Licensed, ActiveActions: listed(p.Active)}
	})}, nil
}

func productFrom(p openapi.ProductDefinition) tenant.Product {
	return tenant.Product{ID: p.ID, Name: p.Name, Group: p.Group, Licensed: p.LicensedActions, Active: p.ActiveActions}
}

// productFaults says what would be wrong with the products of a tenant, before a receiver is asked.
func productFaults(t tenant.Tenant, w connect.ChangeProducts) error {
	err := tenant.ChangeProducts(&t, w.Set, w.Remove)
	if err == nil || errors.Is(err, tenant.ErrNoProduct) || errors.Is(err, tenant.ErrNoProducts) {
		return err
	}
	p := problem.New(problem.InvalidRequest, "")
	for line := range strings.Lines(err.Error()) {
		p.Faults = append(p.Faults, problem.Fault{Where: "body:/set", Message: strings.TrimSpace(line)})
	}
	return p
}
