package api

import (
	"context"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
)

// DisconnectTenant has the worker say what becomes of the licenses, and then a receiver follow the directory no longer.
func (a *API) DisconnectTenant(ctx context.Context, r openapi.DisconnectTenantRequestObject) (openapi.DisconnectTenantResponseObject, error) {
	t, err := a.tenant(ctx, r.Tenant)
	if err != nil {
		return nil, err
	}
	told, err := a.order(ctx, t.ID, r.Params.IdempotencyKey, event.DisconnectRequested{Licenses: string(r.Body.Licenses), By: by(ctx)})
	if err == nil && told.State == openapi.CommandStateDone {
		err = a.deps.Receivers.Disconnect(ctx, t.Provider, connect.Disconnect{Tenant: t.ID, By: by(ctx)})
	}
	switch {
	case err != nil:
		return nil, err
	case told.State == openapi.CommandStatePending:
		return openapi.DisconnectTenant202JSONResponse{AcceptedJSONResponse: accepted(t.ID, told)}, nil
	}
	return openapi.DisconnectTenant200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}
