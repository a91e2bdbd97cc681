package apply_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// parkedSix are six of ten members who were taken out of the group: their end is on a list.
func parkedSix(h *harness) {
	h.t.Helper()
	grouped(h, 10)
	h.see(members("g", false, ids(1, 6)...)...)
	h.told()
	h.chunk = 2
	h.restart()
}

// readTen delivers a complete read of ten users of whom the last four are members.
func readTen(h *harness) {
	h.t.Helper()
	h.read(join(people(10), []obs{group("g", address)}, members("g", false, ids(1, 6)...), members("g", true, ids(7, 10)...)), "g")
}

func TestWhatWasApprovedOutlivesADisconnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		parkedSix(h)
		h.approve("revocations#1", 1)
		h.tickOnce()
		h.disconnect(event.LicensesKeep)
		h.tick()
		if h.lost() != "u1 u2" {
			t.Errorf("nothing is decided for who is not followed; lost %s", h.lost())
		}
		h.connect()
		readTen(h)
		if want := strings.Join(ids(1, 6), " "); h.lost() != want || h.states() != "revocations applied" {
			t.Errorf("lost %s, want %s; held changes: %s", h.lost(), want, h.states())
		}
	})
}

func TestWhatWasRejectedOutlivesADisconnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		parkedSix(h)
		h.reject("revocations#1")
		h.tickOnce()
		h.disconnect(event.LicensesKeep)
		h.connect()
		readTen(h)
		h.see(renamed("u1"), renamed("u6"))
		if h.lost() != "" || h.states() != "revocations rejected" {
			t.Errorf("lost %s; held changes: %s", h.lost(), h.states())
		}
	})
}

// Another group is proposed and takes its address back: what somebody has said of the group in force is still said.
func TestWithdrawnFlipLetsGoOfNoOtherWord(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		parkedSix(h)
		h.reject("revocations#1")
		h.tick()
		h.see(group("g"), group("h", address), member("h", "u9", true))
		h.settled()
		h.told()
		h.see(group("g", address), group("h"))
		if told := h.told(); len(told) != 1 || !strings.HasPrefix(told[0], "closed flip#1 r1 withdrawn") {
			t.Fatalf("the flip: %v", told)
		}
		h.see(renamed("u1"))
		h.expect("u1 keeps what was not to be taken")
	})
}

func TestWordIsOfOneRevocation(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		parkedSix(h)
		h.reject("revocations#1")
		h.told()
		h.see(member("g", "u6", true))
		h.expect("u6 is back before the job has come there", "reason u6 group-member")
		h.see(member("g", "u6", false))
		h.expect("and leaves, of which nobody has said anything", "revoked u6 not-a-member")
	})
}

func TestEndOfAConnectionIsNoBulkOfTheHour(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.disconnect(event.LicensesRevoke)
		h.tick()
		h.connect()
		h.read(join(people(10), []obs{group("g", address)}, members("g", true, ids(1, 10)...)), "g")
		h.told()
		h.see(member("g", "u1", false))
		h.expect("one is no bulk", "revoked u1 not-a-member")
	})
}

// Nobody is in a group that is deleted: whether it is nested in another changes nothing about that one.
func TestDeletedNestedGroupUnsettlesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read(join(people(3), []obs{group("h")}))
		h.see(noGroup("h"))
		h.see(group("g", address), member("g", "u1", true))
		h.told()
		h.clock.Advance(settle - time.Minute)
		h.see(nested("g", "h", true))
		h.see(nested("g", "h", false))
		h.clock.Advance(time.Minute)
		h.roundEnded("contoso")
		h.tick()
		h.expect("it has been still", "opened flip#1 r1 +0 -2 of 3 group-members g", "listed flip#1 r1 u2:-not-a-member u3:-not-a-member")
	})
}

// A flip would take from u3 what u3 has just got.
func TestWhoIsServedIsOnTheListOfAFlip(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.seats(2, true)
		h.read(people(3))
		h.see(group("g", address), member("g", "u1", true))
		h.settled()
		h.told()
		h.see(personAs("u2", "deleted"))
		h.expect("", "revoked u2 deleted", "u3 leaves the line at 1", "granted u3 domain-default", "listed flip#1 r2 u3:-not-a-member u2:off")
	})
}

// A group that a preview did not show is proved gone when all users have been looked at already: those in it are on the list.
func TestProofOfAPreviewIsLookedAt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		all := join(people(9), []obs{group("g", address), nested("g", "h", true), member("g", "u9", true)}, members("h", true, ids(1, 8)...))
		h.read(join(all, []obs{group("h")}), "g", "h")
		h.told()
		id := h.preview()
		h.showAll(id, all, "g", "h")
		h.expect("", "read users=[] groups=[h] members=0")
		h.answer(id, noGroup("h"))
		h.tick()
		if told := h.told(); !slices.Contains(told, "opened refresh#1 r1 +0 -8 of 9") {
			t.Errorf("told %v", told)
		}
	})
}

// Somebody on the list of a refresh waits for what is said of that, also where all users are gone through meanwhile.
func TestReviewLeavesToARefreshWhatIsOnItsList(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.holding(holdRequest(1, 1)) // every bulk is held
		eightMembers(h)
		h.chunk = 2
		h.restart()
		h.showAll(h.preview(), join([]obs{personAs("u1", "deleted")}, people(10)[1:], []obs{group("g", address)}, members("g", false, "u1"),
			members("g", true, ids(2, 8)...)), "g")
		h.told()
		h.pause(true)
		h.pause(false)
		h.tickOnce()
		h.reject("refresh#1")
		h.tick()
		h.expect("it is on no other list", "settings paused=true frozen=false connected=true hold 1% 1 604800s", "done",
			"settings paused=false frozen=false connected=true hold 1% 1 604800s", "done",
			"closed refresh#1 r1 rejected +0 -1 user:ops", "done refresh#1 r1", "reason u1 held")
	})
}

// An approved flip would have taken the license of u9, who became a member before its job came there and left again: the end of
// that membership was rejected, and what was said before is of another one.
func TestWordIsNotOfWhatIsDecidedLaterAndHeld(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.chunk = 100
		h.restart()
		h.read(people(9))
		h.see(join([]obs{group("g", address)}, members("g", true, ids(1, 6)...))...)
		h.settled()
		h.told()
		h.chunk = 2
		h.restart()
		h.approve("flip#1", 1)
		h.see(member("g", "u9", true))
		h.see(join(members("g", false, ids(1, 5)...), []obs{member("g", "u9", false)})...)
		h.told()
		h.reject("revocations#1")
		h.tick()
		if h.lost() != "u7 u8" {
			t.Errorf("lost %s, want u7 u8: whom the flip was approved for", h.lost())
		}
	})
}
