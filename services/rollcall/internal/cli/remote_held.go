package cli

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// HeldChanges lists those of a tenant, or of all that the token may see.
func (r *remote) HeldChanges(ctx context.Context, tenantID string, closed bool) (all []ledger.HeldChange, err error) {
	if tenantID != "" {
		return r.heldOf(ctx, tenantID, closed)
	}
	err = r.eachTenant(ctx, func(t apiclient.TenantSummary) error {
		if !t.ReadCompletely {
			return nil // of which nothing is held
		}
		held, err := r.heldOf(ctx, t.ID, closed)
		all = append(all, held...)
		return err
	})
	return all, err
}

func (r *remote) heldOf(ctx context.Context, tenantID string, closed bool) (all []ledger.HeldChange, err error) {
	state := apiclient.ListHeldChangesParamsStateOpen
	if closed {
		state = apiclient.ListHeldChangesParamsStateAll
	}
	err = paged(func(cursor string) (string, error) {
		page, err := apiclient.Read[apiclient.HeldChangePage](r.api.ListHeldChanges(ctx, tenantID, &apiclient.ListHeldChangesParams{
			State: new(state), Cursor: from(cursor), Limit: new(mostItems),
		}))
		for _, h := range page.Items {
			all = append(all, heldFrom(tenantID, h))
		}
		return page.NextCursor, err
	})
	return all, err
}

// HeldChange tells of one. The product may be left empty where no other one has a held change of that id.
func (r *remote) HeldChange(ctx context.Context, tenantID, product, ref string) (found ledger.HeldChange, err error) {
	if product != "" {
		h, err := apiclient.Read[apiclient.HeldChange](r.api.GetHeldChange(ctx, tenantID, product, ref, nil))
		return heldFrom(tenantID, h), err
	}
	all, err := r.heldOf(ctx, tenantID, true)
	if err != nil {
		return found, err
	}
	err = fmt.Errorf("%s of tenant %s: %w", ref, tenantID, ledger.ErrNoHeld)
	for _, h := range all {
		switch {
		case h.Ref != ref:
		case err == nil:
			return found, fmt.Errorf("%s of tenant %s: %w", ref, tenantID, ledger.ErrManyHeld)
		default:
			found, err = h, nil
		}
	}
	return found, err
}

func heldFrom(tenantID string, h apiclient.HeldChange) ledger.HeldChange {
	out := ledger.HeldChange{
		Held: ledger.Held{
			Ref: h.Held, Kind: ledger.HeldKind(h.Kind), State: ledger.HeldState(h.State), Revision: h.Revision,
			Mode: string(h.Proposed.Mode), Group: h.Proposed.Group.ID, Grants: h.Grants, Revocations: h.Revocations, Applied: h.Progress.Users,
			OpenedAt: h.OpenedAt, ExpiresAt: h.ExpiresAt, ClosedAt: h.ClosedAt, ClosedBy: h.ClosedBy, Cause: h.Cause, Snapshot: h.Refresh,
		},
		Tenant: tenantID, ProductID: h.Product, GroupName: h.Proposed.Group.Name,
		InForce:     licensing.Policy{Mode: licensing.Mode(h.InForce.Mode), Group: h.InForce.Group.ID},
		InForceName: h.InForce.Group.Name, Licensed: h.Licensed, Seats: seatsFrom(h.Seats), All: h.Grants + h.Revocations,
	}
	if out.State == ledger.HeldApproved || out.State == ledger.HeldApplied {
		out.All = h.Progress.Of
	}
	return out
}

// EachHeldLine reads a list, up to a limit where there is one.
func (r *remote) EachHeldLine(ctx context.Context, h ledger.HeldChange, limit int, each func(ledger.HeldLine) error) (n int, err error) {
	err = paged(func(cursor string) (string, error) {
		want := mostItems
		if limit > 0 {
			want = min(want, limit-n)
		}
		page, err := apiclient.Read[apiclient.HeldLinePage](r.api.ListHeldLines(ctx, h.Tenant, h.ProductID, h.Ref, &apiclient.ListHeldLinesParams{
			Cursor: from(cursor), Limit: new(want),
		}))
		for i := 0; err == nil && i < len(page.Items); i++ {
			err = each(heldLineFrom(page.Items[i]))
			n++
		}
		if n == limit {
			return "", err
		}
		return page.NextCursor, err
	})
	return n, err
}

func heldLineFrom(l apiclient.HeldLine) ledger.HeldLine {
	return ledger.HeldLine{
		User: l.User, Name: l.Name, Addresses: l.Addresses, Status: directory.Status(l.Status), Licensed: l.Licensed, Reason: l.Reason, Since: l.Since,
		Would: l.WouldBeLicensed, WouldReason: l.WouldBeReason, Revision: l.Revision,
	}
}

// Names asks for each user: they are few, see event.MaxAnswerChanges.
func (r *remote) Names(ctx context.Context, tenantID string, users []string) (map[string]ledger.UserState, error) {
	names := map[string]ledger.UserState{}
	for _, id := range users {
		u, err := r.FindUser(ctx, tenantID, id)
		if err != nil {
			return names, err
		}
		names[id] = u
	}
	return names, nil
}
