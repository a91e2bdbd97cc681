package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// ListEvents lists what was told of a tenant's products.
func (a *API) ListEvents(ctx context.Context, r openapi.ListEventsRequestObject) (openapi.ListEventsResponseObject, error) {
	list := paging.Of("listEvents", r.Tenant, r.Params.Product)
	before, err := list.Read(r.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	t, state, err := a.read(ctx, r.Tenant)
	if err == nil && r.Params.Product != "" {
		_, err = productOf(t, state, r.Params.Product)
	}
	if err != nil {
		return nil, err
	}
	page, err := a.deps.Ledger.Activity(ctx, ledger.ActivityQuery{
		Tenant: r.Tenant, Product: r.Params.Product, Before: behind(before), Limit: paging.Limit(r.Params.Limit),
	})
	if err != nil {
		return nil, err
	}
	out := openapi.EventPage{Items: make([]openapi.Event, len(page.Events))}
	for i, e := range page.Events {
		if out.Items[i], err = eventOf(r.Tenant, e); err != nil {
			return nil, err
		}
	}
	if page.Next != "" {
		out.NextCursor = list.Cursor(page.Next)
	}
	return openapi.ListEvents200JSONResponse{Body: out}, nil
}

func eventOf(tenantID string, e ledger.Audited) (openapi.Event, error) {
	out := openapi.Event{
		ID: event.LicenseID(tenantID, e.Product, e.Sequence), Product: e.Product, Type: e.Type, At: e.At, Cause: e.Cause,
		Sequence: int64(e.Sequence), //nolint:gosec // a sequence stays far below 2^63
	}
	if e.User != "" {
		out.Decision = openapi.EventDecision{User: e.User, Name: e.Name, Licensed: e.Licensed, Reason: e.Reason, Path: pathOf(e.Path)}
	}
	if e.Data == nil {
		return out, nil
	}
	if err := json.Unmarshal(e.Data, &out.Data); err != nil {
		return out, fmt.Errorf("read event %s: %w", out.ID, err)
	}
	return out, nil
}
