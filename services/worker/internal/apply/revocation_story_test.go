package apply_test

import (
	"testing"
	"time"
)

// grouped connects contoso with n users, all of them in the provisioning group g.
func grouped(h *harness, n int) {
	h.t.Helper()
	h.chunk = 100
	h.restart()
	h.read(join(people(n), []obs{group("g", address)}, members("g", true, ids(1, n)...)), "g")
	h.told()
}

func TestManyRevocationsOfAPageAreParked(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 20)
		h.see(join(members("g", false, ids(1, 5)...), []obs{person("ann"), member("g", "ann", true)})...)
		h.expect("all of them, while grants go on", join([]string{"opened revocations#1 r1 +0 -5 of 20"}, eachOf("reason %s held", ids(1, 5)...),
			[]string{"granted ann group-member"},
			[]string{"listed revocations#1 r1 u1:-not-a-member u2:-not-a-member u3:-not-a-member u4:-not-a-member u5:-not-a-member"})...)
		h.see(personAs("u9", "suspended"))
		h.expect("and so do single suspensions", "revoked u9 suspended")
		h.see(personAs("u8", "deleted"))
		h.expect("and deletions", "revoked u8 deleted")
		h.see(personAs("u1", "suspended"))
		h.expect("also of somebody listed", "revoked u1 suspended", "listed revocations#1 r2 u1:off")
		h.see(renamed("u2"))
		h.expect("who is decided again stays listed")
		h.see(member("g", "u3", true))
		h.expect("unless it is decided otherwise", "reason u3 group-member", "listed revocations#1 r3 u3:off")
		h.see(member("g", "u7", false))
		h.expect("another one joins the list", "reason u7 held", "listed revocations#1 r4 u7:-not-a-member")
		h.approve("revocations#1", 3)
		h.expect("not what was looked at", "refused revision revocations#1 r4 u7:-not-a-member")
		h.approve("revocations#1", 4)
		h.tick()
		h.expect("exactly those on the list", join([]string{"closed revocations#1 r4 approved +0 -4 user:ops", "done revocations#1 r4"},
			eachOf("revoked %s not-a-member", "u2", "u4", "u5", "u7"))...)
		h.see(member("g", "u6", false))
		h.expect("somebody has agreed to those: they do not make one more a bulk", "revoked u6 not-a-member")
	})
}

// Only one that comes alone goes on: somebody who suspends half of a company at once may have made a mistake.
func TestManySuspensionsOfAPageAreParked(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.see(personAs("u1", "suspended"), personAs("u2", "suspended"), personAs("u3", "deleted"), personAs("u4", "suspended"), personAs("u5", "deleted"))
		h.expect("", join([]string{"opened revocations#1 r1 +0 -5 of 10"}, eachOf("reason %s held", ids(1, 5)...),
			[]string{"listed revocations#1 r1 u1:-suspended u2:-suspended u3:-deleted u4:-suspended u5:-deleted"})...)
		h.see(personAs("u6", "suspended"), personAs("u7", "suspended"))
		h.expect("while a list is open two are not alone either", "reason u6 held", "reason u7 held", "listed revocations#1 r2 u6:-suspended u7:-suspended")
		h.see(personAs("u8", "suspended"))
		h.expect("one is", "revoked u8 suspended")
	})
}

func TestThresholdsOfABulk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		grouped(h, 50)
		h.see(members("g", false, ids(1, 4)...)...)
		h.expect("four are no bulk", eachOf("revoked %s not-a-member", ids(1, 4)...)...)
		h.see(members("g", false, ids(5, 10)...)...)
		h.expect("ten of fifty are not more than a fifth", eachOf("revoked %s not-a-member", ids(5, 10)...)...)
		h.clock.Advance(59 * time.Minute)
		h.see(member("g", "u11", false))
		if got := h.told(); len(got) != 3 || got[0] != "opened revocations#1 r1 +0 -1 of 40" {
			t.Fatalf("the eleventh within the hour: %v", got)
		}
		h.reject("revocations#1")
		h.tick()
		h.told()
		h.clock.Advance(2 * time.Minute)
		h.see(member("g", "u12", false))
		h.expect("after it one begins anew", "revoked u12 not-a-member")
	})
}

func TestThresholdsAreSettings(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.holding(holdRequest(0, 5))
		h.expect("", "settings paused=false frozen=false connected=true hold 0% 5 604800s", "done")
		h.see(members("g", false, ids(1, 9)...)...)
		h.expect("nothing is ever held", eachOf("revoked %s not-a-member", ids(1, 9)...)...)
		h.clock.Advance(time.Hour)
		h.holding(holdRequest(10, 1))
		h.told()
		h.see(member("g", "u10", false))
		h.expect("and now the very last one is", "opened revocations#1 r1 +0 -1 of 1", "reason u10 held", "listed revocations#1 r1 u10:-not-a-member")
	})
}

func TestRejectedRevocationsStand(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.see(members("g", false, ids(1, 6)...)...)
		h.told()
		h.reject("revocations#1")
		h.tick()
		h.expect("the licenses stand", "closed revocations#1 r1 rejected +0 -6 user:ops", "done revocations#1 r1")
		for range 2 {
			h.see(renamed("u1"))
			h.settled()
			h.restart()
			h.read(join(people(10), []obs{group("g", address)}, members("g", true, ids(7, 10)...)), "g")
			h.pause(true)
			h.pause(false)
			h.tick()
		}
		for _, line := range h.told() {
			if line != "done" && line[:8] != "settings" && line[:9] != "refreshed" {
				h.t.Fatalf("the same evidence has brought %q", line)
			}
		}
		h.see(member("g", "u1", true))
		h.expect("whoever comes back is a member again", "reason u1 group-member")
		h.see(member("g", "u1", false))
		h.expect("and can leave", "revoked u1 not-a-member")
		h.see(personAs("u2", "suspended"))
		h.expect("another reason is none that was rejected", "revoked u2 suspended")
	})
}

func TestEmptyListIsWithdrawn(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.see(members("g", false, ids(1, 5)...)...)
		h.told()
		h.see(members("g", true, ids(1, 4)...)...)
		h.told()
		h.see(member("g", "u5", true))
		h.expect("the mistake is mended", "reason u5 group-member", "listed revocations#1 r3 u5:off", "closed revocations#1 r3 withdrawn +0 -0")
		h.clock.Advance(week)
		h.tick()
		h.expect("it is over")
	})
}

func TestHeldRevocationsExpire(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.see(members("g", false, ids(1, 5)...)...)
		h.told()
		h.clock.Advance(week)
		h.tick()
		h.expect("as if it were rejected", "closed revocations#1 r1 expired +0 -5")
		h.see(renamed("u1"))
		h.expect("and it stays so")
	})
}

// While an approved list is gone through, whoever it has yet to come to is not parked once more, and what is listed of another
// held change is not lost.
func TestSeveralListsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		grouped(h, 30)
		h.see(members("g", false, ids(1, 10)...)...)
		h.told()
		h.chunk = 2
		h.restart()
		h.approve("revocations#1", 1)
		h.tickOnce()
		h.told()
		h.see(members("g", false, ids(21, 27)...)...)
		h.told()
		h.approve("revocations#2", 1)
		h.tickOnce()
		h.see(members("g", false, ids(11, 16)...)...)
		h.told()
		h.reject("revocations#3")
		h.tick()
		if want := "u1 u10 u2 u21 u22 u23 u24 u25 u26 u27 u3 u4 u5 u6 u7 u8 u9"; h.lost() != want {
			t.Errorf("lost %s, want %s", h.lost(), want)
		}
		if states := h.states(); states != "revocations applied, revocations applied, revocations rejected" {
			t.Errorf("held changes: %s", states)
		}
	})
}
