package api

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
)

// GetSettings tells how changes of a tenant are treated.
func (a *API) GetSettings(ctx context.Context, r openapi.GetSettingsRequestObject) (openapi.GetSettingsResponseObject, error) {
	_, t, err := a.read(ctx, r.Tenant)
	if err != nil {
		return nil, err
	}
	out := openapi.Settings{Paused: t.Paused, Frozen: t.Frozen, Hold: openapi.HoldSettings{
		Flips: openapi.Apply, Share: t.Hold.Guard.Share, Least: t.Hold.Guard.Least, ExpirySeconds: int(t.Hold.Expiry / time.Second),
	}}
	if t.Hold.Flips {
		out.Hold.Flips = openapi.Hold
	}
	return openapi.GetSettings200JSONResponse{Body: out}, nil
}

// PutSettings sets all of it.
func (a *API) PutSettings(ctx context.Context, r openapi.PutSettingsRequestObject) (openapi.PutSettingsResponseObject, error) {
	if _, err := a.tenant(ctx, r.Tenant); err != nil {
		return nil, err
	}
	hold := r.Body.Hold
	told, err := a.order(ctx, r.Tenant, r.Params.IdempotencyKey, event.SettingsRequested{
		Paused: &r.Body.Paused, Frozen: &r.Body.Frozen, By: by(ctx),
		Hold: &event.HoldRequest{Flips: string(hold.Flips), Share: &hold.Share, Least: &hold.Least, ExpirySeconds: &hold.ExpirySeconds},
	})
	if err != nil {
		return nil, err
	}
	if told.State == openapi.CommandStatePending {
		return openapi.PutSettings202JSONResponse{AcceptedJSONResponse: accepted(r.Tenant, told)}, nil
	}
	return openapi.PutSettings200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}
