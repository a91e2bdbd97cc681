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

// nestedLists is the provisioning group g1 with groups in it three levels deep.
func nestedLists(d *receivertest.Directory) {
	fill(3)(d)
	watched(d)
	for _, id := range []string{"n1", "n2", "n3"} {
		d.PutGroup(group(id, id+"@contoso.com"))
	}
	d.Nest("g1", "n1")
	d.Nest("n1", "n2")
	d.Nest("n2", "n3")
	d.Add("n3", "u1")
}

func TestNestedGroupsAreListedInTheSameSnapshot(t *testing.T) {
	t.Parallel()
	b := journals(t)
	nestedLists(b.dir)
	b.dir.AddEveryone("n3")
	b.run()
	s := b.until(event.TypeSnapshotEnded, "")
	s.says(t, "u1", "u2", "u3", "g1", "n1", "n2", "n3", "g1>n1", "g1>u1", "g1>u2", "n1", "n1>n2", "n2", "n2>n3", "n3", "n3>", "n3>u1")
	if diff := cmp.Diff([]string{"g1", "n1", "n2", "n3"}, data[event.SnapshotEnded](t, s.last()).Members); diff != "" {
		t.Errorf("members read (-want +got):\n%s", diff)
	}
	b.clock.BlockUntil(1)
	before := len(b.dir.Calls())
	b.dir.Add("n3", "u3")
	b.dir.Remove("n3", "u1")
	b.dir.Lose(2) // no journal and no push will tell
	b.advance(listing)
	var told []string
	for len(told) < 2 {
		told = append(told, b.until(event.TypeDirectoryObserved, "").said(t)...)
	}
	b.clock.BlockUntil(1)
	if diff := cmp.Diff([]string{"n3>u3", "n3-u1"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if lists := b.asked("Members", before); lists != 4 {
		t.Errorf("%d lists of 4 groups", lists)
	}
}

// A journal's entry about a nested group names it by its address, and costs what it names and no more.
func TestJournalNamesMembersOfNestedGroups(t *testing.T) {
	t.Parallel()
	b := journaled(t, nestedLists)
	b.dir.Add("n3", "u3")
	b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
	before := len(b.dir.Calls())
	b.until(event.TypeRoundEnded, "hint-1").says(t, "n3>u3")
	if n := len(b.dir.Calls()) - before; n != 2+1 {
		t.Errorf("%d requests: %v", n, b.dir.Calls()[before:])
	}
	b.dir.Remove("n2", "n3") // a group, and by its address nobody's
	b.hint("hint-2", "activity", receivertest.Activity(b.dir.Changed()-1))
	s := b.until(event.TypeRoundEnded, "hint-2")
	s.says(t, "n2-n3")
	b.dir.Nest("n2", "n3")
	b.hint("hint-3", "activity", receivertest.Activity(b.dir.Changed()-1))
	s = b.until(event.TypeRoundEnded, "hint-3")
	s.says(t, "n2>n3")
	if diff := cmp.Diff([]string{"n3"}, data[event.RoundEnded](t, s.last()).Unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
	b.until(event.TypeSnapshotEnded, "hint-3").says(t, "n3", "n3>u1", "n3>u3")
}

// Lists alone find that a nested group has left, and that one is gone, which is proved first.
func TestListsFindNestedGroupsThatWent(t *testing.T) {
	t.Parallel()
	b := journaled(t, nestedLists)
	b.dir.Remove("n1", "n2")
	b.dir.Lose(1)
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "n1-n2")
	b.clock.BlockUntil(1)
	b.dir.DeleteGroup("n1")
	b.dir.Lose(2)
	b.advance(listing)
	b.silent()
	b.advance(vanish)
	var told []string
	for len(told) == 0 {
		told = b.until(event.TypeDirectoryObserved, "").said(t)
	}
	if diff := cmp.Diff([]string{"-n1", "g1-n1"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// What left while nobody looked is found by the lists of the next start, though they are the first.
func TestGroupThatLeftBeforeARestartIsAskedAbout(t *testing.T) {
	t.Parallel()
	b := journaled(t, nestedLists)
	b.halt()
	b.dir.Remove("n1", "n2")
	b.dir.Lose(1)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.advance(listing)
	var told []string
	for !slices.Contains(told, "n1-n2") {
		told = append(told, b.until(event.TypeDirectoryObserved, "").said(t)...)
	}
	b.round()
	b.waitFor(func() bool { return len(b.feeds().Watched) == 2 })
}

// A group of another directory can hold nobody whom we know, and nothing waits for it.
func TestNestedGroupOfAnotherDirectoryHoldsUpNothing(t *testing.T) {
	t.Parallel()
	b := journals(t)
	nestedLists(b.dir)
	b.dir.Foreign = []string{"foreign"}
	b.dir.Nest("n3", "foreign")
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	if got := data[event.RoundEnded](t, b.round().last()); len(got.Unread) > 0 {
		t.Errorf("%q unread", got.Unread)
	}
	b.advance(listing)
	b.clock.BlockUntil(1)
	b.command("c-1", &event.ReadRequested{})
	b.advance(listing)
	b.until(event.TypeRoundEnded, "c-1")
	b.dir.Remove("n3", "foreign")
	b.dir.Lose(1)
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "n3-foreign")
}

// Where we may see no group at all, a nested one is not taken for foreign: who is in it is to be found out.
func TestNestedGroupThatMayNotBeSeenIsUnread(t *testing.T) {
	t.Parallel()
	b := journaled(t, func(d *receivertest.Directory) {
		nestedLists(d)
		d.Remove("n2", "n3")
	})
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Group" || c.Method == "Members" {
			return fmt.Errorf("the right to read groups is gone: %w", receiver.ErrForeign)
		}
		return nil
	}
	b.dir.Nest("n2", "n3")
	b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
	stop := b.passing(time.Second)
	defer stop()
	b.until(event.TypeRoundEnded, "hint-1").says(t, "n2>n3")
	b.waitFor(func() bool { return b.asked("Group", 0) > 3 })
	if diff := cmp.Diff([]string{"n3"}, data[event.RoundEnded](t, b.until(event.TypeRoundEnded, "").last()).Unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

// A user who is back is asked for in the groups that he was in, not in all that are watched.
func TestWhoIsBackIsAskedForWhereHeWas(t *testing.T) {
	t.Parallel()
	b := journaled(t, func(d *receivertest.Directory) {
		nestedLists(d)
		for i := range 100 {
			d.PutGroup(group(fmt.Sprintf("m%d", i), fmt.Sprintf("m%d@contoso.com", i)))
			d.Nest("g1", fmt.Sprintf("m%d", i))
		}
	})
	b.dir.DeleteUser("u1")
	b.hint("hint-1", "user", "u1")
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "-u1")
	b.clock.BlockUntil(1)
	before := len(b.dir.Calls())
	b.dir.PutUser(user("u1"))
	b.dir.Add("g1", "u1")
	b.dir.Add("n3", "u1")
	b.dir.Lose(2)
	b.hint("hint-2", "user", "u1")
	b.until(event.TypeDirectoryObserved, "hint-2").says(t, "u1", "g1>u1", "n3>u1")
	if n := b.asked("Member", before); n != 2 {
		t.Errorf("asked for in %d groups", n)
	}
}

// One nested group that cannot be listed holds up no other, and only itself.
func TestNestedGroupThatCannotBeListedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := journals(t)
	nestedLists(b.dir)
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Members" && c.ID == "n1" {
			return errors.New("not now")
		}
		return nil
	}
	b.dir.Nest("g1", "n3")
	stop := b.passing(time.Second)
	defer stop()
	b.run()
	ended := data[event.SnapshotEnded](t, b.until(event.TypeSnapshotEnded, "").last())
	if diff := cmp.Diff([]string{"g1", "n3"}, ended.Members); diff != "" {
		t.Errorf("members read (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"n1"}, data[event.RoundEnded](t, b.until(event.TypeRoundEnded, "").last()).Unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}
