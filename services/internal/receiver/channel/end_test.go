package channel_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// ending runs End over what stands at the provider and on record. The returned channel is closed when it has returned;
// stop breaks it off.
func ending(t *testing.T, deps channel.Deps) (ended <-chan struct{}, stop func()) {
	t.Helper()
	deps.Logger, deps.Errors = slog.New(slog.DiscardHandler), prometheus.NewCounter(prometheus.CounterOpts{Name: "errors"})
	keeper := channel.New(channel.Config{URL: url}, deps)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.End(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return done, stop
}

func (b *bench) ending() (ended <-chan struct{}, stop func()) {
	b.t.Helper()
	if b.stop != nil {
		b.stop()
		b.stop = nil
	}
	return ending(b.t, channel.Deps{Tenant: "contoso", Provider: directory.Entra, Channels: b.dir, Keys: b.keys, KV: b.kv, Clock: b.clock})
}

func (r *rotation) ending() (ended <-chan struct{}, stop func()) {
	r.t.Helper()
	r.stop()
	t, _ := r.t.(*testing.T)
	return ending(t, channel.Deps{Tenant: "initech", Provider: directory.GoogleWorkspace, Channels: r.dir, Keys: r.keys, KV: r.kv, Clock: r.clock})
}

func (b *bench) stored() int {
	b.t.Helper()
	keys, err := b.kv.ListKeys(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	n := 0
	for range keys.Keys() {
		n++
	}
	return n
}

func TestEndOfAllChannels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	b.dir.HoldChannel(receiver.NewChannel{Resource: "users", URL: url})                            // made, and never on record
	others := b.dir.HoldChannel(receiver.NewChannel{Resource: "users", URL: "https://other.test"}) // not ours
	ended, _ := b.ending()
	<-ended
	if held := b.dir.Channels(); len(held) != 1 || held[0].ID != others.ID || b.stored() != 0 {
		t.Errorf("held %+v, %d records", held, b.stored())
	}
	before := len(b.dir.Calls())
	ended, _ = b.ending()
	<-ended
	if n := len(b.dir.Calls()) - before; n != 0 {
		t.Errorf("%d requests when there is nothing to end", n)
	}
}

// One that cannot be ended holds up no other, and is tried again, by another process too, until it is gone.
func TestEndIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	stuck := b.one().ID
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "DeleteChannel" && c.ID == stuck || c.Method == "ListChannels" {
			return errors.New("503")
		}
		return nil
	}
	_, stop := b.ending()
	b.clock.BlockUntil(1)
	if held := b.dir.Channels(); len(held) != 1 || held[0].ID != stuck || b.stored() != 1 {
		t.Errorf("held %+v, %d records", held, b.stored())
	}
	b.clock.Advance(time.Minute)
	b.waitFor(func() bool { return b.count("DeleteChannel") == 3 })
	stop()
	b.dir.Intercept = nil
	ended, _ := b.ending()
	<-ended
	if held := b.dir.Channels(); len(held) != 0 || b.stored() != 0 {
		t.Errorf("held %+v, %d records", held, b.stored())
	}
}

func TestEndHonoursThrottling(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	asked := b.count("DeleteChannel")
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "DeleteChannel" {
			return receiver.ErrThrottled{After: 3 * time.Hour}
		}
		return nil
	}
	ended, _ := b.ending()
	b.clock.BlockUntil(1)
	if n := b.count("DeleteChannel") - asked; n != 1 {
		t.Errorf("%d requests while the provider wants none", n)
	}
	b.clock.Advance(3*time.Hour - time.Second)
	b.clock.BlockUntil(1)
	b.dir.Intercept = nil
	b.clock.Advance(time.Second)
	<-ended
	if n := b.count("DeleteChannel") - asked; n != 3 || len(b.dir.Channels()) != 0 {
		t.Errorf("%d requests, held %+v", n, b.dir.Channels())
	}
}

// What cannot be ended is on record until it has expired.
func TestEndWaitsForTheExpiryOfWhatCannotBeEnded(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	r.run()
	r.dir.let(func(string) outcome { return failed })
	ended, _ := r.ending()
	r.clock.BlockUntil(1)
	for range 5 { // it is asked less and less often
		if n := len(r.records()); n != 2 {
			t.Fatalf("%d records of 2 channels that are there", n)
		}
		r.clock.Advance(life / 6)
		r.clock.BlockUntil(1)
	}
	r.clock.Advance(life/6 + time.Hour)
	<-ended
	if n := len(r.records()); n != 0 {
		t.Errorf("%d records of channels that have expired", n)
	}
}

func TestEndOfChannelsThatNobodyLists(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	r.run()
	ended, _ := r.ending()
	<-ended
	if held := r.dir.channels(); len(held) != 0 || len(r.records()) != 0 {
		t.Errorf("held %+v, on record %+v", held, r.records())
	}
}
