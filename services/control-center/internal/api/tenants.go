package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// GetMe tells who sends the request.
func (a *API) GetMe(ctx context.Context, _ openapi.GetMeRequestObject) (openapi.GetMeResponseObject, error) {
	p, _ := access.From(ctx)
	return openapi.GetMe200JSONResponse{Body: openapi.Me{
		ID: p.ID, Name: p.Name, Role: openapi.MeRole(p.Role), Tenants: slices.Clone(p.Tenants),
	}}, nil
}

// ListTenants lists what one may see.
func (a *API) ListTenants(ctx context.Context, r openapi.ListTenantsRequestObject) (openapi.ListTenantsResponseObject, error) {
	p, _ := access.From(ctx)
	all := paging.Of("listTenants")
	after, err := all.Read(r.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	tenants, err := a.deps.Tenants.List(ctx)
	if err != nil {
		return nil, err
	}
	tenants = slices.DeleteFunc(tenants, func(t tenant.Tenant) bool { return !p.Sees(t.ID) })
	slices.SortFunc(tenants, func(x, y tenant.Tenant) int { return strings.Compare(x.ID, y.ID) })
	tenants, more := paging.Cut(tenants, func(t tenant.Tenant) bool { return after == nil || t.ID > after[0] }, paging.Limit(r.Params.Limit))
	out := openapi.TenantPage{}
	if out.Items, err = a.summaries(ctx, tenants); err != nil {
		return nil, err
	}
	if more {
		out.NextCursor = all.Cursor(tenants[len(tenants)-1].ID)
	}
	return openapi.ListTenants200JSONResponse{Body: out}, nil
}

func (a *API) summaries(ctx context.Context, tenants []tenant.Tenant) ([]openapi.TenantSummary, error) {
	known, err := a.deps.Ledger.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	standings, err := answer.StandingsIn(ctx, a.deps.Ledger, "")
	if err != nil {
		return nil, err
	}
	return mapped(tenants, func(t tenant.Tenant) openapi.TenantSummary {
		state := known[t.ID]
		return openapi.TenantSummary{
			ID: t.ID, Provider: openapi.Provider(t.Provider), DirectoryID: t.DirectoryID, Domain: t.Domain, CreatedAt: t.CreatedAt, ReadCompletely: state.Ready(),
			AsOf:     answer.AsOf(ledger.TenantState{Tenant: state}),
			Standing: standingOf(standings.Of(state)),
			Products: mapped(t.Products, func(p tenant.Product) string { return p.ID }),
		}
	}), nil
}

// GetTenant tells all of one.
func (a *API) GetTenant(ctx context.Context, r openapi.GetTenantRequestObject) (openapi.GetTenantResponseObject, error) {
	t, err := a.tenant(ctx, r.Tenant)
	if err != nil {
		return nil, err
	}
	told, err := a.describe(ctx, t)
	if err != nil {
		return nil, err
	}
	return openapi.GetTenant200JSONResponse{Body: told}, nil
}

func (a *API) describe(ctx context.Context, t tenant.Tenant) (openapi.Tenant, error) {
	state, err := a.deps.Ledger.Tenant(ctx, t.ID)
	if errors.Is(err, ledger.ErrNoTenant) {
		state, err = ledger.TenantState{Tenant: ledger.Tenant{Name: t.ID}}, nil // nothing was read of it yet
	}
	if err != nil {
		return openapi.Tenant{}, err
	}
	standing, err := a.standing(ctx, state.Tenant)
	if err != nil {
		return openapi.Tenant{}, err
	}
	return openapi.Tenant{
		ID: t.ID, Provider: openapi.Provider(t.Provider), DirectoryID: t.DirectoryID, Domain: t.Domain, CreatedAt: t.CreatedAt,
		Standing: standing, ReadCompletely: state.Ready(), AsOf: answer.AsOf(state), RoundBegan: state.RoundBegan,
		SnapshotAt: state.SnapshotAt, Users: state.Users, Groups: state.Groups, Products: productsOf(t, state),
		FormerProducts: formerOf(t, state),
	}, nil
}

// standing tells where a tenant stands; one that the ledger has not heard of stands as any other.
func (a *API) standing(ctx context.Context, t ledger.Tenant) (openapi.Standing, error) {
	if t.ID == 0 {
		return standingOf(answer.Standings{}.Of(t)), nil
	}
	s, err := answer.StandingIn(ctx, a.deps.Ledger, t)
	if err != nil {
		return openapi.Standing{}, err
	}
	return standingOf(s), nil
}

func productsOf(t tenant.Tenant, state ledger.TenantState) []openapi.Product {
	return mapped(t.Products, func(p tenant.Product) openapi.Product {
		out := openapi.Product{
			ID: p.ID, Name: p.Name, GroupAddress: t.GroupAddress(p), LicensedActions: listed(p.Licensed), ActiveActions: listed(p.Active),
		}
		i := slices.IndexFunc(state.Products, func(s ledger.ProductState) bool { return s.ID == p.ID })
		if i < 0 {
			return out
		}
		s := state.Products[i]
		out.Licensed, out.Redeciding, out.Conflict, out.Seats = s.Licensed, s.Redeciding, s.State.Conflict, seatsSet(s.Seats)
		if s.State.Phase == licensing.InForce {
			out.Mode = openapi.Mode(s.State.Policy.Mode)
			out.Group = openapi.Step{ID: s.State.Policy.Group, Name: s.GroupName}
		}
		if c := s.State.Change; c != nil {
			out.Changing = openapi.PolicyChange{Group: c.Group, Empty: c.Empty, SettlesAt: c.SettleAt, Stage: openapi.PolicyChangeStageSettling}
			if c.Stage != licensing.Settling {
				out.Changing.Stage = openapi.PolicyChangeStage(c.Stage)
			}
		}
		return out
	})
}

// formerOf are the products that the tenant has no longer.
func formerOf(t tenant.Tenant, state ledger.TenantState) (all []openapi.FormerProduct) {
	for _, p := range state.Products {
		if _, sold := t.Product(p.ID); !sold {
			all = append(all, openapi.FormerProduct{ID: p.ID, Licensed: p.Licensed, Seats: seatsSet(p.Seats)})
		}
	}
	return all
}

// read finds what the ledger knows of a tenant that has been read; a tenant that it has not heard of is not read yet.
func (a *API) read(ctx context.Context, id string) (tenant.Tenant, ledger.TenantState, error) {
	t, err := a.tenant(ctx, id)
	if err != nil {
		return t, ledger.TenantState{}, err
	}
	state, err := a.deps.Ledger.TenantUncounted(ctx, id)
	if errors.Is(err, ledger.ErrNoTenant) {
		err = answer.ErrNotRead
	}
	return t, state, err
}

// mirrored is read for a directory that has been read completely: before that nothing is said of anybody in it.
func (a *API) mirrored(ctx context.Context, id string) (tenant.Tenant, ledger.TenantState, error) {
	t, state, err := a.read(ctx, id)
	if err == nil && !state.Ready() {
		err = answer.ErrNotRead
	}
	return t, state, err
}

// readProduct is read for a product, also for one that the tenant has no longer: what was decided for it stands.
func (a *API) readProduct(ctx context.Context, tenantID, productID string) (ledger.ProductState, error) {
	t, state, err := a.read(ctx, tenantID)
	if _, sold := t.Product(productID); !sold && errors.Is(err, answer.ErrNotRead) {
		err = problem.New(problem.NoSuchProduct, "")
	}
	if err != nil {
		return ledger.ProductState{}, err
	}
	return productOf(t, state, productID)
}

func productOf(t tenant.Tenant, state ledger.TenantState, id string) (ledger.ProductState, error) {
	p, err := answer.Product(state, id)
	if _, sold := t.Product(id); sold && errors.Is(err, ledger.ErrNoProduct) {
		err = answer.ErrNotRead // the registry has it, and the worker comes to it
	}
	return p, err
}
