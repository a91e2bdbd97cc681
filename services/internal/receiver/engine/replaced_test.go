package engine

import (
	"context"
	"errors"
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
	meanwhile func() error
}

func (b slowBucket) Put(context.Context, string, []byte) (uint64, error) { return 1, b.meanwhile() }

// laneOn is contoso's, which stores in a bucket.
func laneOn(kv jetstream.KeyValue) *member {
	return &member{tenant: tenant.Tenant{ID: "contoso"}, partition: &partition{}, lane: lane.New(lane.Config{}, lane.Deps{
		Tenant: tenant.Tenant{ID: "contoso"}, Store: state.New(kv), Logger: slog.New(slog.DiscardHandler), Clock: clock.System(),
	})}
}

func command(t *testing.T) bus.Message {
	t.Helper()
	ev, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: "refresh-1", Source: event.CommandSource("contoso"), Time: time.Unix(1, 0), Tenant: "contoso",
	}, event.RefreshRequested{RequestedBy: "cli"})
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Event: ev, Subject: "command.0.contoso.refresh", Sequence: 1, Deliveries: 1}
}

func hint(t *testing.T) bus.Message {
	t.Helper()
	ev, err := event.New(event.TypeNotificationReceived, event.Meta{
		ID: "hint-1", Source: event.NotificationSource("contoso"), Time: time.Unix(1, 0), Tenant: "contoso",
	}, event.NotificationReceived{Provider: "entra", SubscriptionID: "s1", Channel: "c1", Resource: "user", ID: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Event: ev, Subject: "notification.0.entra.contoso", Sequence: 1, Deliveries: 1}
}

// A hint, or a command, of which nothing could be stored comes again: acknowledged, nobody would know of it.
func TestWhatCannotBeStoredComesAgain(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	e := &Engine{roster: newRoster(), deps: Deps{Clock: clock.System()}}
	e.roster.put(laneOn(slowBucket{meanwhile: func() error { return full }}))
	if err := e.onNotification(t.Context(), hint(t)); !errors.Is(err, full) {
		t.Errorf("a hint is acknowledged: %v", err)
	}
	if err := e.onCommand(t.Context(), command(t)); !errors.Is(err, full) {
		t.Errorf("a command is acknowledged: %v", err)
	}
}

// What is stored for a lane that ends meanwhile may come after the next one has loaded, which would never know of it.
func TestWhatMeetsAReplacedLaneComesAgain(t *testing.T) {
	t.Parallel()
	for _, replaced := range []bool{false, true} {
		e := &Engine{roster: newRoster(), deps: Deps{Clock: clock.System()}}
		enter := func() {
			e.roster.put(laneOn(slowBucket{meanwhile: func() error {
				if replaced {
					e.roster.put(&member{tenant: tenant.Tenant{ID: "contoso"}, partition: &partition{}})
				}
				return nil
			}}))
		}
		enter()
		err := e.onCommand(t.Context(), command(t))
		if (err != nil) != replaced {
			t.Errorf("command, replaced %t: %v", replaced, err)
		}
		enter()
		err = e.onNotification(t.Context(), hint(t))
		if (err != nil) != replaced {
			t.Errorf("hint, replaced %t: %v", replaced, err)
		}
	}
}
