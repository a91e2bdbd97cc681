package lane_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// Groups that are nested one after the other end up in few feeds, and the large group is not read again for it.
func TestFeedsOfFewGroupsArePutTogether(t *testing.T) {
	t.Parallel()
	const groups = 30
	b := setup(t)
	b.dir.PutGroup(group("g1", address))
	for i := range 900 {
		b.dir.Add("g1", fmt.Sprintf("u%d", i))
	}
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	before := len(b.dir.Calls())
	for i := range groups {
		id := fmt.Sprintf("n%02d", i)
		b.dir.PutGroup(group(id))
		b.dir.Add(id, "u1")
		b.dir.Nest("g1", id)
		b.round()
		b.waitFor(func() bool { _, watched := b.feeds().Watched[id]; return watched && len(b.unfed()) == 0 })
		b.clock.BlockUntil(1)
	}
	if n := len(b.feeds().Members); n > 4 {
		t.Errorf("%d feeds of %d groups", n, groups+1)
	}
	baselines := 0
	for _, c := range b.dir.Calls()[before:] {
		if c.Feed == receiver.MembersFeed && c.Cursor == "" {
			baselines++
			if slices.Contains(strings.Split(c.ID, ","), "g1") {
				t.Errorf("the provisioning group was read again with %s", c.ID)
			}
		}
	}
	if baselines > 2*groups {
		t.Errorf("%d feeds were begun for %d groups", baselines, groups)
	}
}

// unfed returns the stored groups that no stored feed follows.
func (b *bench) unfed() (ids []string) {
	f := b.feeds()
	for id := range f.Watched {
		if !slices.ContainsFunc(f.Members, func(m state.MembersFeed) bool { return slices.Contains(m.Groups, id) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// What an earlier version stored knows of no nested groups: the members are read anew, as their feeds would not show them.
func TestFeedsOfAnEarlierVersionAreReadAnew(t *testing.T) {
	t.Parallel()
	b := connected(t, nested)
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	b.halt()
	f, revision, err := b.store.LoadFeeds(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	f.Inside, f.Watched = nil, map[string]state.Watch{"g1": f.Watched["g1"]}
	f.Members = []state.MembersFeed{{Groups: []string{"g1"}, Cursor: f.Members[0].Cursor}}
	if _, err := b.store.SaveFeeds(t.Context(), "contoso", f, revision); err != nil {
		t.Fatal(err)
	}
	b.run()
	ended := data[event.SnapshotEnded](t, b.until(event.TypeSnapshotEnded, "").last())
	if diff := cmp.Diff([]string{"g1", "n1", "n2", "n3"}, ended.Members); diff != "" {
		t.Errorf("members read (-want +got):\n%s", diff)
	}
}

// A thousand nested groups are followed by some twenty feeds, and all that is stored of them is far from what one message
// may be.
func TestAThousandNestedGroups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := "00000000-0000-4000-8000-000000000000"
	b.dir.PutGroup(group(root, address))
	last := root
	for i := range 1000 {
		id := fmt.Sprintf("%08x-0000-4000-8000-%012x", i+1, i)
		b.dir.PutGroup(group(id, fmt.Sprintf("a-rather-long-address-of-group-%d@contoso.com", i)))
		b.dir.Add(id, fmt.Sprintf("u%d", i))
		if b.dir.Nest(last, id); i%3 == 0 {
			last = id // a chain of 333, with two more groups at each link
		}
	}
	b.run()
	ended := data[event.SnapshotEnded](t, b.until(event.TypeSnapshotEnded, "").last())
	if len(ended.Members) != 1001 {
		t.Errorf("%d groups read", len(ended.Members))
	}
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	f := b.feeds()
	body, err := json.Marshal(f)
	t.Logf("%d feeds, %d bytes", len(f.Members), len(body))
	if err != nil || len(f.Members) > 24 || len(body) > 256<<10 {
		t.Errorf("%d feeds, %d bytes stored, %v", len(f.Members), len(body), err)
	}
	before := len(b.dir.Calls())
	b.dir.Add(last, "u9")
	b.hint("hint-1", "group", last)
	b.until(event.TypeRoundEnded, "hint-1").says(t, last+">u9")
	if n := len(b.dir.Calls()) - before; n != 2+len(f.Members) {
		t.Errorf("%d requests in a round of %d feeds", n, len(f.Members))
	}
	if c := b.dir.Calls()[before+1]; !strings.Contains(c.ID, last) {
		t.Errorf("the group that was hinted comes behind others: %v", b.dir.Calls()[before:])
	}
}

// Those beyond what can be followed keep the provisioning group from counting as read: who is in them is not known.
func TestMoreNestedGroupsThanCanBeFollowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	watched(b.dir)
	for i := range 2001 {
		b.dir.PutGroup(group(fmt.Sprintf("n%04d", i)))
		b.dir.Nest("g1", fmt.Sprintf("n%04d", i))
	}
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	if diff := cmp.Diff([]string{"g1"}, b.roundOf("").Unread); diff != "" {
		t.Errorf("unread (-want +got):\n%s", diff)
	}
	b.dir.Remove("g1", "n0007")
	b.hint("hint-1", "group", "g1")
	b.roundOf("hint-1")
	b.hint("hint-2", "group", "g1")
	b.waitFor(func() bool { _, watched := b.feeds().Watched["n2000"]; return watched })
	if got := b.roundOf("hint-2").Unread; len(got) > 0 {
		t.Errorf("%q unread when all can be followed", got)
	}
}
