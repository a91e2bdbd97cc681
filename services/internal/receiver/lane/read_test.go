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

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

func fill(users int) func(*receivertest.Directory) {
	return func(d *receivertest.Directory) {
		for i := range users {
			d.PutUser(user(fmt.Sprintf("u%d", i+1)))
		}
	}
}

func TestConnectReadsEverythingOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.dir.PageSize = 2
	fill(3)(b.dir)
	b.dir.PutGroup(group("g1", address))
	b.dir.PutGroup(group("g2", "other@contoso.com"))
	b.dir.Add("g1", "u1", "u2", "u3")
	b.dir.Add("g2", "u1")
	b.run()
	s := b.until(event.TypeSnapshotEnded, "")
	s.says(t, "u1", "u2", "u3", "g1", "g2", "g1>u1", "g1>u2", "g1>u3")

	ended := data[event.SnapshotEnded](t, s.last())
	want := event.SnapshotEnded{
		Snapshot: ended.Snapshot, Began: s.pages(t)[0].Stamp, Users: true, Groups: true, Members: []string{"g1"}, Pages: 5,
	}
	if diff := cmp.Diff(want, ended); diff != "" {
		t.Errorf("snapshot ended (-want +got):\n%s", diff)
	}
	last := directory.Stamp{}
	for _, page := range s.pages(t) {
		if page.Snapshot != ended.Snapshot || ended.Snapshot == "" {
			t.Errorf("a page is of snapshot %q, want %q", page.Snapshot, ended.Snapshot)
		}
		if page.Stamp.Directory().Compare(last) <= 0 {
			t.Errorf("stamp %+v does not come after %+v", page.Stamp, last)
		}
		last = page.Stamp.Directory()
	}
	b.round().says(t)
	if f := b.feeds(); f.FullAt.IsZero() || f.Users == "" || len(f.Members) != 1 {
		t.Errorf("stored feeds: %+v", f)
	}
}

func TestRestartResumes(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(2))
	b.halt()
	b.dir.PutUser(user("u3"))
	b.stamps.epoch++
	b.run()
	b.until(event.TypeRoundEnded, "").says(t, "u3")
}

func TestAnotherConnectionReadsEverything(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(2))
	b.halt()
	f, revision, err := b.store.LoadFeeds(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	f.Connection = "an earlier one"
	if _, err := b.store.SaveFeeds(t.Context(), "contoso", f, revision); err != nil {
		t.Fatal(err)
	}
	b.run()
	b.until(event.TypeSnapshotEnded, "").says(t, "u1", "u2")
}

func TestRefreshIsASnapshotOfItsCommand(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(2))
	b.command("c-1", nil)
	s := b.until(event.TypeSnapshotEnded, "c-1")
	s.says(t, "u1", "u2")
	if got := data[event.SnapshotEnded](t, s.last()).Snapshot; got != "c-1" {
		t.Errorf("snapshot %q, want the command's id", got)
	}
	b.clock.BlockUntil(1)
	if left, err := b.store.Commands(t.Context(), "contoso"); err != nil || len(left) != 0 {
		t.Errorf("commands left: %v, %v", left, err)
	}
}

func TestRoundsGoBetweenThePagesOfARead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.dir.PageSize = 2
	fill(6)(b.dir)
	pages := 0
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Feed != receiver.UsersFeed || b.feeds().Users == "" || c.Cursor == b.feeds().Users {
			return nil
		}
		if pages++; pages == 2 {
			b.dir.PutUser(user("u9"))
			b.hint("hint-1", "user", "u9")
		}
		return nil
	}
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.command("c-1", nil)
	s := b.until(event.TypeRoundEnded, "hint-1")
	s.says(t, "u1", "u2", "u3", "u4", "u9")
	if p := s.pages(t)[2]; p.Snapshot != "" {
		t.Errorf("the round's page is part of snapshot %q", p.Snapshot)
	}
	b.until(event.TypeSnapshotEnded, "c-1").says(t, "u5", "u6", "u9")
}

// Who joins while everything is read, as a round shows, and has left again before the read comes to that group, is on no page of the
// read, and younger than it.
func TestWhoComesAndGoesWhileEverythingIsReadHasLeft(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) {
		d.PageSize = 2
		fill(6)(d)
		watched(d)
	})
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		switch {
		case c.Cursor != "":
		case c.Feed == receiver.UsersFeed:
			b.dir.Add("g1", "u3")
			b.hint("hint-1", "group", "g1")
		case c.Feed == receiver.GroupsFeed:
			b.dir.Remove("g1", "u3")
		}
		return nil
	}
	b.command("c-1", nil)
	b.until(event.TypeRoundEnded, "hint-1").says(t, "u1", "u2", "g1>u3")
	said := b.until(event.TypeSnapshotEnded, "c-1").said(t)
	if !slices.Contains(said, "g1-u3") {
		t.Errorf("told is %v", said)
	}
}

// A cursor that the provider chokes on is mended by a read of everything, and by nothing else.
func TestAReadReplacesCursorsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(2))
	old := b.feeds().Users
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Feed == receiver.UsersFeed && c.Cursor == old {
			return errors.New("internal error")
		}
		return nil
	}
	b.dir.PutUser(user("u3"))
	b.command("c-1", nil)
	stop := b.passing(time.Second)
	b.until(event.TypeSnapshotEnded, "c-1").says(t, "u1", "u2", "u3")
	stop()
}

func TestAReadThatFailsEndsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fill(2)(b.dir)
	failures := 0
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Feed == receiver.GroupsFeed && failures < 5 { // one read's patience, and one more
			failures++
			return errors.New("down")
		}
		return nil
	}
	b.run()
	for range 5 {
		b.advance(poll)
	}
	s := b.until(event.TypeSnapshotEnded, "")
	s.says(t, "u1", "u2", "u1", "u2")
	ended := data[event.SnapshotEnded](t, s.last())
	if first := s.pages(t)[0]; first.Stamp.Directory().Compare(ended.Began.Directory()) >= 0 || ended.Pages != 1 {
		t.Errorf("the snapshot that ended counts pages of the one that failed: %+v", ended)
	}
}

func TestExpiredCursorIsReadBesideTheOld(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(2))
	b.dir.PutUser(user("u3"))
	b.dir.Expire()
	b.hint("hint-1", "user", "u3")
	b.until(event.TypeSnapshotEnded, "").says(t, "u1", "u2", "u3")
	b.until(event.TypeRoundEnded, "hint-1") // the mark outlives the round that could not read everything
	b.clock.BlockUntil(1)
	if m := b.mark(); m != nil {
		t.Errorf("the mark is still there: %+v", m)
	}
}

func TestEndlessFeedIsLeft(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(2))
	endless := true
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Feed == receiver.UsersFeed && c.Cursor != "" && endless {
			p.More, p.Cursor = true, c.Cursor
		}
	}
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Cursor == "" { // the read that follows
			endless = false
		}
		return nil
	}
	b.dir.PutUser(user("u3"))
	b.advance(poll)
	s := b.until(event.TypeSnapshotEnded, "")
	if got := s.said(t); len(got) < 3 || strings.Join(got[len(got)-3:], " ") != "u1 u2 u3" {
		t.Errorf("told %v, want everything at the end", got)
	}
}

func TestBigPagesAreSplit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.dir.PageSize = 3000
	for i := range 3000 {
		u := user(fmt.Sprintf("u%04d", i))
		u.Addresses = append(u.Addresses, strings.Repeat("a", 100)+"@contoso.com")
		b.dir.PutUser(u)
	}
	b.run()
	s := b.until(event.TypeSnapshotEnded, "")
	if n := len(s.said(t)); n != 3000 {
		t.Errorf("%d users told, want 3000", n)
	}
	if pages := s.pages(t); len(pages) < 2 || data[event.SnapshotEnded](t, s.last()).Pages != len(pages) {
		t.Errorf("%d pages", len(pages))
	}
	for _, m := range s {
		if len(m.Body) > 256<<10 {
			t.Errorf("an event of %d bytes", len(m.Body))
		}
	}
}

func TestSetAsideIsReadAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fill(2)(b.dir)
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Feed == receiver.UsersFeed && c.Cursor == "" {
			p.SetAside = []string{"u7", "u8"}
		}
	}
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "User" && c.ID == "u8" {
			return errors.New("still odd")
		}
		return nil
	}
	b.run()
	s := b.until(event.TypeSnapshotEnded, "")
	s.says(t, "u1", "u2", "-u7")
	if ended := data[event.SnapshotEnded](t, s.last()); !cmp.Equal(ended.SetAside, []string{"u8"}) {
		t.Errorf("set aside %v, want u8", ended.SetAside)
	}
	b.clock.BlockUntil(1)
	b.dir.Intercept = nil
	b.round().says(t, "-u8") // and tried again by the polls
	b.round().says(t)
}

func TestUnclearMembershipsAreAsked(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) {
		d.PutGroup(group("g1", address))
		d.Add("g1", "u1")
	})
	b.dir.Add("g1", "u2")
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Feed == receiver.MembersFeed && len(p.Observations) > 0 {
			p.Observations = nil
			for _, id := range []string{"u1", "u2", "u3"} {
				p.Unclear = append(p.Unclear, directory.Membership{GroupID: "g1", Kind: directory.UserMember, ID: id})
			}
		}
	}
	b.round().says(t, "g1>u1", "g1>u2", "g1-u3")
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Feed == receiver.MembersFeed && len(p.Observations) > 0 {
			p.Observations, p.Unclear = nil, []directory.Membership{{GroupID: "g1"}} // nobody knows who
			b.dir.Edit = nil
		}
	}
	b.dir.Remove("g1", "u1")
	b.round().says(t, "g1>u2")
	s := b.until(event.TypeSnapshotEnded, "")
	s.says(t, "g1>u2")
	if ended := data[event.SnapshotEnded](t, s.last()); !cmp.Equal(ended.Members, []string{"g1"}) || ended.Users || ended.Groups {
		t.Errorf("the group is not read anew: %+v", ended)
	}
}

// Pages of members that lead back to an earlier one are left, and nobody is missing because of them.
func TestMembersInACircleAreLeft(t *testing.T) {
	t.Parallel()
	b := journals(t)
	b.dir.PageSize = 2
	sixMembers(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	var circling atomic.Bool
	circling.Store(true)
	var longest, pages atomic.Int64 // of a pass
	b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
		if c.Method != "Members" {
			return
		}
		if c.Cursor == "" {
			pages.Store(0)
		}
		longest.Store(max(longest.Load(), pages.Add(1)))
		if c.Cursor == "4" && circling.Load() { // the last page leads to the one before it
			p.Observations, p.More, p.Cursor = nil, true, "2"
		}
	}
	stop := b.passing(time.Second)
	b.waitFor(func() bool { return gathered(t, b, "rollcall_sync_errors_total", "list") > 2 })
	circling.Store(false)
	b.dir.Add("g1", "u7")
	b.dir.Lose(1)
	b.until(event.TypeDirectoryObserved, "").says(t, "g1>u7")
	stop()
	if n := longest.Load(); n > 4 {
		t.Errorf("%d pages were asked for in one pass over a circle of two", n)
	}
}

// gathered is the value of a counter, of one kind.
func gathered(t *testing.T, b *bench, name, kind string) (sum float64) {
	t.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == kind {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}
