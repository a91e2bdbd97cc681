package lane_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// A fifth of a real grant, of 2,400, for a fifth of everything.
const perMinute = 480

// passing lets time pass whenever the lane waits, until the returned function is called.
func (b *bench) passing(step time.Duration) (stop func()) {
	b.t.Helper()
	over := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				b.advance(step)
			}
		}
	})
	return func() { close(over); work.Wait() }
}

// A group of 350,000 members is 1,750 pages, and a full read of a million users 2,000; fewer here. Each pass over the former stays within
// a minute while the latter goes on; hints pass both; and the provider's grant is never overdrawn.
func TestHugeGroupIsListedEveryMinuteBesideAFullRead(t *testing.T) {
	t.Parallel()
	const pages, users = 1750 / 5, 120 // of one each
	b := journals(t)
	b.cfg.Poll, b.dir.PageSize, b.traits.PerMinute = 0, 1, perMinute
	var sent, begun []time.Time // by the lane's own goroutine; those of first pages
	answered := time.Duration(0)
	var connected atomic.Bool
	hinted := time.Time{} // of a hint that is not answered yet
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		now := b.clock.Now()
		sent = append(sent, now)
		if c.Method == "Members" && c.Cursor == "" {
			begun = append(begun, now)
		}
		b.clock.Advance(10 * time.Millisecond) // what an answer takes
		switch {
		case c.Method == "User" && !hinted.IsZero():
			answered, hinted = max(answered, now.Sub(hinted)), time.Time{}
		case connected.Load() && len(sent)%500 == 0:
			hinted = now
			return b.lane.Hint(context.Background(), state.Mark{Cause: fmt.Sprintf("hint-%d", len(sent)), Resource: "user", ID: "u1"})
		}
		return nil
	}
	fill(users)(b.dir)
	b.dir.PutGroup(group("g1", address))
	for i := range pages {
		b.dir.Add("g1", fmt.Sprintf("u%d", i+1))
	}
	stop := b.passing(20 * time.Millisecond)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	connected.Store(true)
	b.command("refresh", nil)
	b.until(event.TypeSnapshotEnded, "refresh")
	stop()
	b.halt()
	if len(begun) < 3 {
		t.Errorf("the group was listed %d times", len(begun))
	}
	for i := range begun[1:] {
		if every := begun[i+1].Sub(begun[i]); every > time.Minute {
			t.Errorf("%v between two lists of the group", every)
		}
	}
	if answered > time.Second {
		t.Errorf("a hint was answered after %v", answered)
	}
	for i := range sent {
		if last := i + perMinute; last < len(sent) && sent[last].Sub(sent[i]) < time.Minute {
			t.Fatalf("%d requests within %v", perMinute+1, sent[last].Sub(sent[i]))
		}
	}
	t.Logf("%d passes; hints within %v; %d requests in %v", len(begun), answered, len(sent), sent[len(sent)-1].Sub(sent[0]))
}
