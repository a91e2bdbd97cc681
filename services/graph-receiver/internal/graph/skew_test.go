package graph

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// skewed is a clock beside another.
type skewed struct {
	clock.Clock
	by time.Duration
}

func (s skewed) Now() time.Time { return s.Clock.Now().Add(s.by) }

// Graph's clock is ahead of ours, or behind it: no subscription is made anew, and each is renewed before Graph ends it.
func TestSubscriptionsAcrossClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"ahead": 10 * time.Minute, "behind": -10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now().Truncate(time.Second)
			ours, keeper := clock.NewFake(now), clock.NewFake(now)
			s := simulateOn(t, control.Settings{}, ours, skewed{ours, by})
			kept := keepOn(t, s, keeper)
			first := map[string]time.Time{}
			for _, c := range held(t, s) {
				first[c.ID] = c.Expires
			}
			if len(first) != 2 {
				t.Fatalf("%d subscriptions", len(first))
			}
			const step = 12 * time.Hour
			for range 3 * channelLife / step {
				for _, d := range []time.Duration{step, 10 * time.Second} { // each token lives for an hour: the first request is refused
					ours.Advance(d)
					keeper.Advance(d)
					keeper.BlockUntil(1)
				}
				for _, c := range held(t, s) {
					if _, known := first[c.ID]; !known || c.Expires.Sub(ours.Now().Add(by)) < channelLife/2-2*step {
						t.Fatalf("%+v at %s by its own clock", c, ours.Now().Add(by))
					}
				}
			}
			for _, c := range held(t, s) {
				if !c.Expires.After(first[c.ID].Add(channelLife)) {
					t.Errorf("%+v was not renewed", c)
				}
			}
			if kept.gaps != 0 {
				t.Errorf("%d gaps", kept.gaps)
			}
		})
	}
}

type kept struct{ gaps int } // read while the keeper waits

// keepOn keeps the directory's push channels until the test ends, and returns when they are made.
func keepOn(t *testing.T, s *simulated, on *clock.Fake) *kept {
	t.Helper()
	intake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.provider.Handshake(w, r) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	t.Cleanup(intake.Close)
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketChannels)
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{}
	keeper := channel.New(channel.Config{URL: intake.URL, Check: 24 * time.Hour}, channel.Deps{
		Tenant: s.tenant.ID, Provider: s.tenant.Provider, Channels: s.directory, Keys: secret.Generate(), KV: kv, Gap: func() { k.gaps++ },
		Logger: slog.New(slog.DiscardHandler), Clock: on, Errors: prometheus.NewCounter(prometheus.CounterOpts{Name: "errors"}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	on.BlockUntil(1)
	return k
}

func held(t *testing.T, s *simulated) []control.Subscription {
	t.Helper()
	all, err := s.Subscriptions(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Fatalf("%d subscriptions are held: %+v", len(all), all)
	}
	return all
}
