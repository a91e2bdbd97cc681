package cli

import (
	"context"
	"errors"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// Refresh asks a tenant's reader for a complete read.
func (o onBus) Refresh(ctx context.Context, g given, tenantID string, preview bool) (refreshing, error) {
	registry, err := o.app.tenants(ctx, o.bus)
	if err != nil {
		return refreshing{}, err
	}
	if _, err := registry.Get(ctx, tenantID); err != nil {
		return refreshing{}, err
	}
	sent, err := command.New(o.bus, clock.System()).Send(ctx, tenantID, g.key, event.RefreshRequested{RequestedBy: g.by, Preview: preview})
	return refreshing{id: sent.ID, follow: func(ctx context.Context, p *progress) (event.RefreshCompleted, error) {
		return o.follow(ctx, sent, p)
	}}, err
}

var errDone = errors.New("done")

// follow reads LEDGER_IN from the command on until the event that answers it.
func (o onBus) follow(ctx context.Context, sent command.Sent, p *progress) (result event.RefreshCompleted, err error) {
	err = o.bus.Read(ctx, bus.ReadSpec{
		Stream:       bus.LedgerIn,
		Filters:      []string{"directory.*." + sent.Tenant + ".>", "command.*." + sent.Tenant + ".refresh", "command.*." + sent.Tenant + ".refreshed"},
		FromSequence: sent.Sequence, Follow: true,
	}, func(m bus.Message) error {
		if m.Fault != nil {
			return nil
		}
		if m.Sequence == sent.Sequence {
			return sent.Same(m.Event)
		}
		switch m.Event.Type() {
		case event.TypeDirectoryObserved:
			return p.page(m.Event, sent.ID)
		case event.TypeSnapshotEnded:
			return p.snapshot(m.Event, sent.ID)
		case event.TypeRefreshCompleted:
			data, err := event.Data[event.RefreshCompleted](m.Event)
			if err != nil {
				return err
			}
			if event.Cause(m.Event) == sent.ID || data.Snapshot == sent.ID {
				result = data
				return errDone
			}
		}
		return nil
	})
	if errors.Is(err, errDone) {
		err = nil
	}
	return result, err
}
