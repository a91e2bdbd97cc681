package apply_test

import (
	"testing"
	"time"
)

// goneWithAnn is twoWithin after g went, by which everybody of it is a member, and ann left a after that.
func goneWithAnn(h *harness) {
	h.t.Helper()
	twoWithin(h)
	h.see(noGroup("g"))
	h.tick()
	h.expect("proved gone", "opened flip#1 r1 +1 -0 of 2 all-users", "listed flip#1 r1 cid:+domain-default")
	h.next()
	h.see(member("a", "ann", false))
	h.told()
	for range 3 {
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.clock.Advance(time.Hour)
		h.restart()
		h.tick()
	}
	h.expect("nobody leaves what is gone")
}

func TestOldMembersStandUntilTheirGroupIsReplaced(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		end  func(*harness)
		want []string
	}{
		"by everybody": {
			func(h *harness) { h.approve("flip#1", 1) },
			[]string{
				"closed flip#1 r1 approved +1 -0 user:ops", "policy all-users", "done flip#1 r1",
				"reason ann domain-default", "reason bob domain-default", "granted cid domain-default",
			},
		},
		"by another group": {
			func(h *harness) {
				h.see(group("h", address), member("h", "bob", true))
				h.settled()
				h.told()
				h.approve("flip#2", 1)
			},
			[]string{"closed flip#2 r1 approved +0 -1 user:ops", "policy group-members h", "done flip#2 r1", "revoked ann not-a-member", "reason bob group-member"},
		},
		"by nothing, as that was rejected": {
			func(h *harness) { h.reject("flip#1"); h.clock.Advance(time.Minute) },
			[]string{"closed flip#1 r1 rejected +1 -0 user:ops", "done flip#1 r1", "revoked ann not-a-member"},
		},
		"by itself, as it is back": {
			func(h *harness) { h.see(group("g", address)); h.clock.Advance(time.Minute) },
			[]string{"closed flip#1 r1 withdrawn +1 -0", "revoked ann not-a-member"},
		},
		"though she is suspended": {
			func(h *harness) { h.see(personAs("ann", "suspended")) },
			[]string{"revoked ann suspended"},
		},
	}
	for name, e := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(_ *testing.T, h *harness) {
				goneWithAnn(h)
				e.end(h)
				h.tick()
				h.expect(name, e.want...)
			})
		})
	}
}

// Where several groups are at the address nothing changes, and so nobody leaves the one that is gone.
func TestOldMembersStandInAConflict(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		goneWithAnn(h)
		h.see(group("h", address), group("i", address))
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("", "closed flip#1 r1 withdrawn +1 -0")
	})
}

// A group that more are in than one transaction takes leaves the nest of a group that is gone: all who were in it stand.
func TestOldMembersStandWhereManyLeave(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.whole = true
		h.begin()
		h.read([]obs{
			person("ann"), person("bob"), person("cid"), group("g", address), group("a"), nested("g", "a", true),
			member("a", "ann", true), member("a", "bob", true), member("a", "cid", true),
		}, "g", "a")
		h.told()
		h.next()
		h.see(noGroup("g"))
		h.tick()
		h.told()
		h.next()
		h.see(noGroup("a"))
		h.told()
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("nobody leaves")
		h.see(group("h", address), member("h", "bob", true))
		h.settled()
		h.told()
		h.approve("flip#2", 1)
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("they do now", "closed flip#2 r1 approved +0 -2 user:ops", "policy group-members h", "done flip#2 r1",
			"revoked ann not-a-member", "reason bob group-member", "revoked cid not-a-member")
	})
}

// A group that nothing is nested in goes, and then a page that was asked for before says that somebody had left it.
func TestOldMembersStandWithoutANest(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.whole = true
		h.begin()
		h.read([]obs{person("ann"), person("bob"), group("g", address), member("g", "ann", true), member("g", "bob", true)}, "g")
		h.told()
		h.see(noGroup("g"))
		h.tick()
		h.told()
		h.see(member("g", "ann", false))
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("she was in it when it went")
		h.reject("flip#1")
		h.clock.Advance(time.Minute)
		h.tick()
		h.expect("now it counts", "closed flip#1 r1 rejected +0 -0 user:ops", "done flip#1 r1", "revoked ann not-a-member")
	})
}

// The read that shows the group gone is not believed at once, as another has just shown it; meanwhile a round has shown all that is
// left of the nest.
func TestOldMembersStandWhileItIsDoubtedThatTheirGroupIsGone(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		shown obs
		want  []string
	}{
		"it is":     {noGroup("g"), []string{"opened flip#1 r1 +1 -0 of 2 all-users", "listed flip#1 r1 cid:+domain-default"}},
		"it is not": {group("g", address), []string{"revoked ann not-a-member"}},
	}
	for name, e := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, h *harness) {
				h.doubt = doubt
				twoWithin(h)
				h.clock.Advance(time.Hour)
				h.see(group("g", address))
				h.next()
				h.see(member("a", "ann", false))
				h.told()
				h.see(noGroup("g"))
				h.next()
				h.roundEnded("contoso")
				h.tick()
				h.expect("nobody knows what she has left")
				h.clock.Advance(doubt / 120)
				h.answered(t, e.shown)
				h.roundEnded("contoso")
				for range 3 {
					h.clock.Advance(time.Minute)
					h.tick()
				}
				h.expect(name, e.want...)
			})
		})
	}
}
