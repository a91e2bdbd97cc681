package lane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// Where something changes all the time, rounds could take all that the provider grants: the lists go on all the same.
func TestHintsWithoutEndHoldUpNoList(t *testing.T) {
	t.Parallel()
	const endless = 4000
	for name, granted := range map[string]int{"without bounds": 0, "with a budget": perMinute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := journals(t)
			b.cfg.Poll, b.traits.PerMinute = 0, granted
			fill(3)(b.dir)
			watched(b.dir)
			hints, over := 0, make(chan struct{}) // the lane's own goroutine counts
			var begun atomic.Bool
			b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
				if !begun.Load() {
					return nil
				}
				b.clock.Advance(5 * time.Millisecond) // what an answer takes
				if c.Feed != receiver.UsersFeed || hints == endless {
					return nil
				}
				if hints++; hints == endless {
					close(over)
				}
				return b.lane.Hint(context.Background(), state.Mark{Cause: fmt.Sprintf("hint-%d", hints)})
			}
			stop := b.passing(50 * time.Millisecond)
			defer stop()
			b.run()
			b.until(event.TypeSnapshotEnded, "")
			begun.Store(true)
			b.dir.Add("g1", "u3")
			b.dir.Lose(1)
			b.hint("hint-0", "", "")
			for {
				select {
				case m := <-b.told:
					if m.Event.Type() == event.TypeDirectoryObserved && slices.Contains(story{m}.said(t), "g1>u3") {
						return
					}
				case <-over:
					t.Fatal("the list waited for the end of the hints")
				}
			}
		})
	}
}

// A complete read does not break off a pass that has found missing members: they are settled before it lists the group.
func TestFullReadFinishesThePassUnderWay(t *testing.T) {
	t.Parallel()
	const members, gone = 300, 60 // more than are asked about before a pass has ended
	b := journals(t)
	b.cfg.Poll, b.dir.PageSize = 0, 10
	b.dir.PutGroup(group("g1", address))
	for i := range members {
		b.dir.Add("g1", fmt.Sprintf("u%03d", i))
	}
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	for i := range gone {
		b.dir.Remove("g1", fmt.Sprintf("u%03d", i))
	}
	b.dir.Lose(gone)
	before := len(b.dir.Calls())
	b.advance(listing)
	for b.clock.BlockUntil(1); b.asked("Members", before) < 10; b.clock.BlockUntil(1) {
		b.advance(200 * time.Millisecond)
	}
	b.silent()
	b.command("refresh", nil)
	left := 0
	for _, word := range b.until(event.TypeSnapshotEnded, "refresh").said(t) {
		if strings.HasPrefix(word, "g1-") {
			left++
		}
	}
	if left != gone {
		t.Errorf("%d left before the snapshot ended, want %d", left, gone)
	}
}

// A first list that failed midway has told of a member that the next one does not show. It ends all the same.
func TestFirstListEndsWithoutAMemberThatIsMissing(t *testing.T) {
	t.Parallel()
	b := journals(t)
	b.cfg.Poll, b.dir.PageSize = 0, 1
	employed(b.dir)
	failures, removed := 0, false // the lane's own goroutine counts
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		switch {
		case c.Method == "Member":
			return errors.New("not authorized to access this resource")
		case c.Method == "Members" && c.Cursor != "" && failures < 4: // as often as one page is asked for
			failures++
			return errors.New("down")
		case c.Method == "Members" && c.Cursor == "" && failures == 4 && !removed:
			removed = true
			b.dir.Remove("g1", "u1")
			b.dir.Lose(1)
		}
		return nil
	}
	stop := b.passing(100 * time.Millisecond)
	b.run()
	b.until(event.TypeSnapshotEnded, "") // of everything but this group
	b.until(event.TypeSnapshotEnded, "")
	stop()
	b.silent()
}

// More echoes than a round reads are read by several, and lead to an end.
func TestMoreEchoesThanARoundReads(t *testing.T) {
	t.Parallel()
	const each = 600
	b := journals(t)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	for half := range 2 {
		b.advance(time.Second)
		for i := range each {
			b.dir.PutUser(user(fmt.Sprintf("u%d-%d", half, i)))
		}
		b.hint(fmt.Sprintf("hint-%d", half), "", "")
		b.until(event.TypeRoundEnded, fmt.Sprintf("hint-%d", half))
	}
	b.clock.BlockUntil(1)
	before := len(b.dir.Calls())
	b.advance(2 * time.Minute)
	b.waitFor(func() bool { return b.asked("User", before) >= 2*each })
	for range 10 {
		b.advance(time.Second)
	}
	if n := b.asked("User", before); n != 2*each {
		t.Errorf("%d reads, want %d", n, 2*each)
	}
}

// What can never be read is asked for less and less, and then no more.
func TestWhatCannotBeReadIsLetGo(t *testing.T) {
	t.Parallel()
	b := journaled(t, fill(1))
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "User" {
			return errors.New("not authorized to access this resource")
		}
		return nil
	}
	before := len(b.dir.Calls())
	b.dir.PutUser(user("u1"))
	b.hint("hint-1", "", "")
	b.until(event.TypeRoundEnded, "hint-1")
	for range 90 {
		b.advance(10 * time.Second)
	}
	b.clock.BlockUntil(1)
	if n := b.asked("User", before); n != 4 {
		t.Errorf("asked %d times in a quarter of an hour, want at once, after 10 s, 1 and 10 minutes", n)
	}
}

// Members whose absence can never be proved do not keep those from going who come behind them.
func TestWhoCannotBeProvedHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const stubborn, gone = 8, 3 // more failures in a row than a pass bears
	b := journals(t)
	b.cfg.Poll = 0
	b.dir.PutGroup(group("g1", address))
	for i := range stubborn + gone + 20 {
		b.dir.Add("g1", fmt.Sprintf("u%03d", i))
	}
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Member" && c.Cursor < fmt.Sprintf("u%03d", stubborn) {
			return errors.New("it cannot be asked about")
		}
		return nil
	}
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	for i := range stubborn + gone {
		b.dir.Remove("g1", fmt.Sprintf("u%03d", i))
	}
	b.dir.Lose(stubborn + gone)
	stop := b.passing(100 * time.Millisecond)
	defer stop()
	left := map[string]bool{}
	for deadline := time.After(patience); len(left) < gone; {
		select {
		case m := <-b.told:
			for _, word := range (story{m}).said(t) {
				if id, ok := strings.CutPrefix(word, "g1-"); ok {
					left[id] = true
				}
			}
		case <-deadline:
			t.Fatalf("only %v have left", left)
		}
	}
	for id := range left {
		if id < fmt.Sprintf("u%03d", stubborn) {
			t.Errorf("%s has left, and nobody said so", id)
		}
	}
}
