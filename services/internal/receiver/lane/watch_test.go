package lane_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func watched(d *receivertest.Directory) {
	d.PutGroup(group("g1", "main@contoso.com", address)) // an alias counts
	d.Add("g1", "u1", "u2")
}

// baseline takes what is told of a newly watched group.
func (b *bench) baseline(cause, id string, members ...string) {
	b.t.Helper()
	s := b.until(event.TypeSnapshotEnded, cause)
	s.says(b.t, members...)
	ended := data[event.SnapshotEnded](b.t, s.last())
	want := event.SnapshotEnded{Snapshot: ended.Snapshot, Began: ended.Began, Members: []string{id}, Pages: len(s.pages(b.t))}
	if diff := cmp.Diff(want, ended); diff != "" {
		b.t.Errorf("baseline ended (-want +got):\n%s", diff)
	}
}

func TestGroupThatAppearsIsReadCompletely(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	watched(b.dir)
	b.hint("hint-1", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-1").says(t, "g1")
	b.baseline("hint-1", "g1", "g1>u1", "g1>u2")
	b.dir.Remove("g1", "u2")
	b.hint("hint-2", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-2").says(t, "g1-u2")
}

func TestMembersOfOtherGroupsAreNotTold(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.PutGroup(group("g2", "other@contoso.com"))
	b.dir.Add("g2", "u1")
	b.round().says(t, "g2")
	b.dir.DeleteGroup("g2")
	b.round().says(t, "-g2") // at once: nothing hangs on it
}

func TestRenamedGroupIsWatchedNoMore(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.PutGroup(group("g1", "main@contoso.com"))
	b.round().says(t, "g1")
	b.dir.Add("g1", "u3")
	b.round().says(t)
	b.dir.PutGroup(group("g1", address))
	b.round().says(t, "g1")
	b.baseline("", "g1", "g1>u1", "g1>u2", "g1>u3")
}

// Nobody loses a license because one read says that the group is gone (design, §10.2).
func TestVanishedGroupIsProved(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.DeleteGroup("g1")
	b.hint("hint-1", "group", "g1")
	s := b.until(event.TypeRoundEnded, "hint-1")
	s.says(t)
	if ended := data[event.RoundEnded](t, s.last()); !slices.Equal(ended.Vanishing, []string{"g1"}) {
		t.Errorf("the round says that %q are vanishing, want g1: it must not come to count meanwhile", ended.Vanishing)
	}
	b.advance(vanish - 1)
	b.silent()
	b.halt() // that the proof has begun outlives a restart
	b.cfg.Poll = 0
	b.run()
	b.advance(1)
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "-g1")
	b.waitFor(func() bool { return len(b.feeds().Watched) == 0 })
}

func TestVanishedGroupThatLivesIsReadAnew(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.DeleteGroup("g1")
	b.hint("hint-1", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.silent()
	b.dir.Hold()
	watched(b.dir) // restored, before the second read
	b.dir.Remove("g1", "u2")
	b.advance(vanish) // one read may be of a replica that lags
	b.advance(vanish)
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "g1")
	b.baseline("", "g1", "g1>u1") // u2 is a candidate now, as its removal was held back
}

func TestVanishedGroupThatIsStillFoundStays(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Feed == receiver.GroupsFeed {
			p.Observations = append(p.Observations, gone("g1"))
			b.dir.Edit = nil
		}
	}
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Group" {
			return errors.New("forbidden")
		}
		return nil
	}
	b.round().says(t)
	b.advance(vanish) // a read that fails proves nothing
	b.advance(vanish)
	b.until(event.TypeRoundEnded, "").says(t)
	b.clock.BlockUntil(1)
	b.dir.Intercept = nil
	b.advance(vanish)
	b.advance(vanish)
	b.until(event.TypeDirectoryObserved, "").says(t, "g1")
}

// It may be restored between the second read and the lookup; or a replica knows nothing of it, and another one does.
func TestVanishedGroupThatItsAddressFindsStays(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.DeleteGroup("g1")
	b.hint("hint-1", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.silent()
	b.dir.Hold()
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "GroupsAt" {
			b.dir.Intercept = nil
			watched(b.dir)
		}
		return nil
	}
	for range 4 {
		b.advance(vanish)
	}
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "g1")
	b.baseline("", "g1", "g1>u1", "g1>u2")
}

func TestSuccessorComesWithTheEndOfTheFirst(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.DeleteGroup("g1")
	b.hint("hint-1", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.silent()
	b.dir.PutGroup(group("g2", address))
	b.dir.Add("g2", "u1")
	b.dir.Hold()
	b.advance(vanish)
	s := b.until(event.TypeDirectoryObserved, "hint-1")
	s.says(t, "g2", "-g1") // one event: the address never has two groups, nor none
	b.baseline("hint-1", "g2", "g2>u1")
}

func TestNewProductFindsItsGroup(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) {
		d.PutGroup(group("g1", address))
		d.PutGroup(group("g2", "second-group@contoso.com"))
		d.Add("g2", "u1")
	})
	b.halt()
	b.cfg.Poll = 0
	who := contoso()
	who.Products = append(who.Products, tenant.Product{ID: "second", Group: "second-group"})
	b.runAs(who)
	b.until(event.TypeDirectoryObserved, "").says(t, "g2")
	b.baseline("", "g2", "g2>u1")
	b.waitFor(func() bool { return len(b.feeds().Members) == 2 })
	b.halt()
	who.Products = who.Products[1:]
	b.runAs(who)
	b.waitFor(func() bool { return len(b.feeds().Members) == 1 })
	if f := b.feeds(); len(f.Watched) != 1 || f.Members[0].Groups[0] != "g2" {
		t.Errorf("the dropped product's group is still watched: %+v", f)
	}
}
