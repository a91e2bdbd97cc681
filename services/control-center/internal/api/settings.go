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
	hold := r.Body.Hold
	told, err := a.set(ctx, r.Tenant, r.Params.IdempotencyKey, event.SettingsRequested{
		Paused: &r.Body.Paused, Frozen: &r.Body.Frozen,
		Hold: &event.HoldRequest{Flips: string(hold.Flips), Share: &hold.Share, Least: &hold.Least, ExpirySeconds: &hold.ExpirySeconds},
	})
	switch {
	case err != nil:
		return nil, err
	case told.State == openapi.CommandStatePending:
		return openapi.PutSettings202JSONResponse{AcceptedJSONResponse: accepted(r.Tenant, told)}, nil
	}
	return openapi.PutSettings200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}

// PatchSettings sets some of it.
func (a *API) PatchSettings(ctx context.Context, r openapi.PatchSettingsRequestObject) (openapi.PatchSettingsResponseObject, error) {
	data := event.SettingsRequested{Paused: r.Body.Paused, Frozen: r.Body.Frozen}
	if h := r.Body.Hold; h != nil {
		data.Hold = &event.HoldRequest{Flips: string(h.Flips), Share: h.Share, Least: h.Least, ExpirySeconds: h.ExpirySeconds}
	}
	told, err := a.set(ctx, r.Tenant, r.Params.IdempotencyKey, data)
	switch {
	case err != nil:
		return nil, err
	case told.State == openapi.CommandStatePending:
		return openapi.PatchSettings202JSONResponse{AcceptedJSONResponse: accepted(r.Tenant, told)}, nil
	}
	return openapi.PatchSettings200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}

func (a *API) set(ctx context.Context, tenantID, key string, data event.SettingsRequested) (openapi.Command, error) {
	if _, err := a.tenant(ctx, tenantID); err != nil {
		return openapi.Command{}, err
	}
	data.By = by(ctx)
	return a.order(ctx, tenantID, key, data)
}
