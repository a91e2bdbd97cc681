package license_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// A name whose reader was away for longer than LICENSES keeps would go on behind the loss without a word.
func TestADurableSubscriptionSaysThatItsPositionHasExpired(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := license.Options{Durable: "billing", FromStreamSequence: 1}
	b.grant(t, "contoso", "secure-share", 1, 1)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Subscribe, o, into(got))
	expect(t, got, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.grant(t, "contoso", "secure-share", 2, 3)
	b.expireAll(t)
	b.grant(t, "contoso", "secure-share", 4, 4)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := b.client.Subscribe(ctx, o, func(_ context.Context, e license.Event) error {
		t.Errorf("sequence %d came after 1", e.Sequence)
		cancel()
		return nil
	})
	if !errors.Is(err, license.ErrExpired) {
		t.Errorf("ended with %v", err)
	}
}

// A reader that had read all there was has lost nothing when that expires.
func TestADurableSubscriptionOutlivesWhatItHasRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := license.Options{Durable: "billing", FromStreamSequence: 1}
	b.grant(t, "contoso", "secure-share", 1, 3)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Subscribe, o, into(got))
	expect(t, got, 1, 2, 3)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.expireAll(t)
	b.grant(t, "contoso", "secure-share", 4, 4)
	stop = follow(t, b.client.Subscribe, o, into(got))
	expect(t, got, 4)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A name that has had no event yet has lost nothing of what was there before it began.
func TestADurableSubscriptionOutlivesWhatWasBeforeIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := license.Options{Durable: "billing"}
	b.grant(t, "contoso", "secure-share", 1, 3)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Subscribe, o, into(got))
	b.awaitReader(t)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.expireAll(t)
	b.grant(t, "contoso", "secure-share", 4, 4)
	stop = follow(t, b.client.Subscribe, o, into(got))
	expect(t, got, 4)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// What others wrote and the reader never wanted may expire behind its position.
func TestADurableSubscriptionOutlivesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := license.Options{Durable: "billing", Tenant: "contoso", FromStreamSequence: 1}
	b.grant(t, "contoso", "secure-share", 1, 1)
	got := make(chan uint64, 100)
	stop := follow(t, b.client.Subscribe, o, into(got))
	expect(t, got, 1)
	b.grant(t, "fabrikam", "secure-share", 1, 3)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.expireAll(t)
	b.grant(t, "contoso", "secure-share", 2, 2)
	stop = follow(t, b.client.Subscribe, o, into(got))
	expect(t, got, 2)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestReadersSayThatNATSIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.server.Stop()
	for name, c := range map[string]struct {
		read    func(context.Context, license.Options, license.Handler) error
		options license.Options
	}{
		"replay":    {b.client.Replay, license.Options{}},
		"position":  {b.client.Replay, license.Options{FromStreamSequence: 1}},
		"subscribe": {b.client.Subscribe, license.Options{}},
		"durable":   {b.client.Subscribe, license.Options{Durable: "billing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := c.read(t.Context(), c.options, into(nil)); !errors.Is(err, bus.ErrUnavailable) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}
