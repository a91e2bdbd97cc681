package lane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

const listing = 5 * time.Second

// journaled is a bench whose provider has journals and no feeds of members, and whose lane has read everything.
func journaled(t *testing.T, fill func(*receivertest.Directory)) *bench {
	t.Helper()
	b := journals(t)
	fill(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	return b
}

func journals(t *testing.T) *bench {
	t.Helper()
	b := setup(t)
	b.dir.Journals, b.traits = true, receiver.Traits{Journals: true, MaxFeedGroups: 1}
	return b
}

// asked returns how often a method was called since a call.
func (b *bench) asked(method string, since int) int {
	n := 0
	for _, c := range b.dir.Calls()[since:] {
		if c.Method == method {
			n++
		}
	}
	return n
}

func TestJoinAndLeaveAreSeenByTheNextList(t *testing.T) {
	t.Parallel()
	b := journaled(t, employed)
	b.dir.Add("g1", "u3")
	b.dir.Remove("g1", "u2")
	b.dir.Lose(2)
	before := len(b.dir.Calls())
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "g1>u3")
	b.until(event.TypeDirectoryObserved, "").says(t, "g1-u2")
	b.clock.BlockUntil(1)
	if lists, singles := b.asked("Members", before), b.asked("Member", before); lists != 1 || singles != 1 {
		t.Errorf("%d lists and %d proofs, want one each", lists, singles)
	}
	b.advance(listing)
	b.silent() // nothing is told twice
}

// A journal's entry costs what it names and no more.
func TestJournalNamesWhatIsRead(t *testing.T) {
	t.Parallel()
	b := journaled(t, func(d *receivertest.Directory) { fill(3)(d); watched(d) })
	b.dir.Add("g1", "u3")
	b.dir.PutUser(user("u1"))
	b.dir.PutGroup(group("g2", "other@contoso.com"))
	b.dir.Add("g2", "u1") // nobody's concern
	b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
	before := len(b.dir.Calls())
	s := b.until(event.TypeRoundEnded, "hint-1")
	s.says(t, "u1", "g1>u3", "g2")
	if n := len(b.dir.Calls()) - before; n > 2+3 {
		t.Errorf("%d requests: %v", n, b.dir.Calls()[before:])
	}
	b.silent() // and the hint was shown
	b.advance(time.Minute)
	echo := b.until(event.TypeRoundEnded, "")
	if words := echo.said(t); !slices.Contains(words, "u1") || !slices.Contains(words, "g2") {
		t.Errorf("after a minute told %v, want what was named once more", words)
	}
}

// What a journal names is named once: its cursor waits until that is read, and what was read is durable.
func TestJournalsCursorWaitsForWhatItNames(t *testing.T) {
	t.Parallel()
	b := journaled(t, fill(2))
	what, before := "page", len(b.dir.Calls())
	b.refuse.Store(&what)
	renamed := user("u1")
	renamed.Name = "Ada"
	b.dir.PutUser(renamed)
	b.advance(poll)
	b.waitFor(func() bool { return b.asked("User", before) > 0 })
	b.clock.BlockUntil(1)
	b.refuse.Store(nil)
	b.round().says(t, "u1")
}

func TestHintedUserIsReadInTheSameRound(t *testing.T) {
	t.Parallel()
	b := journaled(t, fill(2))
	b.dir.DeleteUser("u2")
	b.dir.Lose(1) // no journal will ever say so
	b.hint("hint-1", "user", "u2")
	b.until(event.TypeRoundEnded, "hint-1").says(t, "-u2")
	b.advance(5 * time.Second) // a push may be ahead of the provider's replicas
	b.until(event.TypeRoundEnded, "").says(t, "-u2")
}

func TestActivityThatNoPageShowsIsReadFor(t *testing.T) {
	t.Parallel()
	b := journaled(t, fill(1))
	b.dir.Hold()
	b.dir.PutUser(user("u2"))
	b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.advance(2 * time.Second)
	b.until(event.TypeRoundEnded, "").says(t)
	b.dir.Release()
	b.advance(3 * time.Second)
	b.until(event.TypeRoundEnded, "").says(t, "u2")
	b.advance(20 * time.Second)
	b.silent()
}

func TestLeaverNamedByAddressIsProvedById(t *testing.T) {
	t.Parallel()
	b := journaled(t, func(d *receivertest.Directory) { fill(2)(d); watched(d) })
	b.dir.Remove("g1", "u2")
	b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
	b.until(event.TypeRoundEnded, "hint-1").says(t, "u2", "g1-u2")
	b.dir.Add("g1", "u2") // and is new to the next list
	b.dir.Lose(1)
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "g1>u2")
}

func TestUnsupportedProofTakesASecondList(t *testing.T) {
	t.Parallel()
	b := journals(t)
	b.dir.ListsOnly = true
	watched(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.dir.Remove("g1", "u2")
	b.dir.Lose(1)
	b.clock.BlockUntil(1)
	before := len(b.dir.Calls())
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "g1-u2")
	if n := b.asked("Members", before); n != 2 {
		t.Errorf("%d lists, want two", n)
	}
}

func TestGroupFoundByItsAddressAlone(t *testing.T) {
	t.Parallel()
	b := journaled(t, fill(1))
	watched(b.dir)
	b.dir.Lose(3) // no journal, no push
	b.round().says(t, "g1")
	b.baseline("", "g1", "g1>u1", "g1>u2")
	b.dir.PutGroup(group("g1", "main@contoso.com")) // renamed away
	b.dir.Lose(1)
	b.clock.BlockUntil(1)
	b.round().says(t, "g1")
	if f := b.feeds(); len(f.Watched) != 0 {
		t.Errorf("still watched: %+v", f.Watched)
	}
}

func TestGroupMadeAnewUnderAnotherId(t *testing.T) {
	t.Parallel()
	b := journaled(t, watched)
	b.dir.DeleteGroup("g1")
	b.dir.PutGroup(group("g2", address))
	b.dir.Add("g2", "u1")
	b.dir.Lose(5)
	s := b.round()
	if ended := data[event.RoundEnded](t, s.last()); !slices.Equal(ended.Vanishing, []string{"g1"}) {
		t.Errorf("vanishing %q, want g1", ended.Vanishing)
	}
	var told []string
	for !slices.Contains(told, "-g1") {
		b.advance(vanish)
		told = append(told, b.until(event.TypeDirectoryObserved, "").said(t)...)
	}
	if slices.Contains(told, "g1-u1") || slices.Contains(told, "g1-u2") {
		t.Errorf("members went with their group: %v", told)
	}
}

func TestDeletedGroupIsNoticedByItsList(t *testing.T) {
	t.Parallel()
	b := journaled(t, watched)
	b.dir.DeleteGroup("g1")
	b.dir.Lose(3)
	b.advance(listing)
	b.silent() // nothing is told before it is proved
	b.advance(vanish)
	b.until(event.TypeDirectoryObserved, "").says(t, "-g1")
}

func TestJournalThatSaysEverythingMayHaveChanged(t *testing.T) {
	t.Parallel()
	b := journaled(t, fill(1))
	b.dir.PutUser(user("u2"))
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Feed == receiver.UsersFeed && len(p.Stale) > 0 {
			p.Stale, p.Anew, b.dir.Edit = nil, true, nil
		}
	}
	b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.until(event.TypeSnapshotEnded, "hint-1").says(t, "u1", "u2")
}

func TestListThatFailsMidwayRemovesNothing(t *testing.T) {
	t.Parallel()
	b := journals(t)
	b.dir.PageSize = 1
	employed(b.dir)
	b.dir.Add("g1", "u3")
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.dir.Remove("g1", "u2")
	b.dir.Lose(1)
	refused := errors.New("the page token is refused")
	failures := 0
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Members" && c.Cursor != "" && failures < 6 {
			failures++
			return refused
		}
		return nil
	}
	for failures < 6 {
		b.advance(time.Minute)
		b.clock.BlockUntil(1)
	}
	var told []string
	for !slices.Contains(told, "g1-u2") {
		b.advance(listing)
		b.clock.BlockUntil(1)
		select {
		case m := <-b.told:
			told = append(told, story{m}.said(t)...)
		default:
		}
	}
	if diff := cmp.Diff([]string{"g1-u2"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// A command to read once more is answered only when every list was read since it came.
func TestPlainReadWaitsForTheLists(t *testing.T) {
	t.Parallel()
	b := journals(t)
	b.cfg.Poll = 0
	b.dir.PageSize = 1
	employed(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.advance(time.Second)
	down := true
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if down && c.Method == "Members" {
			return errors.New("down")
		}
		return nil
	}
	b.dir.Remove("g1", "u1")
	b.dir.Lose(1)
	began := b.clock.Now()
	b.command("c-1", &event.ReadRequested{})
	b.clock.BlockUntil(1)
	b.hint("hint-1", "", "")
	s := b.until(event.TypeRoundEnded, "hint-1") // others are not held up
	if ended := data[event.RoundEnded](t, s.last()); !ended.Began.Before(began) {
		t.Errorf("a round says that it began at %s, and the list is older", ended.Began)
	}
	down = false
	b.advance(time.Minute)
	s = b.until(event.TypeRoundEnded, "c-1")
	s.says(t, "g1-u1")
	if ended := data[event.RoundEnded](t, s.last()); ended.Began.Before(began) {
		t.Errorf("the round that answers began %s before the command", began.Sub(ended.Began))
	}
}

func TestListsAreShown(t *testing.T) {
	t.Parallel()
	b := journaled(t, watched)
	for range 3 {
		b.advance(listing)
		b.clock.BlockUntil(1)
	}
	b.waitFor(func() bool {
		shown, err := b.store.LoadLists(t.Context(), "contoso")
		g := shown.Groups["g1"]
		return err == nil && g.Members == 2 && g.Pages == 1 && g.Every == listing && !g.Began.IsZero()
	})
}

// Somebody of another directory, of whom nothing may be asked, holds up nobody.
func TestOutsiderWhoLeavesIsFoundByTheList(t *testing.T) {
	t.Parallel()
	b := journaled(t, func(d *receivertest.Directory) {
		fill(1)(d)
		watched(d)
		d.Add("g1", "u9")
	})
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "User" {
			return errors.New("not authorized to access this resource")
		}
		return nil
	}
	b.dir.PutUser(user("u9")) // so that the journal has an address of it
	b.dir.Lose(1)
	b.dir.Remove("g1", "u9")
	b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "g1-u9")
}

func TestManyNamedAreReadAltogether(t *testing.T) {
	t.Parallel()
	b := journaled(t, fill(1))
	for i := range 1001 {
		b.dir.PutUser(user(fmt.Sprintf("n%04d", i)))
	}
	before := len(b.dir.Calls())
	b.round().says(t)
	if n := len(b.until(event.TypeSnapshotEnded, "").said(t)); n != 1002 {
		t.Errorf("%d users told", n)
	}
	if n := b.asked("User", before); n != 0 {
		t.Errorf("%d users read singly", n)
	}
}
