package license_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// into hands the sequences of events to a channel.
func into(ch chan<- uint64) license.Handler {
	return func(_ context.Context, e license.Event) error {
		ch <- e.Sequence
		return nil
	}
}

func expect(t *testing.T, ch <-chan uint64, want ...uint64) {
	t.Helper()
	for _, w := range want {
		if got := receive(t, ch); got != w {
			t.Fatalf("got %d, want %d", got, w)
		}
	}
}

func TestReplayFollows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 3)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Replay, license.Options{Tenant: "contoso", Product: "secure-share", FromSequence: 2, Follow: true}, into(got))
	expect(t, got, 2, 3)
	b.grant(t, "contoso", "secure-share", 4, 5)
	expect(t, got, 4, 5)
	b.server.Restart()
	b.grant(t, "contoso", "secure-share", 6, 8)
	expect(t, got, 6, 7, 8)
	if err := stop(); err != nil {
		t.Errorf("ended by its context: %v", err)
	}
}

func TestSubscribeBeginsWithTheNextEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 3)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Subscribe, license.Options{}, into(got))
	b.awaitReader(t)
	b.grant(t, "contoso", "secure-share", 4, 5)
	expect(t, got, 4, 5)
	if err := stop(); err != nil {
		t.Errorf("ended by its context: %v", err)
	}
}

func TestSubscribeFromAPosition(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 3)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Subscribe, license.Options{Tenant: "contoso", Product: "secure-share", FromSequence: 4}, into(got))
	b.grant(t, "contoso", "secure-share", 4, 5)
	expect(t, got, 4, 5)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestADurableSubscriptionGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 4)
	o := license.Options{Tenant: "contoso", Durable: "billing", FromStreamSequence: 2}
	got := make(chan uint64, 100)
	errAway := errors.New("the database is away")
	err := b.client.Subscribe(t.Context(), o, func(_ context.Context, e license.Event) error {
		if e.Sequence == 3 {
			return errAway
		}
		got <- e.Sequence
		return nil
	})
	if !errors.Is(err, errAway) {
		t.Fatalf("ended with %v", err)
	}
	expect(t, got, 2)
	b.grant(t, "contoso", "secure-share", 5, 5)
	o.FromStreamSequence = 99 // counts only the first time
	stop := follow(t, b.client.Subscribe, o, into(got))
	expect(t, got, 3, 4, 5)
	b.server.Restart()
	b.bus = b.server.Bus(bus.Config{}) // what the old connection sends before it notices is lost
	b.grant(t, "contoso", "secure-share", 6, 6)
	expect(t, got, 6)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if stats := b.client.Stats(); stats.Malformed != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestADurableSubscriptionSeesAGap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Subscribe, license.Options{Durable: "billing"}, into(got))
	b.awaitReader(t)
	b.grant(t, "contoso", "secure-share", 1, 1)
	expect(t, got, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.grant(t, "contoso", "secure-share", 2, 2)
	b.grant(t, "contoso", "secure-share", 4, 4)
	err := b.client.Subscribe(t.Context(), license.Options{Durable: "billing"}, into(got))
	if !errors.Is(err, license.ErrGap) {
		t.Errorf("ended with %v", err)
	}
	expect(t, got, 2)
}

func TestADurableSubscriptionRefusesABadBeginning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, o := range []license.Options{{Durable: "a", FromStreamSequence: 9}, {Durable: "a.b"}, {Durable: "a", User: "*"}} {
		if err := b.client.Subscribe(t.Context(), o, into(nil)); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
}

// awaitReader waits until the server knows of a reader besides its own of the entitlements.
func (b *bundle) awaitReader(t *testing.T) {
	t.Helper()
	stream, err := b.bus.JetStream().Stream(t.Context(), bus.Licenses)
	if err != nil {
		t.Fatal(err)
	}
	for found := false; !found; {
		for info := range stream.ListConsumers(t.Context()).Info() {
			found = found || info.Config.DeliverSubject == ""
		}
	}
}
