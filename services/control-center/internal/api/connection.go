package api

import (
	"context"
	"errors"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// GetConnection tells how a tenant's directory is followed.
func (a *API) GetConnection(ctx context.Context, r openapi.GetConnectionRequestObject) (openapi.GetConnectionResponseObject, error) {
	t, state, err := a.read(ctx, r.Tenant)
	if errors.Is(err, answer.ErrNotRead) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	out := openapi.Connection{
		State: openapi.ConnectionStateWorking, Provider: openapi.Provider(t.Provider), RoundBegan: state.RoundBegan, SnapshotAt: state.SnapshotAt,
	}
	connections, err := a.deps.Ledger.Degraded(ctx)
	if err != nil {
		return nil, err
	}
	if c := connections[t.ID]; c.Degraded() {
		out.State, out.Degraded = openapi.ConnectionStateDegraded, degradedBy(c)
	}
	credentials, err := a.deps.Ledger.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	out.Credential = credentialOf(answer.CredentialOf(credentials[t.ID]))
	if t.Disconnected || !state.Follows() {
		out.State = openapi.ConnectionStateDisconnected
	}
	all, err := a.deps.Channels.Of(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	out.Channels = mapped(all, channelOf)
	return openapi.GetConnection200JSONResponse{Body: out}, nil
}

func degradedBy(c ledger.Connection) openapi.Degraded {
	return openapi.Degraded{Class: c.Class, Since: c.Since, Check: c.Check, Detail: c.Detail, Action: c.Action}
}

func channelOf(c channels.Channel) openapi.Channel {
	return openapi.Channel{Resource: c.Resource, State: openapi.ChannelState(c.State), Created: c.Created, Renewed: c.Renewed, Expires: c.Expires}
}
