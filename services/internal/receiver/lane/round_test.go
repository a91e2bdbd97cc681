package lane_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

func TestHintIsReadAtOnce(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(2))
	b.dir.PutUser(user("u3"))
	b.hint("hint-1", "user", "u3")
	s := b.until(event.TypeRoundEnded, "hint-1")
	s.says(t, "u3")
	if got := event.Cause(s[0].Event); got != "hint-1" {
		t.Errorf("the page is caused by %q, want the hint", got)
	}
	ended, page := data[event.RoundEnded](t, s.last()), s.pages(t)[0]
	if !ended.Began.Equal(b.clock.Now()) || ended.Requests != 2 || ended.Stamp != page.Stamp {
		t.Errorf("round ended %+v, its page %+v", ended, page)
	}
	b.clock.BlockUntil(1)
	if m := b.mark(); m != nil {
		t.Errorf("the mark is still there: %+v", m)
	}
}

func TestAGroupsHintReadsGroupsFirst(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) { d.PutGroup(group("g1", address)) })
	before := len(b.dir.Calls())
	b.dir.Add("g1", "u1")
	b.hint("hint-1", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-1").says(t, "g1>u1")
	var order []receiver.FeedKind
	for _, c := range b.dir.Calls()[before:] {
		order = append(order, c.Feed)
	}
	if want := []receiver.FeedKind{receiver.GroupsFeed, receiver.MembersFeed, receiver.UsersFeed}; !slices.Equal(order, want) {
		t.Errorf("read %v, want %v", order, want)
	}
}

// A cursor is stored only when all that lies before it is durable, and so is what follows from it (design, §10.1 and §10.2).
func TestCursorWaitsForThePubAck(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"page", "round"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := connected(t, fill(1))
			before := b.feeds()
			b.refuse.Store(&what)
			b.dir.PutUser(user("u2"))
			b.hint("hint-1", "user", "u2")
			b.clock.BlockUntil(1)
			b.waitFor(func() bool { return len(b.dir.Calls()) >= 3 })
			b.clock.BlockUntil(1)
			if what == "page" && b.feeds().Users != before.Users {
				t.Error("the cursor is stored, and its page is not")
			}
			if b.mark() == nil {
				t.Error("the mark is cleared, and its round has not ended")
			}
			b.refuse.Store(nil)
			b.advance(poll / 2)
			s := b.until(event.TypeRoundEnded, "hint-1")
			if what == "page" || len(s) > 1 {
				s.says(t, "u2")
			}
			b.clock.BlockUntil(1)
			if b.feeds().Users == before.Users || b.mark() != nil {
				t.Error("the round ended, and its cursor or its mark says otherwise")
			}
		})
	}
}

// waitFor polls a condition that no event tells of.
func (b *bench) waitFor(ok func() bool) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatal("it does not come about")
		}
	}
}

func TestAMarkSetDuringARoundStays(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	late := false
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		switch {
		case c.Feed == receiver.GroupsFeed && !late: // the users are read by now
			late = true
			b.dir.PutUser(user("u3"))
			b.hint("hint-2", "user", "u3")
		case late && b.mark() == nil:
			t.Error("the end of the first round has cleared the second hint's mark")
		}
		return nil
	}
	b.dir.PutUser(user("u2"))
	b.hint("hint-1", "user", "u2")
	b.until(event.TypeRoundEnded, "hint-1").says(t, "u2")
	b.until(event.TypeRoundEnded, "hint-2").says(t, "u3")
	b.clock.BlockUntil(1)
	if m := b.mark(); m != nil {
		t.Errorf("the mark is still there: %+v", m)
	}
}

func TestHintsThatWaitForOneRoundAreOneMark(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	blocked, release := make(chan struct{}), make(chan struct{})
	first := true
	b.dir.Intercept = func(context.Context, receivertest.Call) error {
		if first {
			first = false
			close(blocked)
			<-release
		}
		return nil
	}
	b.hint("hint-1", "", "")
	<-blocked
	b.hint("hint-2", "", "")
	revision := b.mark().Revision
	b.hint("hint-3", "", "")
	b.hint("hint-4", "", "")
	if m := b.mark(); m.Revision != revision || m.Cause != "hint-2" {
		t.Errorf("the mark was written again: %+v", m)
	}
	close(release)
	b.until(event.TypeRoundEnded, "hint-1")
	b.until(event.TypeRoundEnded, "hint-2")
	b.silent()
}

func TestMarkOutlivesARestart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.Poll = 0
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.waitFor(func() bool { return !b.feeds().FullAt.IsZero() })
	b.halt()
	b.dir.PutUser(user("u1"))
	if _, err := b.store.SetMark(t.Context(), "contoso", state.Mark{Cause: "hint-1", At: b.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	b.run()
	b.until(event.TypeRoundEnded, "hint-1").says(t, "u1")
}

func TestUnseenHintIsReadAgain(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	b.dir.Hold()
	b.dir.PutUser(user("u2"))
	b.hint("hint-1", "user", "u2")
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	for _, wait := range []time.Duration{2, 3, 5} { // 2, 5 and 10 s after the first
		b.advance(wait*time.Second - time.Millisecond)
		b.silent()
		b.advance(time.Millisecond)
		b.until(event.TypeRoundEnded, "").says(t)
	}
	b.dir.Release()
	b.advance(30 * time.Second) // no more of them
	b.silent()
	b.advance(30 * time.Second)
	b.until(event.TypeRoundEnded, "").says(t, "u2")
}

func TestSeenHintIsNotReadAgain(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	b.dir.Hold()
	b.dir.PutUser(user("u2"))
	b.hint("hint-1", "user", "u2")
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.dir.Release()
	b.advance(2 * time.Second)
	b.until(event.TypeRoundEnded, "").says(t, "u2")
	b.advance(20 * time.Second)
	b.silent()
}

func TestThrottledLaneWaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	throttled := false
	b.dir.Intercept = func(context.Context, receivertest.Call) error {
		if !throttled {
			throttled = true
			return receiver.ErrThrottled{After: 17 * time.Second}
		}
		return nil
	}
	b.dir.PutUser(user("u2"))
	b.hint("hint-1", "user", "u2")
	b.waitFor(func() bool { return len(b.dir.Calls()) == 3 })
	b.advance(17*time.Second - time.Millisecond)
	b.silent()
	b.advance(time.Millisecond)
	s := b.until(event.TypeRoundEnded, "hint-1")
	s.says(t, "u2")
	if ended := data[event.RoundEnded](t, s.last()); ended.Stamp.Counter >= s.pages(t)[0].Stamp.Counter {
		t.Errorf("the request that was sent again has no new stamp: %+v", ended)
	}
}

func TestFailingFeedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) { d.PutGroup(group("g1", address)) })
	down := true
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Feed == receiver.UsersFeed && down {
			return errors.New("forbidden")
		}
		return nil
	}
	b.dir.Add("g1", "u1")
	b.hint("hint-1", "user", "u1")
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "g1>u1")
	b.silent() // and no round has ended
	down = false
	b.advance(poll / 2)
	b.until(event.TypeRoundEnded, "hint-1")
}

func TestPanicIsAFailure(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	b.dir.Edit = func(receivertest.Call, *receiver.Page) {
		b.dir.Edit = nil
		panic("odd page")
	}
	b.dir.PutUser(user("u2"))
	b.advance(poll)
	b.waitFor(func() bool { return len(b.dir.Calls()) > 2 })
	b.advance(poll)
	b.until(event.TypeRoundEnded, "").says(t, "u2")
}

func TestReadWithoutCandidatesIsOneRound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.Poll = 0
	fill(1)(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.dir.PutUser(user("u2"))
	b.command("c-1", &event.ReadRequested{})
	b.until(event.TypeRoundEnded, "c-1").says(t, "u2")
	b.waitFor(func() bool {
		left, err := b.store.Commands(t.Context(), "contoso")
		return err == nil && len(left) == 0
	})
	b.dir.PutUser(user("u3"))
	b.sentinel() // without polls, nothing else reads
}

func TestAnotherOwnersFeedsAreTakenOver(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	f, revision, err := b.store.LoadFeeds(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	b.dir.PutUser(user("u2"))
	page, err := b.dir.Changes(t.Context(), receiver.Feed{Kind: receiver.UsersFeed}, f.Users)
	if err != nil {
		t.Fatal(err)
	}
	f.Users = page.Cursor // it was there before us
	if _, err := b.store.SaveFeeds(t.Context(), "contoso", f, revision); err != nil {
		t.Fatal(err)
	}
	b.dir.PutUser(user("u3"))
	b.advance(poll)
	b.waitFor(func() bool { return len(b.dir.Calls()) > 4 })
	b.advance(poll)
	b.until(event.TypeRoundEnded, "").says(t, "u2", "u3", "u3")
}

func TestDailyReadComesByItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.Poll, b.cfg.Full = 0, 24*time.Hour
	fill(1)(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.advance(24*time.Hour - time.Millisecond)
	b.silent()
	b.advance(time.Millisecond)
	b.until(event.TypeSnapshotEnded, "").says(t, "u1")
}
