package apply_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

func TestSeatsThatAreNoLimit(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		h.seats(3, false)
		h.expect("", "seats 3 enforce=false used=3", "done")
		h.see(person("dan"))
		h.expect("more than that is told, once", "granted dan domain-default", "exceeded 4/3")
		h.see(person("eve"))
		h.expect("once", "granted eve domain-default")
		h.see(personAs("ann", "suspended"), personAs("bob", "suspended"))
		h.expect("and again when it is over", "revoked ann suspended", "revoked bob suspended", "within 3/3")
		h.see(person("bob"))
		h.seats(4, false)
		h.expect("seats may be bought as well", "granted bob domain-default", "exceeded 4/3", "seats 4 enforce=false used=4", "done", "within 4/4")
		h.seats(1, false)
		h.expect("fewer take nobody's", "seats 1 enforce=false used=4", "done", "exceeded 4/1")
		h.seats(event.SeatsNotSet, false)
		h.expect("nobody knows", "seats unset enforce=false used=4", "done")
		h.seats(4, false)
		h.expect("until somebody does", "seats 4 enforce=false used=4", "done")
		h.seats(4, false)
		h.expect("what is so already is done", "done")
		h.seats(-2, false)
		h.expect("", "refused bad-request")
	})
}

func TestSeatsAreNoLimitUnlessSomebodySaysSo(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		ask := func(s event.SeatsRequested) {
			s.Product, s.By = share, operator
			h.ask("contoso", event.VerbSeats, event.TypeSeatsRequested, s)
		}
		yes := true
		ask(event.SeatsRequested{Purchased: number(3)})
		h.see(person("dan"))
		h.expect("a number alone", "seats 3 enforce=false used=3", "done", "granted dan domain-default", "exceeded 4/3")
		ask(event.SeatsRequested{Enforce: &yes})
		h.see(person("eve"))
		h.expect("now somebody has", "seats 3 enforce=true used=4", "done", "eve joins the line at 1")
	})
}

// A bulk tells where it has come to, not what it passes.
func TestSeatsDuringAFlip(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read(people(6))
		h.seats(4, false)
		h.see(join([]obs{group("g", address)}, members("g", true, ids(1, 3)...))...)
		h.told()
		h.settled()
		h.told()
		h.approve("flip#1", 1)
		h.tick()
		h.expect("", "closed flip#1 r1 approved +0 -3 user:ops", "policy group-members g", "done flip#1 r1",
			"reason u1 group-member", "reason u2 group-member", "revoked u4 not-a-member", "reason u3 group-member",
			"revoked u5 not-a-member", "revoked u6 not-a-member", "within 3/4")
	})
}

func TestEnforcedSeats(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		h.seats(2, true)
		h.expect("who holds one keeps it", "seats 2 enforce=true used=3", "done", "exceeded 3/2")
		h.see(person("dan"), person("eve"))
		h.see(person("fay"))
		h.expect("others wait", "dan joins the line at 1", "eve joins the line at 2", "fay joins the line at 3")
		h.see(personAs("ann", "deleted"))
		h.expect("there is still none free", "revoked ann deleted", "within 2/2")
		h.see(personAs("dan", "suspended"))
		h.expect("who has no right to one leaves the line", "dan leaves the line at 1")
		h.see(personAs("bob", "suspended"))
		h.expect("a seat for the next", "revoked bob suspended", "eve leaves the line at 2", "granted eve domain-default")
		h.see(person("dan"), person("bob"))
		h.expect("who comes back is behind", "dan joins the line at 4", "bob joins the line at 5", "reason bob over-seat-limit")
		h.see(person("dan"), renamed("fay"), renamed("bob"))
		h.expect("and keeps the place")
		h.seats(4, true)
		h.tick()
		h.expect("more seats go by the line", "seats 4 enforce=true used=2", "done", "fay leaves the line at 3", "granted fay domain-default",
			"dan leaves the line at 4", "granted dan domain-default")
		h.seats(1, true)
		h.expect("fewer take nobody's", "seats 1 enforce=true used=4", "done", "exceeded 4/1")
		h.seats(1, false)
		h.tick()
		h.expect("without a limit all are in", "seats 1 enforce=false used=4", "done", "bob leaves the line at 5", "granted bob domain-default")
	})
}

// Also more of them than one transaction sees to.
func TestLongLines(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read(people(1))
		h.seats(1, true)
		h.see(people(12)...)
		h.told()
		h.seats(6, true)
		h.restart()
		h.tickOnce()
		h.see(personAs("u12", "deleted"))
		h.tick()
		var granted []string
		for _, ev := range h.drain() {
			if ev.Type() == event.TypeLicenseGranted {
				granted = append(granted, ev.Subject())
			}
		}
		if len(granted) != 5 || granted[0] != "u2" || granted[4] != "u6" {
			t.Errorf("seats went to %v", granted)
		}
		h.seats(6, false)
		h.tick()
		if h.told(); h.lost() != "" || len(h.records[event.LicenseSource("contoso", share)].licensed()) != 11 {
			t.Errorf("without a limit %d are licensed", len(h.records[event.LicenseSource("contoso", share)].licensed()))
		}
	})
}

// The seats that a flip frees go to those who may have them under the new policy: others leave the line unserved.
func TestLineDuringAFlip(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read(people(4))
		h.seats(4, true)
		h.see(person("ann"), person("bob"), person("cid"))
		h.see(group("g", address), member("g", "u1", true), member("g", "cid", true), member("g", "dan", true))
		h.told()
		h.settled()
		h.expect("who waits is on no list", "opened flip#1 r1 +0 -3 of 4 group-members g",
			"listed flip#1 r1 u2:-not-a-member u3:-not-a-member", "listed flip#1 r1 u4:-not-a-member")
		h.approve("flip#1", 1)
		h.told()
		h.see(person("dan"))
		h.expect("dan comes, and none is free", "dan joins the line at 4")
		h.tick()
		h.expect("", "revoked u2 not-a-member", "reason u1 group-member", "ann leaves the line at 1",
			"bob leaves the line at 2", "cid leaves the line at 3", "granted cid group-member",
			"revoked u3 not-a-member", "revoked u4 not-a-member", "dan leaves the line at 4", "granted dan group-member")
	})
}

func TestLineWithSeveralProducts(t *testing.T) {
	t.Parallel()
	both, _ := twoProducts()
	each(t, func(_ *testing.T, h *harness) {
		h.read(people(1))
		h.told()
		h.seats(1, true)
		h.see(person("ann"))
		h.expect("one product's limit is none for another", "seats 1 enforce=true used=1", "done", "granted ann domain-default",
			"ann joins the line at 1")
	}, both)
}
