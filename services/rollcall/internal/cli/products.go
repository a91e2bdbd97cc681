package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// ChangeProducts changes the registry.
func (o onBus) ChangeProducts(ctx context.Context, tenantID string, set []tenant.Product, remove []string) (tenant.Tenant, error) {
	registry, err := o.app.tenants(ctx, o.bus)
	if err != nil {
		return tenant.Tenant{}, err
	}
	if len(set)+len(remove) == 0 {
		return registry.Get(ctx, tenantID)
	}
	t, err := registry.Change(ctx, tenantID, func(t *tenant.Tenant) error { return tenant.ChangeProducts(t, set, remove) })
	if errors.Is(err, tenant.ErrNoProduct) {
		err = fmt.Errorf("%w: it has %s", err, products(t))
	}
	return t, err
}

// ChangeProducts has the server change them.
func (r *remote) ChangeProducts(ctx context.Context, tenantID string, set []tenant.Product, remove []string) (tenant.Tenant, error) {
	t, err := apiclient.Read[apiclient.Tenant](r.api.GetTenant(ctx, tenantID, nil))
	if err != nil || len(set)+len(remove) == 0 {
		return tenantOf(t), err
	}
	patch := apiclient.ProductsPatch{Remove: remove}
	for _, p := range set {
		patch.Set = append(patch.Set, apiclient.ProductDefinition{ID: p.ID, Name: p.Name, Group: p.Group, LicensedActions: p.Licensed, ActiveActions: p.Active})
	}
	has, err := apiclient.Read[apiclient.ProductList](r.api.ChangeProducts(ctx, tenantID, patch))
	out := tenantOf(t)
	out.Products = nil
	for _, p := range has.Items {
		out.Products = append(out.Products, tenant.Product{ID: p.ID, Name: p.Name, Group: p.Group, Licensed: p.LicensedActions, Active: p.ActiveActions})
	}
	return out, err
}
