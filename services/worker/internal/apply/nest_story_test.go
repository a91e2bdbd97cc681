package apply_test

import (
	"testing"
)

// nestOfThree connects contoso with g, in which h is, in which i is, in which g is again: ann is in g, bob in h, cid in i.
func nestOfThree(h *harness) {
	h.t.Helper()
	h.read([]obs{
		person("ann"), person("bob"), person("cid"), person("dan"), group("g", address), group("h"), group("i"),
		nested("g", "h", true), nested("h", "i", true), nested("i", "g", true),
		member("g", "ann", true), member("h", "bob", true), member("i", "cid", true),
	}, "g", "h", "i")
	h.expect("at once: all of it was read", "policy group-members g", "granted ann group-member", "granted bob group-member [g h]",
		"granted cid group-member [g h i]", "refreshed users=4 groups=3 granted=3 revoked=0 removed=0 unproven=0")
}

func TestNestedGroupsCount(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		nestOfThree(h)
		h.see(member("i", "dan", true))
		h.expect("three levels down", "granted dan group-member [g h i]")
		h.see(nested("g", "i", true))
		h.expect("a shorter way", "reason cid group-member [g i]", "reason dan group-member [g i]")
		h.see(member("g", "dan", true))
		h.expect("the nearest group counts", "reason dan group-member")
		h.see(nested("g", "i", false))
		h.expect("the long way again", "reason cid group-member [g h i]")
		h.see(nested("g", "h", false))
		h.tick()
		h.expect("whoever was in it is out", "revoked bob not-a-member", "revoked cid not-a-member")
		h.see(nested("g", "h", true))
		h.expect("nobody knows who is in it now: it was not watched")
		h.see(member("h", "bob", true), nested("h", "i", true))
		h.see(member("i", "cid", true))
		h.expect("until that is read", "granted bob group-member [g h]", "granted cid group-member [g h i]")
		h.see(noGroup("h"))
		h.tick()
		h.expect("a nested group is deleted", "revoked bob not-a-member", "revoked cid not-a-member")
	})
}

// Of two ways that are as short, the one over the group that was known first.
func TestPathThroughADiamond(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read([]obs{
			person("ann"), group("g", address), group("a"), group("b"), group("z"),
			nested("g", "b", true), nested("g", "a", true), nested("a", "z", true), nested("b", "z", true), member("z", "ann", true),
		}, "g", "a", "b", "z")
		h.expect("", "policy group-members g", "granted ann group-member [g a z]",
			"refreshed users=1 groups=4 granted=1 revoked=0 removed=0 unproven=0")
		h.see(nested("g", "a", false))
		h.expect("the other way", "reason ann group-member [g b z]")
		h.see(nested("g", "a", true), nested("a", "z", true))
		h.expect("and back", "reason ann group-member [g a z]")
	})
}

func TestNestThatIsNotReadWhollyWaits(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read([]obs{person("ann"), person("bob"), group("g", address), group("h"), nested("g", "h", true), member("g", "ann", true)}, "g")
		h.expect("whose members are in h?", "refreshed users=2 groups=2 granted=0 revoked=0 removed=0 unproven=0",
			"read users=[] groups=[] members=0")
		h.see(member("h", "bob", true))
		h.roundEnded("contoso")
		h.tick()
		h.expect("", "policy group-members g", "granted ann group-member", "granted bob group-member [g h]")
	})
}

// Members of nested groups are members of what may come into force.
func TestCandidateWithNestedGroups(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		h.see(group("g", address), group("h"), nested("g", "h", true))
		h.settled()
		h.expect("nobody is in it")
		h.see(member("h", "ann", true))
		h.clock.Advance(settle)
		h.unread("h")
		h.tick()
		h.expect("not all of it is read", "read users=[] groups=[] members=0")
		h.settled()
		h.expect("", "opened flip#1 r1 +0 -2 of 3 group-members g", "listed flip#1 r1 bob:-not-a-member cid:-not-a-member")
		h.see(group("i"), nested("h", "i", true), member("i", "bob", true))
		h.expect("the list follows", "listed flip#1 r2 bob:off")
		h.see(noGroup("i"))
		h.expect("both ways", "listed flip#1 r3 bob:-not-a-member")
		h.reject("flip#1")
		h.see(group("i"))
		h.see(member("i", "bob", true))
		h.told()
		h.settled()
		h.expect("a nested group that is back is another membership", "opened flip#2 r1 +0 -1 of 3 group-members g",
			"listed flip#2 r1 cid:-not-a-member")
		h.see(noGroup("i"), member("h", "ann", false))
		h.expect("nobody is left", "closed flip#2 r1 withdrawn +0 -1")
	})
}

// Groups that many are in are seen to by a job, and bring one list.
func TestLargeNestedGroupLeaves(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read(join(people(10), []obs{group("g", address), group("h"), nested("g", "h", true), member("g", "u10", true)},
			members("h", true, ids(1, 9)...)), "g", "h")
		h.told()
		h.see(nested("g", "h", false))
		h.expect("a page is not enough for so many")
		h.restart()
		h.see(personAs("u9", "suspended"))
		h.expect("single changes pass", "revoked u9 suspended")
		h.tick()
		got := h.told()
		if got[0] != "opened revocations#1 r1 +0 -8 of 9" || len(got) != 1+4+8 {
			t.Fatalf("one list in parts, and eight licenses that stand on it: %v", got)
		}
		h.see(nested("g", "h", true))
		h.tick()
		h.told()
		h.see(members("h", true, ids(1, 8)...)...)
		if got = h.told(); got[len(got)-1] != "closed revocations#1 r2 withdrawn +0 -0" {
			t.Errorf("it is back, and its members are read: %v", got)
		}
	})
}

func TestWholeCustomerInAGroup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		guest := person("gil")
		guest.User.Guest = true
		h.read(join(people(6), []obs{guest, group("g", address), group("h"), nested("g", "h", true), everybody("h", true), member("g", "u1", true)}),
			"g", "h")
		h.expect("everybody but guests", "policy group-members g", "granted u1 group-member", "granted u2 group-member [g h]",
			"granted u3 group-member [g h]", "granted u4 group-member [g h]", "granted u5 group-member [g h]", "granted u6 group-member [g h]",
			"refreshed users=7 groups=2 granted=6 revoked=0 removed=0 unproven=0")
		h.see(person("ann"))
		h.expect("and who comes later", "granted ann group-member [g h]")
		h.see(everybody("h", false))
		h.tick()
		if got := h.told(); got[0] != "opened revocations#1 r1 +0 -6 of 7" || len(got) != 1+3+6 {
			t.Fatalf("one list: %v", got)
		}
		h.approve("revocations#1", 1)
		h.tick()
		if h.lost() != "ann u2 u3 u4 u5 u6" {
			t.Errorf("lost: %s", h.lost())
		}
		h.told()
		h.see(everybody("g", true))
		h.tick()
		h.expect("they are back", "granted u2 group-member", "granted u3 group-member", "granted u4 group-member",
			"granted u5 group-member", "granted u6 group-member", "granted ann group-member")
	})
}

// A group that holds the whole customer has members, though nobody is named as one: it is not the empty group of an admin who
// has yet to fill it.
func TestGroupOfNobodyButTheWholeCustomerCounts(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		h.see(group("g", address), everybody("g", true))
		h.settled()
		h.expect("it changes only the reason", "opened flip#1 r1 +0 -0 of 3 group-members g")
		h.see(everybody("g", false))
		h.expect("nobody is left", "closed flip#1 r1 withdrawn +0 -0")
		h.settled()
		h.see(group("h"), everybody("h", true), nested("g", "h", true))
		h.settled()
		h.expect("nor is a group within", "opened flip#2 r1 +0 -0 of 3 group-members g")
		h.approve("flip#2", 1)
		h.tick()
		h.expect("", "closed flip#2 r1 approved +0 -0 user:ops", "policy group-members g", "done flip#2 r1",
			"reason ann group-member [g h]", "reason bob group-member [g h]", "reason cid group-member [g h]")
	})
}

// Groups of a few are decided with the page, but many at once are a bulk there too.
func TestNestedGroupOfAFewLeaves(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.chunk = 100
		h.restart()
		h.read(join(people(20), []obs{group("g", address), group("h"), nested("g", "h", true)},
			members("g", true, ids(1, 15)...), members("h", true, ids(15, 20)...)), "g", "h")
		h.told()
		h.see(nested("g", "h", false))
		h.expect("five of twenty; u15 is in g itself", join([]string{"opened revocations#1 r1 +0 -5 of 20"},
			eachOf("reason %s held", ids(16, 20)...), []string{"listed revocations#1 r1 u16:-not-a-member u17:-not-a-member " +
				"u18:-not-a-member u19:-not-a-member u20:-not-a-member"})...)
	})
}
