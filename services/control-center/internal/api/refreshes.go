package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// StartRefresh asks for a complete read.
func (a *API) StartRefresh(ctx context.Context, r openapi.StartRefreshRequestObject) (openapi.StartRefreshResponseObject, error) {
	if _, err := a.tenant(ctx, r.Tenant); err != nil {
		return nil, err
	}
	data := event.RefreshRequested{RequestedBy: asker, By: by(ctx), Preview: r.Body.Preview}
	sent, err := a.commands.Send(ctx, r.Tenant, r.Params.IdempotencyKey, data)
	if err != nil {
		return nil, err
	}
	told, err := a.deps.Refreshes.Get(ctx, r.Tenant, refreshID(r.Tenant, sent.ID))
	if err != nil {
		return nil, err
	}
	if told.Preview != data.Preview || told.By != data.By {
		return nil, command.ErrKeyUsed
	}
	return openapi.StartRefresh202JSONResponse{Body: refreshOf(told), Headers: openapi.StartRefresh202ResponseHeaders{
		Location: "/api/v1/tenants/" + r.Tenant + "/refreshes/" + told.ID, RetryAfter: int(lookAgain / time.Second),
	}}, nil
}

// asker says in a refresh what asked for it, beside who.
const asker = "control-center"

// ListRefreshes lists them.
func (a *API) ListRefreshes(ctx context.Context, r openapi.ListRefreshesRequestObject) (openapi.ListRefreshesResponseObject, error) {
	list := paging.Of("listRefreshes", r.Tenant)
	before, err := list.Number(r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if _, err := a.tenant(ctx, r.Tenant); err != nil {
		return nil, err
	}
	all, err := a.deps.Refreshes.List(ctx, r.Tenant)
	if err != nil {
		return nil, err
	}
	behind := func(one refresh.Refresh) bool { return before == 0 || int64(one.Sequence()) < before } //nolint:gosec // a sequence stays far below 2^63
	items, more := paging.Cut(all, behind, paging.Limit(r.Params.Limit))
	out := openapi.RefreshPage{Items: mapped(items, refreshOf)}
	if more {
		out.NextCursor = list.Cursor(strconv.FormatUint(items[len(items)-1].Sequence(), 10))
	}
	return openapi.ListRefreshes200JSONResponse{Body: out}, nil
}

// GetRefresh tells how one goes on.
func (a *API) GetRefresh(ctx context.Context, r openapi.GetRefreshRequestObject) (openapi.GetRefreshResponseObject, error) {
	told, err := a.refresh(ctx, r.Tenant, r.Refresh)
	if err != nil {
		return nil, err
	}
	return openapi.GetRefresh200JSONResponse{Body: refreshOf(told)}, nil
}

func (a *API) refresh(ctx context.Context, tenantID, id string) (refresh.Refresh, error) {
	if _, err := a.tenant(ctx, tenantID); err != nil {
		return refresh.Refresh{}, err
	}
	told, err := a.deps.Refreshes.Get(ctx, tenantID, id)
	if errors.Is(err, refresh.ErrNone) {
		err = problem.New(problem.NoSuchRefresh, "")
	}
	return told, err
}

func refreshOf(r refresh.Refresh) openapi.Refresh {
	out := openapi.Refresh{
		ID: r.ID, State: openapi.RefreshState(r.State), Preview: r.Preview, RequestedAt: r.Requested, RequestedBy: r.By,
	}
	if p := r.Progress; p != nil {
		out.Progress = openapi.RefreshProgress{Pages: p.Pages, Users: p.Users, Groups: p.Groups, Memberships: p.Memberships}
	}
	if r.State == refresh.Failed {
		out.Error = r.Result.Error
		return out
	}
	if d := r.Result; d != nil {
		out.Result = openapi.RefreshResult{
			Users: d.Users, Groups: d.Groups, Granted: d.Granted, Revoked: d.Revoked, Removed: d.Removed, Unproven: d.Unproven,
			Holds: mapped(d.Holds, func(h event.RefreshHold) openapi.RefreshHold {
				return openapi.RefreshHold{Product: h.Product, Held: h.Held, Revision: h.Revision, Grants: h.Grants, Revocations: h.Revocations}
			}),
		}
	}
	return out
}

// ApplyRefresh approves what a preview has put on lists.
func (a *API) ApplyRefresh(ctx context.Context, r openapi.ApplyRefreshRequestObject) (openapi.ApplyRefreshResponseObject, error) {
	told, err := a.refresh(ctx, r.Tenant, r.Refresh)
	switch {
	case err != nil:
		return nil, err
	case told.Result == nil:
		return nil, problem.New(problem.RefreshNotDone, "")
	case len(told.Result.Holds) == 0:
		return nil, problem.New(problem.NoPreview, "")
	}
	key := r.Params.IdempotencyKey
	if key == "" {
		key = rand.Text()
	}
	out := openapi.Applied{}
	for _, h := range told.Result.Holds {
		one := openapi.AppliedHold{Product: h.Product, Held: h.Held}
		one.Command, err = a.order(ctx, r.Tenant, keyOf(key, h), event.ApproveRequested{
			Product: h.Product, Held: h.Held, Revision: h.Revision, By: by(ctx),
		})
		refused, isRefused := errors.AsType[*command.Refused](err)
		switch {
		case isRefused:
			one.Command = openapi.Command{
				ID: commandID(r.Tenant, refused.Answer.Command), State: openapi.CommandStateRefused, Problem: problemOf(problem.OfRefusal(refused.Answer)),
			}
		case err != nil:
			return nil, err
		}
		out.Items = append(out.Items, one)
	}
	return openapi.ApplyRefresh200JSONResponse(out), nil
}

// keyOf is the key of the command for one list, of that of the whole.
func keyOf(key string, h event.RefreshHold) string {
	sum := sha256.Sum256([]byte(key + "\x00" + h.Product + "\x00" + h.Held))
	return "apply:" + hex.EncodeToString(sum[:16])
}
