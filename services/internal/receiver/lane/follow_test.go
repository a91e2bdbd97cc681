package lane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// Whatever happens to a directory, in whatever order, and however late and badly it is told: in the end the ledger holds
// exactly what is there, nested groups and all, and on the way nobody was told to have left who had not (see stepped.take).
func TestLedgerFollowsADirectoryThatOnlyNamesItsChanges(t *testing.T) {
	t.Parallel()
	followed(t, receiver.Traits{Journals: true, MaxFeedGroups: 1, PerMinute: 2400})
}

// The same where feeds show the changes, of a few groups' members each.
func TestLedgerFollowsADirectoryThatFeedsItsChanges(t *testing.T) {
	t.Parallel()
	followed(t, receiver.Traits{MemberFeeds: true, MaxFeedGroups: 3})
}

func followed(t *testing.T, traits receiver.Traits) {
	t.Helper()
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketCursors)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		w := &world{stepped: newStepped(rt, kv, fmt.Sprintf("contoso-%d", runs), traits), ctx: t.Context()}
		for range 6 {
			w.change()
		}
		w.start()
		w.steps(w.ctx, time.Second)
		w.dir.Intercept = w.meddle
		for range rapid.IntRange(5, 40).Draw(rt, "events") {
			w.event()
		}
		w.calm()
		w.compare()
	})
}

// world is what happens around a lane.
type world struct {
	*stepped
	ctx     context.Context
	failing int // requests that will fail
	quiet   bool
}

// event is one thing that happens.
func (w *world) event() {
	switch kind := rapid.IntRange(0, 19).Draw(w.t, "event"); kind {
	case 0:
		w.start() // a crash: what was only in memory is gone
	case 1:
		w.failing = rapid.IntRange(1, 8).Draw(w.t, "failures")
	case 2:
		w.dir.Hold()
	case 3:
		w.dir.Release()
		if !w.traits.Journals && rapid.Bool().Draw(w.t, "expire") {
			w.dir.Expire()
		}
	case 4, 5, 6, 7:
		w.steps(w.ctx, time.Duration(rapid.IntRange(1, 90).Draw(w.t, "seconds"))*time.Second)
	default:
		w.change()
		if rapid.Bool().Draw(w.t, "work") {
			w.steps(w.ctx, time.Duration(rapid.IntRange(0, 3).Draw(w.t, "seconds"))*time.Second)
		}
	}
}

// meddle makes requests fail, and things happen between those of one piece of work.
func (w *world) meddle(_ context.Context, c receivertest.Call) error {
	if w.quiet {
		return nil
	}
	if w.failing > 0 {
		w.failing--
		return rapid.SampledFrom([]error{
			errors.New("503"), receiver.ErrThrottled{After: 2 * time.Second}, fmt.Errorf("token: %w", errOf(c)),
		}).Draw(w.t, "failure")
	}
	if rapid.IntRange(0, 7).Draw(w.t, "meddle") == 0 {
		w.change()
	}
	return nil
}

func errOf(c receivertest.Call) error {
	if c.Method == "Members" && c.Cursor != "" {
		return receiver.ErrCursorExpired
	}
	return errors.New("502")
}

// change changes the directory. Journals and pushes tell of it, once, twice, late or never; of what no list and no lookup
// shows, at least one of them does.
func (w *world) change() {
	u := fmt.Sprintf("u%d", rapid.IntRange(1, 9).Draw(w.t, "user"))
	g := fmt.Sprintf("g%d", rapid.IntRange(1, 2).Draw(w.t, "group"))
	resource, id, before := "", "", w.dir.Changed()
	switch rapid.IntRange(0, 17).Draw(w.t, "change") {
	case 0:
		w.dir.DeleteUser(u)
		resource, id = "user", u
	case 1, 2:
		w.putUser(u)
		resource, id = "user", u
	case 3:
		w.deleteGroup(g)
	case 4:
		w.dir.PutGroup(directory.Group{ID: g, Addresses: []string{elsewhere}, Kind: directory.WorkspaceGroup})
	case 5, 6:
		w.dir.PutGroup(directory.Group{ID: g, Addresses: []string{provisioning}, Kind: directory.WorkspaceGroup})
	case 7:
		w.deleteGroup(w.anyGroup())
	case 8, 9:
		n := fmt.Sprintf("n%d", rapid.IntRange(1, 4).Draw(w.t, "nested"))
		w.dir.PutGroup(directory.Group{ID: n, Addresses: []string{n + "@contoso.com"}, Kind: directory.WorkspaceGroup})
	case 10, 11:
		w.join(w.anyGroup(), w.anyGroup(), w.dir.Nest)
	case 12:
		w.dir.Remove(w.anyGroup(), w.anyGroup())
	case 13, 14:
		w.dir.Remove(w.anyGroup(), u)
	default:
		w.join(w.anyGroup(), u, w.dir.Add)
	}
	w.tell(resource, id, before)
}

func (w *world) putUser(u string) {
	name := fmt.Sprintf("%s-%d", rapid.SampledFrom([]string{"a", "m", "z"}).Draw(w.t, "name"), rapid.IntRange(0, 9).Draw(w.t, "n"))
	users, _ := w.dir.Truth()
	addresses := []string{name + u + "@contoso.com"} // those that it had stay aliases, as at providers
	for _, old := range users[u].Addresses {
		if !slices.Contains(addresses, old) {
			addresses = append(addresses, old)
		}
	}
	w.dir.PutUser(directory.User{ID: u, Addresses: addresses, Status: directory.Active})
}

// anyGroup is one that may be there.
func (w *world) anyGroup() string {
	return rapid.SampledFrom([]string{"g1", "g2", "n1", "n2", "n3", "n4"}).Draw(w.t, "of groups")
}

// deleteGroup deletes a group that is there.
func (w *world) deleteGroup(g string) {
	if _, there := w.dirGroups()[g]; there {
		w.dir.DeleteGroup(g)
	}
}

// join makes something a member of a group. Groups are there.
func (w *world) join(group, member string, add func(string, ...string)) {
	groups := w.dirGroups()
	_, there := groups[group]
	if _, known := groups[member]; there && (known || member[0] == 'u') {
		add(group, member)
	}
}

func (w *world) tell(resource, id string, before int) {
	now := w.dir.Changed()
	pushed := rapid.Bool().Draw(w.t, "pushed")
	if lost := rapid.IntRange(0, 3).Draw(w.t, "lost") == 0; w.traits.Journals && lost && (id == "" || pushed) {
		w.dir.Lose(now - before)
	}
	if !pushed || w.lane == nil {
		return
	}
	switch {
	case id != "":
	case w.traits.Journals:
		resource, id = "activity", receivertest.Activity(max(0, now-1))
	default:
		resource, id = "group", w.anyGroup()
	}
	for range rapid.IntRange(1, 2).Draw(w.t, "copies") {
		w.seq++
		err := w.lane.Hint(w.ctx, state.Mark{Cause: fmt.Sprintf("hint-%d", w.seq), At: w.clock.now, Resource: resource, ID: id})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) dirGroups() map[string][]string {
	_, groups := w.dir.Truth()
	return groups
}

// calm lets everything come to its end: nothing happens any more, and a read of everything finds what only that can.
func (w *world) calm() {
	w.quiet, w.failing = true, 0
	w.dir.Release()
	w.steps(w.ctx, 15*time.Minute)
	for w.unproven {
		w.unproven = false
		w.seq++
		if err := w.lane.Command(w.ctx, state.Command{Sequence: w.seq, ID: fmt.Sprintf("refresh-%d", w.seq)}); err != nil {
			w.t.Fatal(err)
		}
		w.steps(w.ctx, time.Minute)
	}
}

func (w *world) compare() {
	users, members := w.dir.Truth()
	for id, u := range users {
		if diff := cmp.Diff(u, w.users[id].value); diff != "" {
			w.t.Fatalf("user %s (-there +told):\n%s", id, diff)
		}
	}
	for id, u := range w.users {
		if _, there := users[id]; !there && u.value.Status != directory.Deleted {
			w.t.Fatalf("user %s is gone, and told to be %s", id, u.value.Status)
		}
	}
	nest := w.dir.Nested(provisioning)
	for _, g := range nest {
		var told []string
		for key, m := range w.members {
			if key[0] == g && m.value.Present {
				told = append(told, key[1])
			}
		}
		slices.Sort(told)
		if diff := cmp.Diff(append([]string{}, members[g]...), append([]string{}, told...)); diff != "" {
			w.t.Fatalf("members of %s (-there +told):\n%s", g, diff)
		}
	}
	if diff := cmp.Diff(append([]string{}, nest...), append([]string{}, slices.Sorted(maps.Keys(w.lane.feeds.Watched))...)); diff != "" {
		w.t.Fatalf("watched (-there +watched):\n%s", diff)
	}
}
