package api

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// ListHeldChanges lists what is held of a tenant.
func (a *API) ListHeldChanges(ctx context.Context, r openapi.ListHeldChangesRequestObject) (openapi.ListHeldChangesResponseObject, error) {
	closed := r.Params.State == openapi.ListHeldChangesParamsStateAll
	all := paging.Of("listHeldChanges", r.Tenant, strconv.FormatBool(closed))
	after, err := all.Read(r.Params.Cursor, 2)
	if err != nil {
		return nil, err
	}
	if _, _, err := a.read(ctx, r.Tenant); err != nil {
		return nil, err
	}
	held, err := a.deps.Ledger.HeldChanges(ctx, r.Tenant, closed)
	if err != nil {
		return nil, err
	}
	behind := func(ledger.HeldChange) bool { return true }
	if after != nil {
		number, err := strconv.ParseInt(after[1], 10, 64)
		if err != nil {
			return nil, problem.New(problem.InvalidCursor, "")
		}
		behind = func(h ledger.HeldChange) bool {
			return cmp.Or(strings.Compare(h.ProductID, after[0]), cmp.Compare(h.ID, number)) > 0
		}
	}
	items, more := paging.Cut(held, behind, paging.Limit(r.Params.Limit))
	out := openapi.HeldChangePage{Items: mapped(items, heldChange)}
	if more {
		last := items[len(items)-1]
		out.NextCursor = all.Cursor(last.ProductID, strconv.FormatInt(last.ID, 10))
	}
	return openapi.ListHeldChanges200JSONResponse{Body: out}, nil
}

// GetHeldChange tells of one.
func (a *API) GetHeldChange(ctx context.Context, r openapi.GetHeldChangeRequestObject) (openapi.GetHeldChangeResponseObject, error) {
	h, err := a.held(ctx, r.Tenant, r.Product, r.Held)
	if err != nil {
		return nil, err
	}
	return openapi.GetHeldChange200JSONResponse{Body: heldChange(h)}, nil
}

func (a *API) held(ctx context.Context, tenantID, productID, held string) (ledger.HeldChange, error) {
	if _, err := a.readProduct(ctx, tenantID, productID); err != nil {
		return ledger.HeldChange{}, err
	}
	return a.deps.Ledger.HeldChange(ctx, tenantID, productID, held)
}

func heldChange(h ledger.HeldChange) openapi.HeldChange {
	out := openapi.HeldChange{
		Product: h.ProductID, Held: h.Ref, Kind: openapi.HeldKind(h.Kind), State: openapi.HeldState(h.State), Revision: h.Revision,
		Grants: h.Grants, Revocations: h.Revocations, Licensed: h.Licensed, Seats: seatsSet(h.Seats),
		OpenedAt: h.OpenedAt, ExpiresAt: h.ExpiresAt, ClosedAt: h.ClosedAt, ClosedBy: h.ClosedBy, Cause: h.Cause,
		Refresh: refreshID(h.Tenant, h.Snapshot),
		InForce: openapi.Policy{Mode: openapi.Mode(h.InForce.Mode), Group: openapi.Step{ID: h.InForce.Group, Name: h.InForceName}},
	}
	if h.State == ledger.HeldListing {
		out.Held = ""
	}
	if h.Kind == ledger.HeldFlip {
		out.Proposed = openapi.Policy{Mode: openapi.Mode(h.Mode), Group: openapi.Step{ID: h.Group, Name: h.GroupName}}
	}
	if h.State == ledger.HeldApproved || h.State == ledger.HeldApplied {
		out.Progress = openapi.HeldProgress{Users: h.Applied, Of: h.All}
	}
	return out
}

// ListHeldLines lists whom a held change concerns.
func (a *API) ListHeldLines(ctx context.Context, r openapi.ListHeldLinesRequestObject) (openapi.ListHeldLinesResponseObject, error) {
	all := paging.Of("listHeldLines", r.Tenant, r.Product, r.Held)
	after, err := all.Number(r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	h, err := a.held(ctx, r.Tenant, r.Product, r.Held)
	if err != nil {
		return nil, err
	}
	limit := paging.Limit(r.Params.Limit)
	lines, err := a.deps.Ledger.HeldLines(ctx, h, after, limit+1)
	if err != nil {
		return nil, err
	}
	out := openapi.HeldLinePage{Revision: h.Revision}
	if len(lines) > limit {
		lines = lines[:limit]
		out.NextCursor = all.Cursor(strconv.FormatInt(lines[limit-1].Number, 10))
	}
	out.Items = mapped(lines, func(l ledger.HeldLine) openapi.HeldLine {
		return openapi.HeldLine{
			User: l.User, Name: l.Name, Addresses: listed(l.Addresses), Status: openapi.UserStatus(l.Status), Revision: l.Revision,
			WouldBeLicensed: l.Would, WouldBeReason: l.WouldReason, Licensed: l.Licensed, Reason: l.Reason, Since: l.Since,
		}
	})
	return openapi.ListHeldLines200JSONResponse{Body: out}, nil
}

// ApproveHeldChange lets one take effect.
func (a *API) ApproveHeldChange(ctx context.Context, r openapi.ApproveHeldChangeRequestObject) (openapi.ApproveHeldChangeResponseObject, error) {
	if _, err := a.product(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	told, err := a.order(ctx, r.Tenant, r.Params.IdempotencyKey, event.ApproveRequested{
		Product: r.Product, Held: r.Held, Revision: r.Body.Revision, By: by(ctx),
	})
	if err != nil {
		return nil, err
	}
	if told.State == openapi.CommandStatePending {
		return openapi.ApproveHeldChange202JSONResponse{AcceptedJSONResponse: accepted(r.Tenant, told)}, nil
	}
	return openapi.ApproveHeldChange200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}

// RejectHeldChange leaves the licenses on its list as they are.
func (a *API) RejectHeldChange(ctx context.Context, r openapi.RejectHeldChangeRequestObject) (openapi.RejectHeldChangeResponseObject, error) {
	if _, err := a.product(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	told, err := a.order(ctx, r.Tenant, r.Params.IdempotencyKey, event.RejectRequested{Product: r.Product, Held: r.Held, By: by(ctx)})
	if err != nil {
		return nil, err
	}
	if told.State == openapi.CommandStatePending {
		return openapi.RejectHeldChange202JSONResponse{AcceptedJSONResponse: accepted(r.Tenant, told)}, nil
	}
	return openapi.RejectHeldChange200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}

// refreshID is the id of the refresh whose snapshot it is.
func refreshID(tenantID, snapshot string) string {
	id, _ := strings.CutPrefix(snapshot, event.CommandID(tenantID, command.VerbRefresh, ""))
	return id
}
