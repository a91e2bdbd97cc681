package lane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// A directory where something changes all the time has a hint waiting at the end of every round.
func TestHintsWithoutEndHoldUpNoRead(t *testing.T) {
	t.Parallel()
	const endless = 100
	for name, begin := range map[string]func(*bench){
		"that waits":     func(b *bench) { b.hint("hint-0", "user", "u1"); b.command("refresh-1", nil) },
		"between pages":  func(b *bench) { b.dir.PageSize = 1; b.command("refresh-1", nil) },
		"of a new group": func(b *bench) { b.dir.PutGroup(group("g1", address)); b.dir.Add("g1", "u1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := connected(t, fill(3))
			var hints atomic.Int64
			b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
				if c.Feed == receiver.UsersFeed && hints.Load() < endless {
					return b.lane.Hint(context.Background(), state.Mark{Cause: fmt.Sprintf("hint-%d", hints.Add(1)), Resource: "user", ID: "u1"})
				}
				return nil
			}
			begin(b)
			b.hint("hint-0", "user", "u1")
			for deadline := time.After(patience); ; {
				select {
				case m := <-b.told:
					if m.Event.Type() != event.TypeSnapshotEnded {
						continue
					}
					if hints.Load() == endless {
						t.Error("the read waited for the end of the hints")
					}
					return
				case <-deadline:
					t.Fatal("no snapshot")
				}
			}
		})
	}
}

// Graph says 503 with a Retry-After for what is broken on its side, too.
func TestFeedThatIsThrottledForEverHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) { d.PutGroup(group("g1", address)) })
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Feed == receiver.UsersFeed {
			return receiver.ErrThrottled{After: time.Second}
		}
		return nil
	}
	b.dir.Add("g1", "u1")
	before := len(b.dir.Calls())
	b.hint("hint-1", "user", "u1")
	for asked := range 5 {
		b.waitFor(func() bool { return len(b.dir.Calls()) > before+asked })
		b.advance(time.Second)
	}
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "g1>u1")
}

// An object that cannot be understood is kept for later also when its round fails behind it.
func TestSetAsideOutlivesAFailedRound(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	odd := true
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Feed == receiver.UsersFeed && odd && len(p.Observations) > 0 {
			p.Observations, p.SetAside = nil, []string{"u2"}
		}
	}
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if odd && (c.Method == "User" || c.Feed == receiver.GroupsFeed) {
			return errors.New("not now")
		}
		return nil
	}
	b.dir.PutUser(user("u2"))
	calls := len(b.dir.Calls())
	b.advance(poll)
	b.waitFor(func() bool { return len(b.dir.Calls()) >= calls+3 })
	b.clock.BlockUntil(1)
	odd = false
	b.advance(poll)
	s := b.until(event.TypeRoundEnded, "")
	s = append(s, b.round()...)
	if !slices.Contains(s.said(t), "u2") {
		t.Errorf("told %v, and never u2", s.said(t))
	}
}

// What a lane learns after a restart is stored, though it may be all that has changed.
func TestProofOfAVanishedGroupOutlivesRestarts(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) { d.PutGroup(group("g1", address)) })
	down := true
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if down && c.Method == "Group" {
			return errors.New("not now")
		}
		return nil
	}
	b.dir.DeleteGroup("g1")
	b.round()
	b.clock.BlockUntil(1)
	b.halt()
	down = false
	b.run()
	b.until(event.TypeRoundEnded, "")
	b.clock.BlockUntil(1)
	if w := b.feeds().Watched["g1"]; w.Vanish == nil || !w.Vanish.Said {
		t.Errorf("stored %+v: the first read is forgotten", w.Vanish)
	}
}

// A clock that was far ahead when something was stored does not keep the lane from its work for as long.
func TestClockThatWasAheadHoldsUpNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.Full = 24 * time.Hour
	fill(1)(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.halt()
	f, revision, err := b.store.LoadFeeds(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	f.FullAt = b.clock.Now().AddDate(5, 0, 0)
	if _, err := b.store.SaveFeeds(t.Context(), "contoso", f, revision); err != nil {
		t.Fatal(err)
	}
	b.cfg.Poll = 0
	b.run()
	b.advance(25 * time.Hour)
	b.until(event.TypeSnapshotEnded, "")
}
