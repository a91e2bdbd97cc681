package lane_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// Half of a group's members must not take the licenses of the other half.
func TestRoundsNameGroupsWhoseMembersAreNotAllRead(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	b.dir.PageSize = 1
	var mended atomic.Bool
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if !mended.Load() && c.Feed == receiver.MembersFeed && c.Cursor != "" {
			return errors.New("down")
		}
		return nil
	}
	watched(b.dir)
	b.hint("hint-1", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-1")
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "g1>u1")
	b.hint("hint-2", "user", "u1")
	if diff := cmp.Diff([]string{"g1"}, b.roundOf("hint-2").Unread); diff != "" {
		t.Errorf("while the members are half read (-want +got):\n%s", diff)
	}
	mended.Store(true)
	b.advance(poll)
	b.waitFor(func() bool { return len(b.feeds().Members) > 0 })
	b.hint("hint-3", "user", "u1")
	if got := b.roundOf("hint-3").Unread; len(got) > 0 {
		t.Errorf("%q unread when all are", got)
	}
}

// roundOf lets time pass until the round of a cause has ended; others, of polls, may end before it.
func (b *bench) roundOf(cause string) event.RoundEnded {
	b.t.Helper()
	found := make(chan struct{})
	var passing sync.WaitGroup
	defer passing.Wait()
	defer close(found)
	passing.Go(func() { // a lane always waits for something in the end: its next poll
		for {
			select {
			case <-found:
				return
			default:
				b.advance(poll)
			}
		}
	})
	for {
		select {
		case m := <-b.told:
			if m.Event.Type() == event.TypeRoundEnded && event.Cause(m.Event) == cause {
				return data[event.RoundEnded](b.t, m.Event)
			}
		case <-time.After(patience):
			b.t.Fatalf("no round of %s", cause)
		}
	}
}
