package apply_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// twoWithin is a tenant whose provisioning group g holds the groups a and b: ann is in a, bob in b, cid in neither. What one
// request shows may be a part of what there is to see.
func twoWithin(h *harness) {
	h.t.Helper()
	h.whole = true
	h.begin()
	h.read([]obs{
		person("ann"), person("bob"), person("cid"), group("g", address), group("a"), group("b"),
		nested("g", "a", true), nested("g", "b", true), member("a", "ann", true), member("b", "bob", true),
	}, "g", "a", "b")
	h.told()
	h.next()
}

// next lets a moment pass.
func (h *harness) next() { h.clock.Advance(time.Second) }

const aRound = "read users=[] groups=[] members=0"

// A user moves from one nested group to another. The groups are read one after the other, the one that was left first.
func TestWhoMovesBetweenGroupsIsInOneAllTheTime(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		twoWithin(h)
		began := h.clock.Now()
		h.next()
		h.see(member("a", "ann", false))
		h.tick()
		h.expect("b was read before that", aRound)
		h.restart()
		h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: began})
		h.tick()
		h.expect("so was all that this round has shown", aRound)
		h.next()
		began = h.clock.Now()
		h.next()
		h.see(member("b", "ann", true))
		h.expect("ann is there", "reason ann group-member [g b]")
		h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: began})
		h.tick()
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("and nothing follows")
	})
}

func TestWhoLeavesANestIsRevokedWhenARoundHasShownAllOfIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		twoWithin(h)
		h.see(member("a", "ann", false))
		left := h.stream
		h.see(person("bob"))
		h.expect("once", aRound)
		h.roundEnded("contoso")
		h.tick()
		h.expect("a round that began at that moment may have read b before it", aRound)
		h.roundEnded("contoso")
		h.tick()
		h.expect("it has said so to another who asked for it")
		h.next()
		h.roundEnded("contoso")
		h.expect("not by the message itself")
		h.restart()
		h.tick()
		h.expect("ann has left", "revoked ann not-a-member")
		if got, want := event.Cause(h.events[len(h.events)-1]), fmt.Sprint("in.", left); got != want {
			t.Errorf("because of %s, and not of the page %s", got, want)
		}
		h.next()
		h.roundEnded("contoso")
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("once")
	})
}

func TestWhoLeavesANestIsRevokedAlthoughNoRoundComes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		twoWithin(h)
		h.see(member("a", "ann", false))
		if !h.last.Timers {
			t.Error("nobody is told that there is something to do")
		}
		h.next()
		h.see(member("b", "bob", false))
		h.expect("one round is for both", aRound)
		h.clock.Advance(15*time.Minute - time.Second - time.Microsecond)
		h.restart()
		h.tick()
		h.expect("it may yet come")
		if more, at := h.nextTimer(t); more || !at.Equal(h.clock.Now().Add(time.Microsecond)) {
			t.Errorf("more %v, next at %v", more, at)
		}
		h.clock.Advance(time.Microsecond)
		h.tick()
		h.expect("a quarter of an hour is enough", "revoked ann not-a-member")
		h.next()
		h.tick()
		h.expect("for each", "revoked bob not-a-member")
	})
}

// A round that has not shown all of the nest shows nothing about who has left it.
func TestWhoLeavesWaitsForGroupsThatAreNotRead(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		twoWithin(h)
		h.see(member("a", "ann", false))
		h.told()
		h.next()
		h.unread("b")
		h.tick()
		h.expect("b is not read yet, and asking would not help")
		h.roundEnded("contoso", "g")
		h.tick()
		h.expect("nor would it while g may be another one soon")
		h.see(member("b", "bob", false))
		h.expect("somebody waits already")
		h.next()
		h.unread("another")
		h.tick()
		h.expect("groups that are no part of it are nobody's concern", "revoked ann not-a-member", "revoked bob not-a-member")
	})
}

// A nested group goes from one parent to another; what was known of its members meanwhile is forgotten, as nobody watches it.
func TestNestedGroupThatMovesTakesNobodysLicense(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.chunk = 10
		twoWithin(h)
		h.see(group("c"), nested("a", "c", true))
		h.see(member("c", "cid", true))
		h.expect("", "granted cid group-member [g a c]")
		h.next()
		h.see(nested("a", "c", false))
		h.expect("c is in no group of the nest", aRound)
		h.next()
		began := h.clock.Now()
		h.see(nested("b", "c", true))
		h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: began, Unread: []string{"c"}})
		h.tick()
		h.expect("it is in b, and will be read")
		h.next()
		h.see(member("c", "cid", true))
		h.expect("as it is", "reason cid group-member [g b c]")
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("so nothing has happened")
		h.see(nested("b", "c", false))
		h.told()
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("until it leaves", "revoked cid not-a-member")
	})
}

// So does one that many are in, who are gone through by a job: not before it is known that they have left.
func TestLargeNestedGroupThatMovesTakesNobodysLicense(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.whole = true
		h.begin()
		h.read(join(people(12), []obs{
			group("g", address), group("a"), group("b"), group("c"), group("d"), nested("g", "a", true),
			nested("g", "b", true), nested("a", "c", true), nested("b", "d", true),
		}, members("g", true, ids(9, 12)...),
			members("c", true, ids(1, 4)...), members("d", true, ids(5, 8)...)), "g", "a", "b", "c", "d")
		h.told()
		h.next()
		h.see(nested("a", "c", false))
		h.tick()
		h.expect("four at once", aRound)
		h.next()
		began := h.clock.Now()
		h.see(nested("b", "c", true), nested("b", "d", false), nested("a", "d", true))
		h.see(members("c", true, ids(1, 4)...)...)
		h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: began})
		h.tick()
		h.expect("all in another group now", join(eachOf("reason %s group-member [g b c]", ids(1, 4)...),
			eachOf("reason %s group-member [g a d]", ids(5, 8)...))...)
		h.next()
		h.see(nested("b", "c", false), nested("g", "d", true))
		h.tick()
		h.expect("four may have moved, and four others have a shorter way", join([]string{aRound}, eachOf("reason %s group-member [g d]", ids(5, 8)...))...)
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("they have left", eachOf("revoked %s not-a-member", ids(1, 4)...)...)
	})
}

func TestTheWholeCustomerLeavesANest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.guard("contoso", ledger.Hold{Expiry: week})
		twoWithin(h)
		h.see(everybody("a", true))
		h.tick()
		h.expect("cid as well", "reason bob group-member [g a]", "granted cid group-member [g a]")
		h.see(everybody("a", false))
		h.tick()
		h.expect("from a", aRound)
		h.next()
		h.see(everybody("b", true))
		h.tick()
		h.expect("to b", "reason bob group-member [g b]", "reason cid group-member [g b]")
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("nobody has left")
	})
}

// The one group that is left of a nest is no nest, but who was deeper in it may be in that.
func TestWhoLeavesWithTheLastNestedGroup(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.chunk = 10
		twoWithin(h)
		h.see(nested("g", "a", false), nested("g", "b", false))
		h.expect("both may be members of g itself", aRound)
		h.next()
		h.see(member("g", "bob", true))
		h.expect("one is", "reason bob group-member")
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("the other is not", "revoked ann not-a-member")
		h.see(member("g", "bob", false))
		h.expect("there is one group, and it was read", "revoked bob not-a-member")
	})
}

// Every other reason counts at once: a read of one user tells all there is to know.
func TestOnlyWhoMayBeElsewhereWaits(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		twoWithin(h)
		h.see(personAs("bob", "suspended"))
		h.expect("suspended", "revoked bob suspended")
		h.see(member("a", "ann", false))
		h.expect("may be in b", aRound)
		h.see(personAs("ann", "suspended"))
		h.expect("but has no license any more", "revoked ann suspended")
		h.see(person("ann"))
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("and is in no group", "reason ann not-a-member")
	})
}

// Those whom one page has shown to leave are a bulk together, however many of them a transaction may decide otherwise.
func TestABulkThatLeavesIsHeld(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.whole = true
		h.begin()
		h.read(join(people(20), []obs{group("g", address), group("h"), nested("g", "h", true)},
			members("g", true, ids(1, 10)...), members("h", true, ids(11, 20)...)), "g", "h")
		h.told()
		h.next()
		h.see(members("h", false, ids(15, 20)...)...)
		h.expect("six of twenty", aRound)
		h.next()
		h.see(member("g", "u20", true))
		h.expect("one is there", "reason u20 group-member")
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("five are a bulk", join([]string{"opened revocations#1 r1 +0 -5 of 20"}, eachOf("reason %s held", ids(15, 19)...),
			[]string{"listed revocations#1 r1 u15:-not-a-member u16:-not-a-member u17:-not-a-member u18:-not-a-member u19:-not-a-member"})...)
		h.see(member("g", "u15", true))
		h.expect("one of them is there as well", "reason u15 group-member", "listed revocations#1 r2 u15:off")
	})
}

func TestWhoLeavesAFrozenTenantIsParked(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		twoWithin(h)
		h.see(member("a", "ann", false))
		h.ask("contoso", event.VerbSettings, event.TypeSettingsRequested, event.SettingsRequested{Frozen: new(true), By: operator})
		h.told()
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("as ever", "opened freeze#1 r1 +0 -1 of 2", "reason ann held", "listed freeze#1 r1 ann:-not-a-member")
	})
}

func TestWhoLeavesAPausedTenantIsDecidedAfterThePause(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		twoWithin(h)
		h.see(member("a", "ann", false))
		h.ask("contoso", event.VerbSettings, event.TypeSettingsRequested, event.SettingsRequested{Paused: new(true), By: operator})
		h.told()
		h.next()
		h.roundEnded("contoso")
		h.see(member("b", "bob", false))
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("nothing is decided")
		if n := h.rowsIn("leaving"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		h.ask("contoso", event.VerbSettings, event.TypeSettingsRequested, event.SettingsRequested{Paused: new(false), By: operator})
		h.tick()
		if h.lost() != "ann bob" {
			t.Errorf("lost: %s", h.lost())
		}
	})
}

func TestNobodyLeavesATenantOrAProductThatIsNoMore(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*harness){
		"disconnected": func(h *harness) {
			h.ask("contoso", event.VerbDisconnect, event.TypeDisconnectRequested, event.DisconnectRequested{Licenses: event.LicensesKeep, By: operator})
		},
		"retired": func(h *harness) {
			h.tenants["contoso"] = tenant.Tenant{ID: "contoso", Domain: "contoso.com"}
			h.see(person("dan"))
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, h *harness) {
				twoWithin(h)
				h.see(member("a", "ann", false))
				end(h)
				h.told()
				if n := h.rowsIn("leaving"); n != 0 {
					t.Errorf("%d rows are left", n)
				}
				h.clock.Advance(time.Hour)
				h.tick()
				h.expect("nothing")
			})
		})
	}
}

// A full read has had all its effects when those who left by it are decided.
func TestARefreshEndsWithThoseWhoLeftByIt(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.guard("contoso", ledger.Hold{Expiry: week})
		twoWithin(h)
		h.at++
		h.snapshotPage("contoso", "again", h.at, person("ann"), person("bob"), person("cid"), group("g", address), group("a"), group("b"),
			nested("g", "a", true), nested("g", "b", true), member("a", "ann", false), member("b", "bob", true))
		h.snapshotEnded("contoso", "again", h.at, 1, "g", "a", "b")
		h.tick()
		h.expect("ann has yet to be decided", aRound)
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("now it is done", "revoked ann not-a-member", "refreshed users=3 groups=3 granted=0 revoked=1 removed=1 unproven=0")
	})
}

// nextTimer is when there will be more to do.
func (h *harness) nextTimer(t *testing.T) (bool, time.Time) {
	t.Helper()
	more, at, err := h.applier.Tick(t.Context(), h.owner)
	if err != nil {
		t.Fatal(err)
	}
	return more, at
}
