package lane_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// employed is watched, with users who are its members.
func employed(d *receivertest.Directory) {
	d.PutUser(user("u1"))
	d.PutUser(user("u2"))
	watched(d)
}

// A list misses a member whose account was deleted: that the account is gone is told together with the membership.
func TestWhoWasDeletedHasNotJustLeft(t *testing.T) {
	t.Parallel()
	b := journaled(t, employed)
	b.dir.DeleteUser("u2")
	b.dir.Lose(1) // the journal does not tell
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "-u2", "g1-u2")
}

// An account that is back has its memberships again, and nothing tells of those: they are told together with it.
func TestWhoIsBackBringsTheMemberships(t *testing.T) {
	t.Parallel()
	b := journaled(t, employed)
	b.dir.DeleteUser("u2")
	b.dir.Lose(1)
	b.advance(listing)
	b.until(event.TypeDirectoryObserved, "").says(t, "-u2", "g1-u2")
	b.dir.Add("g1", "u2")
	b.dir.Lose(1)
	b.dir.PutUser(user("u2"))
	b.hint("hint-1", "user", "u2")
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "u2", "g1>u2")
}
