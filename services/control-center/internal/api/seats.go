package api

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/seats"
)

// GetSeats tells how the seats of a product stand.
func (a *API) GetSeats(ctx context.Context, r openapi.GetSeatsRequestObject) (openapi.GetSeatsResponseObject, error) {
	p, err := a.readProduct(ctx, r.Tenant, r.Product)
	if err != nil {
		return nil, err
	}
	_, waiting, err := a.deps.Ledger.Line(ctx, r.Tenant, r.Product, 0, 0)
	if err != nil {
		return nil, err
	}
	return openapi.GetSeats200JSONResponse{Body: openapi.Seats{
		Purchased: purchased(p.Seats), Enforce: p.Seats.Enforce, Used: p.Licensed, Waiting: waiting,
	}}, nil
}

// PutSeats sets them.
func (a *API) PutSeats(ctx context.Context, r openapi.PutSeatsRequestObject) (openapi.PutSeatsResponseObject, error) {
	if _, err := a.product(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	bought := event.SeatsNotSet
	if r.Body.Purchased != nil {
		bought = *r.Body.Purchased
	}
	told, err := a.order(ctx, r.Tenant, r.Params.IdempotencyKey, event.SeatsRequested{
		Product: r.Product, Purchased: &bought, Enforce: &r.Body.Enforce, By: by(ctx),
	})
	if err != nil {
		return nil, err
	}
	if told.State == openapi.CommandStatePending {
		return openapi.PutSeats202JSONResponse{AcceptedJSONResponse: accepted(r.Tenant, told)}, nil
	}
	return openapi.PutSeats200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}

// ListSeatsLine lists who waits for a seat.
func (a *API) ListSeatsLine(ctx context.Context, r openapi.ListSeatsLineRequestObject) (openapi.ListSeatsLineResponseObject, error) {
	all := paging.Of("listSeatsLine", r.Tenant, r.Product)
	after, err := all.Number(r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if _, err := a.readProduct(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	limit := paging.Limit(r.Params.Limit)
	line, waiting, err := a.deps.Ledger.Line(ctx, r.Tenant, r.Product, after, limit+1)
	if err != nil {
		return nil, err
	}
	out := openapi.LinePage{Waiting: waiting}
	if len(line) > limit {
		line = line[:limit]
		out.NextCursor = all.Cursor(strconv.FormatInt(line[limit-1].Place, 10))
	}
	out.Items = mapped(line, func(w ledger.InLine) openapi.LinePlace {
		return openapi.LinePlace{Place: w.Place, User: w.User, Name: w.Name, Addresses: listed(w.Addresses)}
	})
	return openapi.ListSeatsLine200JSONResponse{Body: out}, nil
}

// mostDays is how many days are told at once: three years, and a month more.
const mostDays = 1100

// GetSeatsDays tells how seats were used, day by day.
func (a *API) GetSeatsDays(ctx context.Context, r openapi.GetSeatsDaysRequestObject) (openapi.GetSeatsDaysResponseObject, error) {
	if _, err := a.readProduct(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	now := a.deps.Clock.Now()
	last := r.Params.To.Time
	if last.IsZero() {
		last = seats.Midnight(now)
	}
	first := r.Params.From.Time
	if first.IsZero() {
		first = last.AddDate(0, 0, -29)
	}
	switch {
	case last.Before(first):
		return nil, invalid("query:from", "it is behind the last day")
	case last.Sub(first) >= mostDays*24*time.Hour:
		return nil, invalid("query:from", "these are more days than are told at once")
	}
	made, err := seats.Make(ctx, a.deps.Ledger, r.Tenant, r.Product, first, last, now)
	if err != nil {
		return nil, err
	}
	return openapi.GetSeatsDays200JSONResponse{Body: openapi.SeatsDays{
		From: made.From, To: made.To, Peak: made.Peak, PeakAt: made.PeakAt, Over: made.Over, OverAt: made.OverAt,
		Days: mapped(made.Days, func(d seats.Day) openapi.SeatsDay {
			return openapi.SeatsDay{
				Date: types.Date{Time: d.Date}, Used: d.Used, Peak: d.Peak, Over: d.Over, Purchased: purchased(d.Seats), Enforce: d.Seats.Enforce,
			}
		}),
	}}, nil
}

// What of a chart is told where nothing else is asked for.
const (
	chartSpan   = 7 * 24 * time.Hour
	chartPoints = 100
)

// GetUsage tells how many users were licensed over time.
func (a *API) GetUsage(ctx context.Context, r openapi.GetUsageRequestObject) (openapi.GetUsageResponseObject, error) {
	if _, err := a.readProduct(ctx, r.Tenant, r.Product); err != nil {
		return nil, err
	}
	from, to, points := r.Params.From, r.Params.To, cmp.Or(r.Params.Points, chartPoints)
	if to.IsZero() {
		to = a.deps.Clock.Now().Truncate(time.Minute)
	}
	if from.IsZero() {
		from = to.Add(-chartSpan)
	}
	step := to.Sub(from) / time.Duration(points-1)
	if step <= 0 {
		return nil, invalid("query:from", "it is not before the last moment")
	}
	all, err := a.deps.Ledger.Usage(ctx, r.Tenant, r.Product, to.Add(-step*time.Duration(points-1)), to, step)
	if err != nil {
		return nil, err
	}
	return openapi.GetUsage200JSONResponse{Body: openapi.Usage{Points: mapped(all, func(p ledger.UsagePoint) openapi.UsagePoint {
		return openapi.UsagePoint{At: p.At.UTC(), Licensed: p.Used}
	})}}, nil
}
