package lane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

func sixMembers(d *receivertest.Directory) {
	d.PutGroup(group("g1", address))
	for i := range 6 {
		d.PutUser(user(fmt.Sprintf("u%d", i+1)))
		d.Add("g1", fmt.Sprintf("u%d", i+1))
	}
}

func emptied(d *receivertest.Directory) {
	for i := range 6 {
		d.Remove("g1", fmt.Sprintf("u%d", i+1))
	}
	d.Lose(6)
}

// Where the provider says of each member that it has left, the group is empty.
func TestGroupThatShrinksToNothing(t *testing.T) {
	t.Parallel()
	b := journaled(t, sixMembers)
	emptied(b.dir)
	b.advance(listing)
	var told []string
	for len(told) < 6 {
		told = append(told, b.until(event.TypeDirectoryObserved, "").said(t)...)
	}
	if diff := cmp.Diff([]string{"g1-u1", "g1-u2", "g1-u3", "g1-u4", "g1-u5", "g1-u6"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Where only lists tell, an empty one proves nothing against many: we may not be allowed to see them.
func TestSuspiciouslyEmptyListsRemoveNobody(t *testing.T) {
	t.Parallel()
	b := journals(t)
	b.dir.ListsOnly = true
	sixMembers(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	emptied(b.dir)
	for range 4 {
		b.advance(listing)
		b.clock.BlockUntil(1)
	}
	b.silent()
}

// A proof that fails removes nobody, and holds up neither the others nor the list.
func TestMembersThatCannotBeAskedAboutStay(t *testing.T) {
	t.Parallel()
	b := journaled(t, sixMembers)
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Member" && c.Cursor != "u6" {
			return errors.New("not authorized")
		}
		return nil
	}
	b.dir.Remove("g1", "u2")
	b.dir.Remove("g1", "u6")
	b.dir.Lose(2)
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "g1-u6")
	b.dir.Add("g1", "u7")
	b.dir.Lose(1)
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "g1>u7")
}

// One group that cannot be listed holds up no other.
func TestListThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := journals(t)
	b.dir.PutGroup(group("g0", address))
	sixMembers(b.dir)
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Members" && c.ID == "g0" {
			return errors.New("not authorized")
		}
		return nil
	}
	stop := b.passing(time.Second)
	b.run()
	ended := data[event.SnapshotEnded](t, b.until(event.TypeSnapshotEnded, "").last())
	if diff := cmp.Diff([]string{"g1"}, ended.Members); diff != "" {
		t.Errorf("members read (-want +got):\n%s", diff)
	}
	b.dir.Add("g1", "u7")
	b.dir.Lose(1)
	var told []string
	var unread []string
	for deadline := time.After(patience); !slices.Contains(told, "g1>u7") || len(unread) == 0; {
		select {
		case m := <-b.told:
			told = append(told, story{m}.said(t)...)
			if m.Event.Type() == event.TypeRoundEnded {
				unread = data[event.RoundEnded](t, m.Event).Unread
			}
		case <-deadline:
			t.Fatalf("told %v, unread %v", told, unread)
		}
	}
	stop()
	if diff := cmp.Diff([]string{"g0"}, unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
}

func TestAgesOfLists(t *testing.T) {
	t.Parallel()
	b := journaled(t, watched)
	for range 2 {
		b.advance(listing)
		b.clock.BlockUntil(1)
	}
	want := `
# HELP rollcall_members_list_interval_seconds Longest time between the begins of the last two complete lists of a watched group's members.
# TYPE rollcall_members_list_interval_seconds gauge
rollcall_members_list_interval_seconds{provider="entra",tenant="contoso"} 5
`
	b.waitFor(func() bool {
		return testutil.GatherAndCompare(b.metrics, strings.NewReader(want), "rollcall_members_list_interval_seconds") == nil
	})
	if n, err := testutil.GatherAndCount(b.metrics, "rollcall_members_list_age_seconds"); n != 1 || err != nil {
		t.Errorf("%d ages, %v", n, err)
	}
}
