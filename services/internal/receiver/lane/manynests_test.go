package lane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

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
