package lane_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// nested is the provisioning group g1 with groups in it three levels deep, of which the last holds the first again.
func nested(d *receivertest.Directory) {
	watched(d)
	for _, id := range []string{"n1", "n2", "n3", "other"} {
		d.PutGroup(group(id, id+"@contoso.com"))
		d.Add(id, "u-"+id)
	}
	d.Nest("g1", "n1")
	d.Nest("n1", "n2")
	d.Nest("n2", "n3")
	d.Nest("n3", "n1", "g1")
	d.Nest("other", "n1") // which makes nobody's concern of it
}

func TestNestedGroupsAreReadInTheSameSnapshot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nested(b.dir)
	b.run()
	s := b.until(event.TypeSnapshotEnded, "")
	s.says(t, "g1", "n1", "n2", "n3", "other", "g1>n1", "g1>u1", "g1>u2", "n1>n2", "n1>u-n1", "n2>n3", "n2>u-n2", "n3>g1", "n3>n1", "n3>u-n3")
	ended := data[event.SnapshotEnded](t, s.last())
	if diff := cmp.Diff([]string{"g1", "n1", "n2", "n3"}, ended.Members); diff != "" {
		t.Errorf("members read (-want +got):\n%s", diff)
	}
	if got := b.roundOf(""); len(got.Unread)+len(got.Vanishing) > 0 {
		t.Errorf("round ended %+v", got)
	}
}

// The change costs what one in the provisioning group does: the feeds of users, groups and members.
func TestChangeThreeLevelsDownIsReadInOneRound(t *testing.T) {
	t.Parallel()
	b := connected(t, nested)
	b.waitFor(func() bool { return len(b.feeds().Members) == 1 }) // they are put together first
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	before := len(b.dir.Calls())
	b.dir.Add("n3", "u9")
	b.hint("hint-1", "group", "n3")
	b.until(event.TypeRoundEnded, "hint-1").says(t, "n3>u9")
	if n := len(b.dir.Calls()) - before; n != 3 {
		t.Errorf("%d requests: %v", n, b.dir.Calls()[before:])
	}
}

func TestGroupThatIsNestedLaterIsReadCompletely(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) {
		nested(d)
		d.Remove("g1", "n1")
	})
	for range 2 {
		b.dir.Nest("g1", "n1")
		b.hint("hint-1", "group", "g1")
		s := b.until(event.TypeRoundEnded, "hint-1")
		s.says(t, "g1>n1")
		if diff := cmp.Diff([]string{"n1"}, data[event.RoundEnded](t, s.last()).Unread); diff != "" {
			t.Errorf("unread (-want +got):\n%s", diff)
		}
		s = b.until(event.TypeSnapshotEnded, "hint-1")
		s.says(t, "n1>n2", "n1>u-n1", "n2>n3", "n2>u-n2", "n3>g1", "n3>n1", "n3>u-n3")
		if diff := cmp.Diff([]string{"n1", "n2", "n3"}, data[event.SnapshotEnded](t, s.last()).Members); diff != "" {
			t.Errorf("members read (-want +got):\n%s", diff)
		}
		b.until(event.TypeSnapshotEnded, "") // the feeds are put together
		b.dir.Remove("g1", "n1")             // which leaves the three in a circle
		b.hint("hint-2", "group", "g1")
		b.until(event.TypeRoundEnded, "hint-2").says(t, "g1-n1")
		b.dir.Add("n1", "u8")
		b.hint("hint-3", "group", "n1")
		b.until(event.TypeRoundEnded, "hint-3").says(t)
		b.dir.Remove("n1", "u8")
		b.round().says(t)
		if f := b.feeds(); len(f.Watched) != 1 || len(f.Inside) != 0 {
			t.Errorf("stored: watched %v, inside %v", f.Watched, f.Inside)
		}
	}
}

// Nobody loses a license because one read says that a nested group is gone (design, §10.2).
func TestVanishedNestedGroupIsProved(t *testing.T) {
	t.Parallel()
	b := connected(t, nested)
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.dir.DeleteGroup("n2") // whose members go, it from n1, and then the group itself
	b.hint("hint-1", "group", "n2")
	s := b.until(event.TypeRoundEnded, "hint-1")
	s.says(t)
	if diff := cmp.Diff([]string{"n2"}, data[event.RoundEnded](t, s.last()).Vanishing); diff != "" {
		t.Errorf("vanishing (-want +got):\n%s", diff)
	}
	b.advance(vanish - 1)
	b.silent()
	b.halt() // what is held back outlives a restart
	b.cfg.Poll = 0
	b.run()
	b.advance(1)
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "-n2", "n1-n2")
	b.waitFor(func() bool { return len(b.feeds().Watched) == 2 }) // n3 is out of reach
	b.sentinel()
}

func TestNestedGroupThatLivesIsReadAnewWithWhatHoldsIt(t *testing.T) {
	t.Parallel()
	b := connected(t, nested)
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	said := 0
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		switch { // a replica that is wrong
		case said == 0 && c.Feed == receiver.MembersFeed:
			said++
			left := event.Membership{GroupID: "n1", MemberKind: "group", MemberID: "n2"}
			m, err := left.Directory()
			if err != nil {
				t.Error(err)
			}
			p.Observations = append(observed(m), gone("n2"))
		}
	}
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Group" {
			return errors.New("down")
		}
		return nil
	}
	b.hint("hint-1", "group", "n2")
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.dir.Remove("n1", "u-n1") // told by the feed that goes on
	b.dir.Remove("n2", "u-n2") // held back
	b.round().says(t, "n1-u-n1")
	b.waitFor(func() bool { return b.asked("Group", 0) == 2 }) // after the hint's round, and after this one
	b.clock.BlockUntil(1)
	b.dir.Intercept = nil
	b.advance(vanish) // it is seen,
	b.advance(vanish) // and seen again
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "n2")
	s := b.until(event.TypeSnapshotEnded, "")
	words := s.said(t)
	if diff := cmp.Diff([]string{"n1", "n2"}, data[event.SnapshotEnded](t, s.last()).Members); diff != "" {
		t.Errorf("members read anew (-want +got):\n%s", diff)
	}
	if !slices.Contains(words, "n1>n2") || slices.Contains(words, "n2>u-n2") {
		t.Errorf("told %v", words)
	}
}

func observed(m ...directory.Membership) []directory.Observation {
	seen := make([]directory.Observation, len(m))
	for i := range m {
		seen[i].Membership = &m[i]
	}
	return seen
}

// What only the end of a group could take out of another is told at once when the group is there.
func TestNestedGroupThatLeavesCostsOneMoreRequest(t *testing.T) {
	t.Parallel()
	b := connected(t, nested)
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	before := len(b.dir.Calls())
	b.dir.Remove("n2", "n3")
	b.dir.Remove("n2", "u-n2")
	b.hint("hint-1", "group", "n2")
	b.until(event.TypeRoundEnded, "hint-1").says(t, "n2-n3", "n2-u-n2")
	if n := len(b.dir.Calls()) - before; n != 4 || b.asked("Group", before) != 1 {
		t.Errorf("%d requests: %v", n, b.dir.Calls()[before:])
	}
}

// A group of which nothing can be found out holds up nothing else, and is not told to have left.
func TestLeaverThatCannotBeReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := connected(t, nested)
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Group" {
			return errors.New("it is always 500 for this one")
		}
		return nil
	}
	b.dir.Remove("n2", "n3")
	b.dir.Add("n2", "u9")
	b.hint("hint-1", "group", "n2")
	stop := b.passing(poll)
	s := b.until(event.TypeRoundEnded, "hint-1")
	stop()
	if words := s.said(t); slices.Contains(words, "n2-n3") || !slices.Contains(words, "n2>u9") {
		t.Errorf("told %v", words)
	}
}

// One group of which nothing can be found out does not keep another from being proved gone.
func TestProofThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := connected(t, nested)
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Group" && c.ID == "n1" {
			return errors.New("it is always 500 for this one")
		}
		return nil
	}
	b.dir.DeleteGroup("n1")
	b.dir.DeleteGroup("n3")
	b.round().says(t)
	stop := b.passing(time.Second)
	defer stop()
	b.until(event.TypeDirectoryObserved, "").says(t, "-n3", "n2-n3")
}

// A group that is nested while everything is read does not wait for the end of it.
func TestGroupNestedDuringACompleteReadIsReadAtOnce(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) {
		d.PageSize = 2
		fill(20)(d)
		nested(d)
		d.Remove("g1", "n1")
	})
	pages := 0
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if strings.Contains(c.Cursor, "true") && c.Feed == receiver.UsersFeed {
			if pages++; pages == 2 {
				b.dir.Nest("g1", "n1")
				b.hint("hint-1", "group", "g1")
			}
		}
		return nil
	}
	b.command("c-1", nil)
	s := b.until(event.TypeSnapshotEnded, "hint-1")
	if diff := cmp.Diff([]string{"n1", "n2", "n3"}, data[event.SnapshotEnded](t, s.last()).Members); diff != "" {
		t.Errorf("members read (-want +got):\n%s", diff)
	}
	ended := data[event.SnapshotEnded](t, b.until(event.TypeSnapshotEnded, "c-1").last())
	if diff := cmp.Diff([]string{"g1", "n1", "n2", "n3"}, ended.Members); diff != "" {
		t.Errorf("members read by the complete read (-want +got):\n%s", diff)
	}
	b.dir.Add("n3", "u20")
	b.hint("hint-2", "group", "n3")
	b.until(event.TypeRoundEnded, "hint-2").says(t, "n3>u20")
}
