package apply_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestDisconnectedTenantMayKeepItsLicenses(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.see(members("g", false, ids(1, 5)...)...)
		h.told()
		h.disconnect(event.LicensesKeep)
		h.expect("what waited is withdrawn", "closed revocations#1 r1 withdrawn +0 -5",
			"settings paused=false frozen=false connected=false hold 20% 5 604800s", "done")
		h.see(personAs("u9", "deleted"), person("ann"), member("g", "ann", true))
		h.settled()
		h.expect("nobody follows it any more")
		h.disconnect(event.LicensesKeep)
		h.expect("twice is once", "done")
		h.connect()
		h.expect("", "settings paused=false frozen=false connected=true hold 20% 5 604800s", "done")
		h.connect()
		h.expect("", "refused not-disconnected")
		h.see(person("ann"), member("g", "ann", true), personAs("u10", "suspended"))
		h.tick()
		h.expect("nothing is decided before all is read")
		h.read(join(people(10), []obs{person("ann"), personAs("u10", "suspended"), group("g", address), member("g", "ann", true)},
			members("g", false, ids(1, 5)...), members("g", true, ids(6, 10)...)), "g")
		h.expect("then everything is, with one list", "granted ann group-member", "opened revocations#2 r1 +0 -6 of 11",
			"listed revocations#2 r1 u1:-not-a-member u2:-not-a-member u3:-not-a-member u4:-not-a-member u5:-not-a-member u10:-suspended",
			"reason u10 held", "refreshed users=11 groups=1 granted=1 revoked=0 removed=0 unproven=0")
	})
}

func TestDisconnectedTenantMayLoseItsLicenses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		grouped(h, 4)
		h.see(member("g", "u4", false))
		h.told()
		h.chunk = 2
		h.restart()
		h.disconnect(event.LicensesRevoke)
		h.expect("", "settings paused=false frozen=false connected=false hold 20% 5 604800s", "done")
		h.tickOnce()
		h.restart()
		h.tick()
		h.expect("one event for each", "revoked u1 disconnected", "revoked u2 disconnected", "revoked u3 disconnected", "reason u4 disconnected")
		h.see(person("u9"))
		h.expect("and nothing more")
		h.connect()
		h.told()
		h.read(join(people(4), []obs{group("g", address)}, members("g", true, ids(1, 4)...)), "g")
		if h.lost() != "" {
			t.Errorf("still without a license: %s", h.lost())
		}
	})
}

func TestReconnectionWithAnotherDomainIsHeld(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read([]obs{person("ann"), person("bob"), group("g", address), member("g", "ann", true)}, "g")
		h.holding(flipsApply)
		h.disconnect(event.LicensesKeep)
		moved := contoso()
		moved.Domain = "contoso.org"
		h.tenants["contoso"] = moved
		h.connect()
		h.told()
		h.read([]obs{person("ann"), person("bob"), group("g", address), member("g", "ann", true)}, "g")
		h.told()
		h.settled()
		h.expect("ann keeps hers until somebody has said so", "opened flip#1 r1 +1 -0 of 1 all-users", "listed flip#1 r1 bob:+domain-default")
		h.reject("flip#1")
		h.expect("", "closed flip#1 r1 rejected +1 -0 user:ops", "done flip#1 r1")
	})
}

func TestErase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		grouped(h, 3)
		h.seats(3, true)
		h.see(person("u4"), member("g", "u4", true))
		h.told()
		h.erase()
		h.expect("not while it is connected", "refused not-disconnected")
		h.disconnect(event.LicensesKeep)
		h.erase()
		h.expect("nor while anybody is licensed", "settings paused=false frozen=false connected=false hold 20% 5 604800s", "done",
			"refused bad-request")
		h.disconnect(event.LicensesRevoke)
		h.tick()
		h.expect("", "settings paused=false frozen=false connected=false hold 20% 5 604800s", "done",
			"u4 leaves the line at 1", "revoked u1 disconnected", "revoked u2 disconnected", "revoked u3 disconnected")
		h.chunk = 1
		h.restart()
		h.erase()
		h.tickOnce()
		h.connect()
		h.expect("not before all is forgotten", "refused bad-request")
		h.disconnect(event.LicensesKeep)
		h.expect("which goes on", "settings paused=false frozen=false connected=false hold 20% 5 604800s", "done")
		h.tick()
		h.expect("", "done")
		h.erased("contoso")
		for _, table := range []string{
			"users", "user_addresses", "groups", "group_addresses", "memberships", "entitlements", "history", "held", "held_users",
			"waiting", "revocations", "causes", "records", "connections", "credentials", "jobs", "snapshots", "proofs",
			"activations", "usage",
		} {
			if n := h.rowsIn(table); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		before := h.records[event.LicenseSource("contoso", share)].sequence
		h.read(people(2))
		h.expect("connected again it begins as any new one does", "policy all-users", "granted u1 domain-default", "granted u2 domain-default",
			"refreshed users=2 groups=0 granted=2 revoked=0 removed=0 unproven=0")
		if after := h.records[event.LicenseSource("contoso", share)].sequence; after != before+3 {
			t.Errorf("sequence %d follows %d", after, before)
		}
	})
}

// What the registry names no more ends with the tenant.
func TestEndOfATenantIsTheEndOfAllItsProducts(t *testing.T) {
	t.Parallel()
	both, _ := twoProducts()
	each(t, func(t *testing.T, h *harness) {
		h.chunk = 100
		h.restart()
		h.read(people(2))
		one := both
		one.Products = one.Products[:1:1]
		h.tenants["contoso"] = one
		h.see(person("u3"))
		h.told()
		h.disconnect(event.LicensesRevoke)
		h.tick()
		want := []string{
			"revoked u1 disconnected", "revoked u1 disconnected", "revoked u2 disconnected", "revoked u2 disconnected", "revoked u3 disconnected",
		}
		got := slices.DeleteFunc(h.told(), func(line string) bool { return !strings.HasPrefix(line, "revoked") })
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		h.erase()
		h.tick()
		h.expect("", "done")
		h.erased("contoso")
	}, both)
}

// A product that comes back with licenses that somebody holds takes none of them in bulk.
func TestProductThatComesBackIsReviewed(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.chunk = 100
		h.restart()
		h.read(people(10))
		h.told()
		without := contoso()
		without.Products = []tenant.Product{}
		h.tenants["contoso"] = without
		h.see(group("g", address), member("g", "u1", true), member("g", "u2", true))
		h.tenants["contoso"] = contoso()
		h.roundEnded("contoso")
		h.tick()
		h.expect("its group counts at once, and eight are a bulk", "policy group-members g", "reason u1 group-member", "reason u2 group-member",
			"opened revocations#1 r1 +0 -8 of 10", "listed revocations#1 r1 u3:-not-a-member u4:-not-a-member u5:-not-a-member u6:-not-a-member "+
				"u7:-not-a-member u8:-not-a-member u9:-not-a-member u10:-not-a-member",
			"reason u3 held", "reason u4 held", "reason u5 held", "reason u6 held", "reason u7 held", "reason u8 held", "reason u9 held",
			"reason u10 held")
	})
}
