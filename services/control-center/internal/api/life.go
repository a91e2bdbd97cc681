package api

import (
	"context"
	"errors"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
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

// EraseTenant has the worker forget a disconnected tenant's people, and then a receiver everything else that is kept of it.
func (a *API) EraseTenant(ctx context.Context, r openapi.EraseTenantRequestObject) (openapi.EraseTenantResponseObject, error) {
	if r.Body.Confirm != r.Tenant {
		return nil, invalid("body:/confirm", "want the name of the tenant exactly")
	}
	t, err := a.tenant(ctx, r.Tenant)
	wanted := connect.Erase{Tenant: r.Tenant, Confirm: r.Body.Confirm, By: by(ctx)}
	switch {
	case err != nil:
		return nil, errors.Join(err, a.eraseRest(ctx, err, wanted))
	case !t.Disconnected:
		return nil, problem.New(problem.NotDisconnected, "")
	}
	told, err := a.order(ctx, t.ID, r.Params.IdempotencyKey, event.EraseRequested{By: by(ctx)})
	if err == nil && told.State == openapi.CommandStateDone {
		err = a.deps.Receivers.Erase(ctx, t.Provider, wanted)
	}
	switch {
	case err != nil:
		return nil, err
	case told.State == openapi.CommandStatePending:
		return openapi.EraseTenant202JSONResponse{AcceptedJSONResponse: accepted(t.ID, told)}, nil
	}
	return openapi.EraseTenant200JSONResponse{DoneJSONResponse: openapi.DoneJSONResponse(told)}, nil
}

// eraseRest removes what an erasing that broke off has left of a tenant that is not in the registry any more: of which provider
// it was, nobody knows by then.
func (a *API) eraseRest(ctx context.Context, err error, wanted connect.Erase) error {
	if p := problem.Of(err); p.Code != problem.NoSuchTenant {
		return nil
	}
	for _, provider := range []directory.Provider{directory.Entra, directory.GoogleWorkspace} {
		if err := a.deps.Receivers.Erase(ctx, provider, wanted); !errors.Is(err, connect.ErrNoReceiver) {
			return err
		}
	}
	return nil
}
