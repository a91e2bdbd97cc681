package apply_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// threeLicensed connects contoso with ann, bob and cid, all of whom are licensed by default.
func threeLicensed(h *harness) {
	h.t.Helper()
	h.read(join(people(0), []obs{person("ann"), person("bob"), person("cid")}))
	h.told()
}

// proposed has a group with ann in it proposed, and its list told.
func proposed(h *harness) {
	h.t.Helper()
	threeLicensed(h)
	h.see(group("g", address), member("g", "ann", true))
	h.settled()
	h.expect("a flip is held with the full list",
		"opened flip#1 r1 +0 -2 of 3 group-members g", "listed flip#1 r1 bob:-not-a-member cid:-not-a-member")
}

func TestFlipIsHeldUntilItIsApproved(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.chunk = 100
		h.restart()
		threeLicensed(h)
		h.see(group("g", address), member("g", "ann", true))
		h.clock.Advance(settle)
		h.tick()
		h.expect("asks whether that is all", "read users=[] groups=[] members=0")
		h.roundEnded("contoso")
		h.tick()
		h.expect("announced, and nobody loses anything",
			"opened flip#1 r1 +0 -2 of 3 group-members g", "listed flip#1 r1 bob:-not-a-member cid:-not-a-member")
		h.roundEnded("contoso")
		h.restart()
		h.tick()
		h.expect("once")
		h.approve("flip#1", 1)
		h.expect("one decision", "closed flip#1 r1 approved +0 -2 user:ops", "policy group-members g", "done flip#1 r1")
		h.tick()
		h.expect("and who stays licensed learns only another reason",
			"revoked bob not-a-member", "revoked cid not-a-member", "reason ann group-member")
	})
}

// The steps that customers take today: the group is made empty and filled one by one, over longer than the settle time.
func TestFillingAGroupSlowlyRevokesNobody(t *testing.T) {
	t.Parallel()
	tn, _ := twoProducts()
	each(t, func(t *testing.T, h *harness) {
		h.read(people(6))
		h.told()
		h.see(group("g", address))
		for _, id := range ids(1, 4) {
			h.clock.Advance(3 * time.Minute)
			h.see(member("g", id, true))
			h.roundEnded("contoso")
			h.tick()
		}
		h.clock.Advance(settle - time.Second)
		h.roundEnded("contoso")
		h.tick()
		h.expect("it is filled, and has not been still for long enough")
		h.clock.Advance(time.Second)
		h.roundEnded("contoso")
		h.tick()
		h.expect("it has now", "opened flip#1 r1 +0 -2 of 6 group-members g",
			"listed flip#1 r1 u5:-not-a-member u6:-not-a-member")
		h.see(member("g", "u5", true))
		h.expect("filled on: the list is another one", "listed flip#1 r2 u5:off")
		h.see(member("g", "u1", false))
		h.expect("one has left again", "listed flip#1 r3 u1:-not-a-member")
		h.approve("flip#1", 3)
		h.tick()
		if got := h.told(); got[len(got)-1] != "reason u5 group-member" || h.lost() != "u1 u6" {
			t.Errorf("%s lost their licenses: %v", h.lost(), got)
		}
	}, tn)
}

func TestApprovalOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		proposed(h)
		h.see(person("dan"), member("g", "bob", true))
		h.expect("dan is new, bob is a member", "granted dan domain-default", "listed flip#1 r2 dan:-not-a-member bob:off")
		h.approve("flip#1", 1)
		h.expect("the answer says what has changed", "refused revision flip#1 r2 bob:off dan:-not-a-member")
		h.approve("flip#1", 3)
		h.expect("nobody can have seen what is to come", "refused revision flip#1 r2")
		h.approve("flip-4", 1)
		h.expect("there is no other", "refused no-such-held")
		h.approve("flip#1", 2)
		h.tick()
		h.expect("", "closed flip#1 r2 approved +0 -2 user:ops", "policy group-members g", "done flip#1 r2",
			"reason ann group-member", "reason bob group-member", "revoked cid not-a-member", "revoked dan not-a-member")
		h.approve("flip#1", 2)
		h.expect("it is over", "refused not-open flip#1 r2")
	})
}

// Nobody can have looked at a list of which only a part was told.
func TestListThatIsNotToldCompletelyCannotBeApproved(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read(people(4))
		h.see(group("g", address), member("g", "u1", true))
		h.told()
		h.clock.Advance(settle)
		h.roundEnded("contoso")
		var got []string
		h.tickUntil(func() bool { got = h.told(); return len(got) > 0 })
		if diff := cmp.Diff([]string{"opened flip#1 r1 +0 -3 of 4 group-members g"}, got); diff != "" {
			h.t.Fatalf("(-want +got):\n%s", diff)
		}
		h.approve("flip#1", 1)
		h.expect("nothing of it is told", "refused listing")
		h.tickOnce()
		h.expect("", "listed flip#1 r1 u2:-not-a-member u3:-not-a-member")
		h.approve("flip#1", 1)
		h.reject("flip#1")
		h.expect("not yet all of it: neither word is taken", "refused listing", "refused listing")
		h.tick()
		h.approve("flip#1", 1)
		h.expect("now it is", "listed flip#1 r1 u4:-not-a-member", "closed flip#1 r1 approved +0 -3 user:ops", "policy group-members g", "done flip#1 r1")
	})
}

// The id of the group counts, not its name.
func TestApprovalIsOfOneGroup(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		proposed(h)
		h.see(group("g", "elsewhere@contoso.com"))
		h.expect("renamed away", "closed flip#1 r1 withdrawn +0 -2")
		h.see(group("g", address), member("g", "ann", true))
		h.settled()
		h.expect("and back: a change of its own, which settles again",
			"opened flip#2 r1 +0 -2 of 3 group-members g", "listed flip#2 r1 bob:-not-a-member cid:-not-a-member")
		h.approve("flip#1", 1)
		h.expect("the word for the first one is none for it", "refused not-open flip#1 r1")
		h.see(noGroup("g"), group("h", address), member("h", "bob", true))
		h.expect("made again under another id", "closed flip#2 r1 withdrawn +0 -2")
		h.approve("flip#2", 1)
		h.expect("nor for this", "refused not-open flip#2 r1")
		h.settled()
		h.expect("", "opened flip#3 r1 +0 -2 of 3 group-members h",
			"listed flip#3 r1 ann:-not-a-member cid:-not-a-member")
	})
}

// What is proposed may give way to another proposal at once, where both groups go with one page: nobody has agreed to that one.
func TestApprovalIsNotOfWhatTakesItsPlace(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read([]obs{person("ann"), person("bob"), person("cid"), group("g", address), member("g", "ann", true)}, "g")
		h.see(group("g", "elsewhere@contoso.com"), group("h", address), member("h", "bob", true))
		h.told()
		h.settled()
		h.expect("", "opened flip#1 r1 +1 -1 of 1 group-members h", "listed flip#1 r1 ann:-not-a-member bob:+group-member")
		h.see(noGroup("g"), noGroup("h"))
		h.expect("", "closed flip#1 r1 withdrawn +1 -1")
		h.tick()
		h.expect("", "opened flip#2 r1 +2 -0 of 1 all-users", "listed flip#2 r1 bob:+domain-default cid:+domain-default")
		h.approve("flip#1", 1)
		h.expect("a group is not everybody", "refused not-open flip#1 r1")
	})
}

func TestVanishedGroupIsProposedAtOnceAndHeld(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read([]obs{person("ann"), person("bob"), group("g", address), member("g", "ann", true)}, "g")
		h.told()
		h.see(noGroup("g"))
		h.tick()
		h.expect("proved gone", "opened flip#1 r1 +1 -0 of 1 all-users", "listed flip#1 r1 bob:+domain-default")
		h.see(person("cid"))
		h.expect("until then the old mode stands for everybody", "listed flip#1 r2 cid:+domain-default")
		h.see(personAs("ann", "suspended"))
		h.expect("the old members too", "revoked ann suspended")
		h.approve("flip#1", 2)
		h.tick()
		h.expect("", "closed flip#1 r2 approved +2 -0 user:ops", "policy all-users", "done flip#1 r2",
			"granted bob domain-default", "granted cid domain-default")
	})
}

func TestEmptiedCandidateIsWithdrawn(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		proposed(h)
		h.see(member("g", "ann", false))
		h.expect("", "closed flip#1 r1 withdrawn +0 -2")
		h.settled()
		h.expect("an empty group changes nothing")
		h.see(member("g", "bob", true))
		h.settled()
		h.expect("its next member does", "opened flip#2 r1 +0 -2 of 3 group-members g",
			"listed flip#2 r1 ann:-not-a-member cid:-not-a-member")
	})
}

func TestRejectedFlipRests(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		proposed(h)
		h.reject("flip#1")
		h.expect("", "closed flip#1 r1 rejected +0 -2 user:ops", "done flip#1 r1")
		for range 3 {
			h.settled()
			h.read([]obs{person("ann"), person("bob"), person("cid"), group("g", address), member("g", "ann", true)}, "g")
			h.restart()
			h.see(personAs("bob", "active"), group("g", address, "alias@contoso.com"))
		}
		h.expect("the same evidence raises nothing", "refreshed users=3 groups=1 granted=0 revoked=0 removed=0 unproven=0",
			"refreshed users=3 groups=1 granted=0 revoked=0 removed=0 unproven=0",
			"refreshed users=3 groups=1 granted=0 revoked=0 removed=0 unproven=0")
		h.see(member("g", "bob", true))
		h.settled()
		h.expect("another membership does", "opened flip#2 r1 +0 -1 of 3 group-members g", "listed flip#2 r1 cid:-not-a-member")
	})
}

func TestHeldFlipExpires(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		proposed(h)
		h.clock.Advance(week - settle - time.Second)
		_, next, err := h.applier.Tick(t.Context(), h.owner)
		if want := h.clock.Now().Add(settle + time.Second); err != nil || !next.Equal(want) {
			t.Errorf("the next timer is %v, %v; want %v", next, err, want)
		}
		h.expect("it waits")
		h.clock.Advance(settle + time.Second)
		h.tick()
		h.expect("it counts as rejected", "closed flip#1 r1 expired +0 -2")
		h.settled()
		h.expect("and rests")
		h.see(member("g", "ann", false), member("g", "bob", true))
		h.holding(event.HoldRequest{ExpirySeconds: number(60)})
		h.settled()
		h.told()
		h.clock.Advance(time.Minute)
		h.tick()
		h.expect("how long is a setting", "closed flip#2 r1 expired +0 -2")
	})
}
