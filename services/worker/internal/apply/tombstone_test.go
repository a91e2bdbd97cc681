package apply_test

import (
	"testing"

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
