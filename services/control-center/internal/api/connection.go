package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
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
	if t.Disconnected || !state.Follows() {
		out.State = openapi.ConnectionStateDisconnected
	}
	if out.Channels, err = a.channels(ctx, t.ID); err != nil {
		return nil, err
	}
	return openapi.GetConnection200JSONResponse{Body: out}, nil
}

func degradedBy(c ledger.Connection) openapi.Degraded {
	return openapi.Degraded{Class: c.Class, Since: c.Since, Check: c.Check, Detail: c.Detail, Action: c.Action}
}

// channels reads by which channels a tenant's provider pushes.
func (a *API) channels(ctx context.Context, tenantID string) ([]openapi.Channel, error) {
	kv, err := a.deps.Bus.KeyValue(ctx, bus.BucketChannels)
	if err != nil {
		return nil, err
	}
	watcher, err := kv.Watch(ctx, tenantID+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("%w: read the channels: %w", bus.ErrUnavailable, err)
	}
	defer func() { _ = watcher.Stop() }()
	all := []openapi.Channel{}
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("read the channels: %w", ctx.Err())
		case entry, open := <-watcher.Updates():
			if !open {
				return nil, fmt.Errorf("%w: read the channels: cut short", bus.ErrUnavailable)
			}
			if entry == nil { // all that is stored has been read
				slices.SortFunc(all, func(x, y openapi.Channel) int {
					return slices.Compare([]string{x.Resource, x.Created.UTC().String()}, []string{y.Resource, y.Created.UTC().String()})
				})
				return all, nil
			}
			var record channel.Record
			if json.Unmarshal(entry.Value(), &record) == nil && strings.HasPrefix(entry.Key(), tenantID+".") {
				all = append(all, channelOf(record))
			}
		}
	}
}

func channelOf(r channel.Record) openapi.Channel {
	state := openapi.ChannelStateLive
	if r.State != channel.Live {
		state = openapi.ChannelState(r.State)
	}
	return openapi.Channel{Resource: r.Resource, State: state, Created: r.Created, Renewed: r.Renewed, Expires: r.Expires}
}
