package apply_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

var flipsApply = event.HoldRequest{Flips: event.FlipsApply}

func TestFlipsMayTakeEffectByThemselves(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		h.holding(flipsApply)
		h.expect("", "settings paused=false frozen=false connected=true apply 20% 5 604800s", "done")
		h.see(group("g", address), member("g", "ann", true))
		h.settled()
		h.expect("without a word before", "policy group-members g",
			"revoked bob not-a-member", "reason ann group-member", "revoked cid not-a-member")
		h.see(noGroup("g"))
		h.tick()
		h.expect("back as well", "policy all-users", "reason ann domain-default", "granted bob domain-default", "granted cid domain-default")
	})
}

func TestFlipsThatAreABulkAreHeldWhateverTheSetting(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.chunk = 100
		h.restart()
		h.read(people(10))
		h.holding(flipsApply)
		h.see(join([]obs{group("g", address)}, members("g", true, ids(1, 5)...))...)
		h.told()
		h.settled()
		h.expect("half of them", "opened flip#1 r1 +0 -5 of 10 group-members g",
			"listed flip#1 r1 u6:-not-a-member u7:-not-a-member u8:-not-a-member u9:-not-a-member u10:-not-a-member")
		h.see(member("g", "u6", true))
		h.expect("it stays announced, though it is a bulk no more", "listed flip#1 r2 u6:off")
		h.reject("flip#1")
		h.see(member("g", "u7", true))
		h.told()
		h.settled()
		h.expect("few enough", join([]string{"policy group-members g"}, eachOf("revoked %s not-a-member", ids(8, 10)...),
			eachOf("reason %s group-member", ids(1, 7)...))...)
		h.see(noGroup("g"), group("h", address), member("h", "u1", true))
		h.settled()
		if got := h.told(); len(got) != 2 || got[0] != "opened flip#2 r1 +0 -6 of 7 group-members h" {
			t.Errorf("to a group of one: %v", got)
		}
	})
}

// Revocations of the last hour count with those that a flip would bring.
func TestFlipsCountWithTheLastHour(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.chunk = 100
		h.restart()
		h.read(people(20))
		h.holding(flipsApply)
		h.see(join([]obs{group("g", address)}, members("g", true, ids(1, 18)...))...)
		h.clock.Advance(settle - 1)
		for _, id := range ids(1, 3) {
			h.see(personAs(id, "suspended"))
		}
		h.told()
		h.clock.Advance(1)
		h.roundEnded("contoso")
		h.tick()
		h.expect("two more make five of twenty", "opened flip#1 r1 +0 -2 of 17 group-members g",
			"listed flip#1 r1 u19:-not-a-member u20:-not-a-member")
	})
}

func TestFlipsPastThePurchasedSeatsAreHeld(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read([]obs{person("ann"), person("bob"), person("cid"), group("g", address), member("g", "ann", true)}, "g")
		h.holding(flipsApply)
		h.seats(2, false)
		h.see(noGroup("g"))
		h.told()
		h.tick()
		h.expect("three of two", "opened flip#1 r1 +2 -0 of 1 all-users", "listed flip#1 r1 bob:+domain-default cid:+domain-default")
		h.approve("flip#1", 1)
		h.tick()
		h.expect("with open eyes", "closed flip#1 r1 approved +2 -0 user:ops", "policy all-users", "done flip#1 r1",
			"reason ann domain-default", "granted bob domain-default", "granted cid domain-default", "exceeded 3/2")
	})
}

// What a flip takes is free for those to whom it gives.
func TestFlipsThatTakeAsManySeatsAsTheyGiveAreNotPastThem(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read([]obs{
			person("ann"), person("bob"), person("cid"), person("dan"), group("g", address), member("g", "ann", true), member("g", "bob", true),
		}, "g")
		h.holding(flipsApply)
		h.seats(2, false)
		h.see(noGroup("g"), group("h", address), member("h", "bob", true), member("h", "cid", true))
		h.told()
		h.settled()
		h.expect("two of two, before and after", "policy group-members h",
			"revoked ann not-a-member", "reason bob group-member", "granted cid group-member")
		h.see(noGroup("h"), group("i", address), member("i", "ann", true), member("i", "cid", true), member("i", "dan", true))
		h.settled()
		h.expect("three are one too many", "opened flip#1 r1 +2 -1 of 2 group-members i",
			"listed flip#1 r1 ann:+group-member bob:-not-a-member", "listed flip#1 r1 dan:+group-member")
	})
}

func TestFlipsByAnotherConnectingDomainAreHeld(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		h.holding(flipsApply)
		h.told()
		h.see(group("g", "virtru-secure-share-provisioning-group@contoso.org"))
		h.settled()
		h.expect("the right name on another domain of theirs is no provisioning group")
		moved := contoso()
		moved.Domain = "contoso.org"
		h.tenants["contoso"] = moved
		h.see(group("g", "virtru-secure-share-provisioning-group@contoso.org"), member("g", "bob", true))
		h.settled()
		h.expect("until they connect with that one", "opened flip#1 r1 +0 -2 of 3 group-members g",
			"listed flip#1 r1 ann:-not-a-member cid:-not-a-member")
		h.reject("flip#1")
		h.see(member("g", "ann", true))
		h.told()
		h.settled()
		h.expect("what else comes from there is held too", "opened flip#2 r1 +0 -1 of 3 group-members g", "listed flip#2 r1 cid:-not-a-member")
		h.approve("flip#2", 1)
		h.tick()
		h.told()
		h.see(noGroup("g"))
		h.tick()
		h.expect("after that it is an address like any other", "policy all-users",
			"reason ann domain-default", "reason bob domain-default", "granted cid domain-default")
	})
}

// A domain that brings no other group has changed nothing: what comes later is a flip like any other.
func TestAnotherDomainWithoutAGroupIsNoReasonToHold(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		h.holding(flipsApply)
		moved := contoso()
		moved.Domain = "contoso.org"
		h.tenants["contoso"] = moved
		h.roundEnded("contoso")
		h.see(group("g", "virtru-secure-share-provisioning-group@contoso.org"), member("g", "bob", true))
		h.told()
		h.settled()
		h.expect("", "policy group-members g", "revoked ann not-a-member", "reason bob group-member", "revoked cid not-a-member")
	})
}

func TestTwoGroupsAtAnAddressWithdrawTheFlip(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		proposed(h)
		h.see(group("h", "other@contoso.com", address), member("h", "bob", true))
		h.expect("which of them?", "closed flip#1 r1 withdrawn +0 -2")
		if h.last.Conflicts != 1 {
			t.Errorf("conflicts: %d", h.last.Conflicts)
		}
		h.settled()
		h.expect("nothing is guessed")
		h.see(group("g", "elsewhere@contoso.com"))
		h.settled()
		h.expect("the one that is left", "opened flip#2 r1 +0 -2 of 3 group-members h",
			"listed flip#2 r1 ann:-not-a-member cid:-not-a-member")
	})
}

// A second flip may be approved while the first is still being applied: it takes over.
func TestFlipThatIsOvertaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read(people(8))
		h.see(join([]obs{group("g", address)}, members("g", true, ids(1, 4)...))...)
		h.settled()
		h.told()
		h.approve("flip#1", 1)
		h.tickOnce() // u1 and u2 are decided
		h.see(noGroup("g"), group("h", address), member("h", "u7", true), member("h", "u2", true))
		h.clock.Advance(settle)
		h.roundEnded("contoso")
		h.tickUntil(func() bool { h.told(); return h.records[event.LicenseSource("contoso", share)].holds["flip"] != nil })
		h.tick()
		h.told()
		h.approve("flip#2", h.records[event.LicenseSource("contoso", share)].holds["flip"].revision)
		h.tick()
		if h.lost() != "u1 u3 u4 u5 u6 u8" {
			t.Errorf("lost: %s", h.lost())
		}
		if states := h.states(); states != "flip applied, flip applied" {
			t.Errorf("held changes: %s", states)
		}
	})
}

// Who comes to be on the wrong side of a flip only while it is applied is on nobody's list: that is not approved.
func TestFlipTakesNobodyWhoWasNotListed(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read(people(12))
		h.see(join([]obs{group("g", address)}, members("g", true, ids(1, 10)...))...)
		h.settled()
		h.told()
		h.approve("flip#1", 1)
		h.told()
		h.see(members("g", false, ids(5, 10)...)...)
		h.expect("six leave at once: the job has not come to them", join([]string{"opened revocations#1 r1 +0 -6 of 12"},
			eachOf("reason %s held", ids(5, 10)...), []string{"listed revocations#1 r1 u5:-not-a-member u6:-not-a-member " +
				"u7:-not-a-member u8:-not-a-member u9:-not-a-member u10:-not-a-member"})...)
		h.tick()
		h.expect("and leaves them where they are", "reason u1 group-member", "reason u2 group-member", "reason u3 group-member",
			"reason u4 group-member", "revoked u11 not-a-member", "revoked u12 not-a-member")
	})
}

// Who is on the list loses the license by whatever comes first: the job, or a page about them.
func TestListedUsersNeedNoSecondApproval(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read(people(10))
		h.see(group("g", address), member("g", "u1", true))
		h.settled()
		h.told()
		h.approve("flip#1", 1)
		h.told()
		var touched []obs
		for _, id := range ids(5, 10) {
			touched = append(touched, renamed(id))
		}
		h.see(touched...)
		h.expect("six at once, all approved", eachOf("revoked %s not-a-member", ids(5, 10)...)...)
	})
}
