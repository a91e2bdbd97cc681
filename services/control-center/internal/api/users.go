package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// GetUser tells of one user, and why the user is licensed or not, for every product.
func (a *API) GetUser(ctx context.Context, r openapi.GetUserRequestObject) (openapi.GetUserResponseObject, error) {
	t, state, err := a.mirrored(ctx, r.Tenant)
	if err != nil {
		return nil, err
	}
	u, err := a.deps.Ledger.FindUser(ctx, t.ID, r.User)
	if err != nil {
		return nil, err
	}
	out := openapi.UserDetail{
		ID: u.ID, Name: u.Name, Addresses: listed(u.Addresses), Status: openapi.UserStatus(u.Status), Guest: u.Guest,
		AsOf: answer.AsOf(state), Decisions: []openapi.Decision{},
	}
	if out.Standing, err = a.standing(ctx, state.Tenant); err != nil {
		return nil, err
	}
	activated, err := a.deps.Ledger.Activations(ctx, u)
	if err != nil {
		return nil, err
	}
	for _, p := range state.Products {
		d, err := answer.Of(ctx, a.deps.Ledger, state, p, u)
		if err != nil {
			return nil, err
		}
		told := decisionOf(d)
		told.Activated = activated[p.ID]
		out.Decisions = append(out.Decisions, told)
	}
	return openapi.GetUser200JSONResponse{Body: out}, nil
}

// ListUserHistory tells what held of one user, and when.
func (a *API) ListUserHistory(ctx context.Context, r openapi.ListUserHistoryRequestObject) (openapi.ListUserHistoryResponseObject, error) {
	all := paging.Of("listUserHistory", r.Tenant, r.User, r.Params.Product)
	after, err := all.Read(r.Params.Cursor, 3)
	if err != nil {
		return nil, err
	}
	t, state, err := a.mirrored(ctx, r.Tenant)
	if err == nil && r.Params.Product != "" {
		_, err = productOf(t, state, r.Params.Product)
	}
	if err != nil {
		return nil, err
	}
	u, err := a.deps.Ledger.FindUser(ctx, t.ID, r.User)
	if err != nil {
		return nil, err
	}
	periods, err := a.deps.Ledger.History(ctx, u, r.Params.Product)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(periods, latestFirst)
	var last ledger.Period
	if after != nil {
		i := slices.IndexFunc(periods, func(p ledger.Period) bool { return slices.Equal(positionOf(p), after) })
		if i < 0 {
			return nil, problem.New(problem.InvalidCursor, "")
		}
		last = periods[i]
	}
	items, more := paging.Cut(periods, func(p ledger.Period) bool { return after == nil || latestFirst(last, p) < 0 }, paging.Limit(r.Params.Limit))
	out := openapi.PeriodPage{}
	if out.Items, err = a.periods(ctx, t.ID, items); err != nil {
		return nil, err
	}
	if more {
		out.NextCursor = all.Cursor(positionOf(items[len(items)-1])...)
	}
	return openapi.ListUserHistory200JSONResponse{Body: out}, nil
}

func latestFirst(x, y ledger.Period) int {
	return cmp.Or(y.From.Compare(x.From), cmp.Compare(x.Product, y.Product), cmp.Compare(y.Sequence, x.Sequence))
}

func positionOf(p ledger.Period) []string {
	return []string{strconv.FormatInt(p.From.UnixMicro(), 10), p.Product, strconv.FormatUint(p.Sequence, 10)}
}

func (a *API) periods(ctx context.Context, tenantID string, periods []ledger.Period) ([]openapi.Period, error) {
	var groups []string
	for _, p := range periods {
		groups = append(groups, p.Path...)
	}
	slices.Sort(groups)
	names, err := a.deps.Ledger.GroupNames(ctx, tenantID, slices.Compact(groups))
	if err != nil {
		return nil, err
	}
	return mapped(periods, func(p ledger.Period) openapi.Period {
		out := openapi.Period{
			Product: p.Product, Licensed: p.Licensed, Reason: p.Reason, From: p.From, To: p.To, Cause: p.Cause,
			Sequence: int64(p.Sequence), //nolint:gosec // a sequence stays far below 2^63
		}
		for _, id := range p.Path {
			out.Path = append(out.Path, openapi.Step{ID: id, Name: names[id]})
		}
		return out
	}), nil
}

// PutActivation reports that a product has seen a user sign in for the first time.
func (a *API) PutActivation(ctx context.Context, r openapi.PutActivationRequestObject) (openapi.PutActivationResponseObject, error) {
	if _, err := a.product(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	if _, err := a.readProduct(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	if r.Body.At.Before(time.Unix(0, 0)) {
		return nil, invalid("body:/at", "nobody has signed in then")
	}
	u, err := a.deps.Ledger.FindUser(ctx, r.Tenant, r.User)
	if err != nil {
		return nil, err
	}
	told, err := a.order(ctx, r.Tenant, r.Params.IdempotencyKey, event.ActivationReported{
		Product: r.Product, User: u.ID, At: r.Body.At.UTC(), By: by(ctx),
	})
	if err != nil {
		return nil, err
	}
	if told.State == openapi.CommandStatePending {
		return openapi.PutActivation202JSONResponse{AcceptedJSONResponse: accepted(r.Tenant, told)}, nil
	}
	return openapi.PutActivation200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}
