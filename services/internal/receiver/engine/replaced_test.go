package engine

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// slowBucket stores what is put, and something happens meanwhile.
type slowBucket struct {
	jetstream.KeyValue
	meanwhile func()
}

func (b slowBucket) Put(context.Context, string, []byte) (uint64, error) {
	b.meanwhile()
	return 1, nil
}

// What is stored for a lane that ends meanwhile may come after the next one has loaded, which would never know of it.
func TestWhatMeetsAReplacedLaneComesAgain(t *testing.T) {
	t.Parallel()
	command, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: "refresh-1", Source: event.CommandSource("contoso"), Time: time.Unix(1, 0), Tenant: "contoso",
	}, event.RefreshRequested{RequestedBy: "cli"})
	if err != nil {
		t.Fatal(err)
	}
	hint, err := event.New(event.TypeNotificationReceived, event.Meta{
		ID: "hint-1", Source: event.NotificationSource("contoso"), Time: time.Unix(1, 0), Tenant: "contoso",
	}, event.NotificationReceived{Provider: "entra", SubscriptionID: "s1", Channel: "c1", Resource: "user", ID: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, replaced := range []bool{false, true} {
		e := &Engine{roster: newRoster(), deps: Deps{Clock: clock.System()}}
		enter := func() {
			store := state.New(slowBucket{meanwhile: func() {
				if replaced {
					e.roster.put(&member{tenant: tenant.Tenant{ID: "contoso"}, partition: &partition{}})
				}
			}})
			e.roster.put(&member{tenant: tenant.Tenant{ID: "contoso"}, partition: &partition{}, lane: lane.New(lane.Config{}, lane.Deps{
				Tenant: tenant.Tenant{ID: "contoso"}, Store: store, Logger: slog.New(slog.DiscardHandler), Clock: clock.System(),
			})})
		}
		enter()
		err := e.onCommand(t.Context(), bus.Message{Event: command, Subject: "command.0.contoso.refresh", Sequence: 1, Deliveries: 1})
		if (err != nil) != replaced {
			t.Errorf("command, replaced %t: %v", replaced, err)
		}
		enter()
		err = e.onNotification(t.Context(), bus.Message{Event: hint, Subject: "notification.0.entra.contoso", Sequence: 1, Deliveries: 1})
		if (err != nil) != replaced {
			t.Errorf("hint, replaced %t: %v", replaced, err)
		}
	}
}
