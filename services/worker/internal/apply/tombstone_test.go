package apply_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// A complete read of one group's members makes room of their tombstones only where what they guard against is dropped
// without them.
func TestReadOfAGroupKeepsItsTombstones(t *testing.T) { onEach(t, readOfAGroupKeepsItsTombstones) }

func readOfAGroupKeepsItsTombstones(t on) {
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 10, person("ann"), person("bob"), group("g", address), member("g", "ann", true), member("g", "bob", true))
	h.snapshotEnded("contoso", "s1", 10, 1, "g")
	h.tick()
	h.told()
	h.page("contoso", 30, member("g", "ann", false))
	h.expect("ann leaves", "revoked ann not-a-member")
	h.snapshotPage("contoso", "s2", 50, member("g", "bob", true))
	h.apply("contoso", event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: "s2", Began: event.Stamp{Epoch: 1, Counter: 50}, Members: []string{"g"}, Pages: 1,
	})
	h.told()
	h.page("contoso", 20, member("g", "ann", true))
	h.expect("what was read before she left undoes nothing")
}

// Of what has no row an older observation than the last complete read tells nothing: it may be gone since.
func TestOlderThanTheSnapshotIsNoNews(t *testing.T) { onEach(t, olderThanTheSnapshotIsNoNews) }

func olderThanTheSnapshotIsNoNews(t on) {
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 10, person("ann"), group("g", address), member("g", "ann", true))
	h.snapshotEnded("contoso", "s1", 10, 1, "g")
	h.tick()
	h.told()
	h.page("contoso", 9, person("bob"), member("g", "bob", true))
	h.expect("the read would have shown bob")
	h.page("contoso", 11, person("bob"))
	h.expect("and bob in the group")
	h.page("contoso", 12, member("g", "bob", true))
	h.expect("now it is later", "granted bob group-member")
}

// What was read of a group before its end is not of the group that has come back: it does not even begin the settle time anew.
func TestMembersFromBeforeTheEndOfAGroupAreNoNews(t *testing.T) {
	onEach(t, membersFromBeforeTheEndOfAGroupAreNoNews)
}

func membersFromBeforeTheEndOfAGroupAreNoNews(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	h.page("contoso", 5, noGroup("g"))
	h.page("contoso", 6, group("g", address))
	h.page("contoso", 7, member("g", "ann", true))
	h.clock.Advance(settle - time.Second)
	h.page("contoso", 3, member("g", "bob", true))
	h.clock.Advance(time.Second)
	h.roundEnded("contoso")
	h.tick()
	h.expect("", "policy group-members g", "revoked bob not-a-member", "reason ann group-member", "revoked cid not-a-member")
}
