package lane_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// A lane that cannot read its tenant says how old the news of the lane before it is, and goes on to.
func TestFreshnessOutlivesARestart(t *testing.T) {
	t.Parallel()
	for name, traits := range map[string]receiver.Traits{
		"feeds":    {MemberFeeds: true, MaxFeedGroups: 50},
		"journals": {Journals: true, MaxFeedGroups: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.traits = traits
			fill(1)(b.dir)
			b.run()
			b.until(event.TypeSnapshotEnded, "")
			b.clock.BlockUntil(1)
			b.silentRound() // at the full read's time there is nothing newer to store
			var away atomic.Bool
			b.dir.Intercept = func(context.Context, receivertest.Call) error {
				if away.Load() {
					return errors.New("not now")
				}
				return nil
			}
			away.Store(true)
			b.halt()
			b.clock.Advance(10 * time.Minute)
			b.run()
			b.clock.BlockUntil(1) // it waits to try again
			b.ages(10*time.Minute, 10*time.Minute+poll)
			b.clock.Advance(time.Minute)
			b.clock.BlockUntil(1)
			b.ages(11*time.Minute, 11*time.Minute+poll)
			away.Store(false)
			b.clock.Advance(time.Minute)
			b.waitFor(func() bool { return b.isAge("rollcall_freshness_seconds", 0) })
		})
	}
}

// What is stored by a clock ahead, or before a complete read of another connection, makes nobody fresher than it is.
func TestFreshnessThatIsStoredIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stored time.Duration // from now
		want   time.Duration
	}{
		"a clock that was ahead": {time.Hour, 0},
		"another connection's":   {-time.Hour, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := connected(t, fill(1))
			b.halt()
			b.clock.Advance(10 * time.Minute)
			if err := b.store.SaveFresh(t.Context(), "contoso", state.Fresh{Began: b.clock.Now().Add(c.stored)}); err != nil {
				t.Fatal(err)
			}
			b.dir.Intercept = func(context.Context, receivertest.Call) error { return errors.New("not now") }
			b.run()
			b.clock.BlockUntil(1)
			b.ages(c.want, 10*time.Minute)
		})
	}
}

// silentRound lets the next poll come, and waits until it is stored that it went well.
func (b *bench) silentRound() {
	b.t.Helper()
	began := b.clock.Now().Add(poll)
	b.advance(poll)
	b.waitFor(func() bool {
		fresh, err := b.store.LoadFresh(b.t.Context(), "contoso")
		return err == nil && fresh.Began.Equal(began)
	})
	b.clock.BlockUntil(1)
}

// ages demands the freshness and the age of the last complete read.
func (b *bench) ages(round, complete time.Duration) {
	b.t.Helper()
	for name, want := range map[string]time.Duration{"rollcall_freshness_seconds": round, "rollcall_snapshot_age_seconds": complete} {
		if !b.isAge(name, want) {
			text, _ := testutil.GatherAndCount(b.metrics, name)
			b.t.Errorf("%s is not %s (%d are told)", name, want, text)
		}
	}
}

func (b *bench) isAge(name string, want time.Duration) bool {
	b.t.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name && len(f.GetMetric()) == 1 {
			return f.GetMetric()[0].GetGauge().GetValue() == want.Seconds()
		}
	}
	return false
}
