package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// remote answers, and takes orders, as a Control Center does over its HTTP API.
type remote struct {
	app *app
	api *apiclient.Client
}

// note says on the way what the server does not tell.
func (r *remote) note(what string) {
	_, _ = fmt.Fprintf(r.app.stderr, "note: the server does not tell %s\n", what)
}

// isProblem reports whether an error is the server's problem of that code.
func isProblem(err error, code string) bool {
	e, ok := errors.AsType[*apiclient.Error](err)
	return ok && e.Code == code
}

// mostItems is how many items a page of a list has at most.
const mostItems = 500

// from is where a page begins; the first one has no cursor.
func from(cursor string) *string {
	if cursor == "" {
		return nil
	}
	return &cursor
}

// paged reads a list page by page: page returns how many there were and where the next one begins, until there is none.
func paged(page func(cursor string) (next string, err error)) error {
	for cursor := ""; ; {
		next, err := page(cursor)
		if err != nil || next == "" {
			return err
		}
		cursor = next
	}
}

// List tells of the tenants that the token may see.
func (r *remote) List(ctx context.Context) ([]shownTenant, error) {
	var shown []shownTenant
	err := r.eachTenant(ctx, func(s apiclient.TenantSummary) error {
		shown = append(shown, shownTenant{Tenant: summaryOf(s), Standing: standingFrom(s.Standing)})
		return nil
	})
	if r.app.printer.Format == output.JSON || r.app.printer.Format == output.JSONL {
		r.note("the credential and the endpoints of a tenant, and in a list what its products give")
	}
	return shown, err
}

func (r *remote) eachTenant(ctx context.Context, each func(apiclient.TenantSummary) error) error {
	return paged(func(cursor string) (string, error) {
		page, err := apiclient.Read[apiclient.TenantPage](r.api.ListTenants(ctx, &apiclient.ListTenantsParams{Cursor: from(cursor), Limit: new(mostItems)}))
		for i := 0; err == nil && i < len(page.Items); i++ {
			err = each(page.Items[i])
		}
		return page.NextCursor, err
	})
}

// Show tells of one tenant.
func (r *remote) Show(ctx context.Context, id string) (shownTenant, error) {
	t, err := apiclient.Read[apiclient.Tenant](r.api.GetTenant(ctx, id, nil))
	if err != nil {
		return shownTenant{}, err
	}
	r.note("the credential, the endpoints, and how current the lists of groups are")
	shown := shownTenant{Tenant: tenantOf(t), Standing: standingFrom(t.Standing)}
	if !t.Standing.Disconnected {
		shown.Known = &known{Round: t.RoundBegan, Ended: t.SnapshotAt}
	}
	return shown, nil
}

func summaryOf(s apiclient.TenantSummary) tenant.Tenant {
	out := tenant.Tenant{
		ID: s.ID, Provider: directory.Provider(s.Provider), DirectoryID: s.DirectoryID, Domain: s.Domain, CreatedAt: s.CreatedAt,
		Disconnected: s.Standing.Disconnected,
	}
	for _, id := range s.Products {
		out.Products = append(out.Products, tenant.Product{ID: id})
	}
	return out
}

func tenantOf(t apiclient.Tenant) tenant.Tenant {
	out := tenant.Tenant{
		ID: t.ID, Provider: directory.Provider(t.Provider), DirectoryID: t.DirectoryID, Domain: t.Domain, CreatedAt: t.CreatedAt,
		Disconnected: t.Standing.Disconnected,
	}
	for _, p := range t.Products {
		out.Products = append(out.Products, tenant.Product{
			ID: p.ID, Name: p.Name, Group: strings.TrimSuffix(p.GroupAddress, "@"+t.Domain), Licensed: p.LicensedActions, Active: p.ActiveActions,
		})
	}
	return out
}

func standingFrom(s apiclient.Standing) *answer.Standing {
	out := &answer.Standing{
		Frozen: s.Frozen, Paused: s.Paused, Disconnected: s.Disconnected, Licenses: string(s.Licenses), Restoring: s.Restoring, StaleSince: s.StaleSince,
	}
	if d := s.Degraded; d.Class != "" {
		out.Degraded = &answer.Degraded{Class: d.Class, Since: d.Since, Check: d.Check, Detail: d.Detail, Action: d.Action}
	}
	if c := s.Credential; !c.Expires.IsZero() {
		out.Credential = &answer.Credential{Expires: c.Expires, Detail: c.Detail, Action: c.Action}
	}
	for _, h := range s.Held {
		out.Held = append(out.Held, answer.OpenHeld{Product: h.Product, Held: h.Held, Kind: string(h.Kind), State: string(h.State)})
	}
	return out
}

// ProductOf tells of a product of a tenant.
func (r *remote) ProductOf(ctx context.Context, tenantID, productID string) (tenant.Product, error) {
	t, err := apiclient.Read[apiclient.Tenant](r.api.GetTenant(ctx, tenantID, nil))
	if err != nil {
		return tenant.Product{}, err
	}
	return productIn(tenantOf(t), productID)
}

// Tenant tells how a tenant and its products stand.
func (r *remote) Tenant(ctx context.Context, name string) (ledger.TenantState, error) {
	t, err := apiclient.Read[apiclient.Tenant](r.api.GetTenant(ctx, name, nil))
	return stateOf(t), err
}

func stateOf(t apiclient.Tenant) ledger.TenantState {
	out := ledger.TenantState{
		Tenant: ledger.Tenant{Name: t.ID, SnapshotAt: t.SnapshotAt, RoundBegan: t.RoundBegan}, Users: t.Users, Groups: t.Groups,
	}
	for _, p := range t.Products {
		out.Products = append(out.Products, ledger.ProductState{
			ID: p.ID, Address: p.GroupAddress, GroupName: p.Group.Name, Licensed: p.Licensed, Redeciding: p.Redeciding, Seats: seatsFrom(p.Seats),
			State: licensing.State{Policy: licensing.Policy{Mode: licensing.Mode(p.Mode), Group: p.Group.ID}},
		})
	}
	for _, p := range t.FormerProducts { // without an address, as in a ledger
		out.Products = append(out.Products, ledger.ProductState{ID: p.ID, Licensed: p.Licensed, Seats: seatsFrom(p.Seats)})
	}
	return out
}

func seatsFrom(s apiclient.SeatsSet) licensing.Seats {
	seats := licensing.Seats{Purchased: -1, Enforce: s.Enforce}
	if s.Purchased != nil {
		seats.Purchased = *s.Purchased
	}
	return seats
}

// Standing tells what keeps a tenant's licenses from simply following its directory.
func (r *remote) Standing(ctx context.Context, t ledger.TenantState) (*answer.Standing, error) {
	told, err := apiclient.Read[apiclient.Tenant](r.api.GetTenant(ctx, t.Name, nil))
	return standingFrom(told.Standing), err
}
