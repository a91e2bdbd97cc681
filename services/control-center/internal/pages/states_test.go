package pages_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

var (
	given  = []string{"Ada", "Bela", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaja", "Liam"}
	family = []string{"Andersson", "Bianchi", "Çelik", "Dubois", "Eriksen", "Fischer", "García", "Horvat", "Ivanova", "Jansen"}
)

// lively is a tenant of some size, in the middle of a working day: two products, groups in groups, people who come and go.
func lively(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.house("contoso", tenant.SecureShare(), tenant.Drive())
	var users []directory.User
	for i := range 60 {
		name := given[i%len(given)] + " " + family[i%len(family)]
		u := directory.User{ID: fmt.Sprintf("u%02d", i), Name: name, Addresses: []string{fmt.Sprintf("user%02d@contoso.com", i)}, Status: directory.Active}
		switch {
		case i%17 == 5:
			u.Status = directory.Suspended
		case i%23 == 7:
			u.Guest = true
		}
		users = append(users, u)
	}
	w.put("contoso", users...)
	root := "virtru-secure-share-provisioning-group@contoso.com"
	w.group("contoso", directory.Group{ID: "sharers", Name: "Secure Share users", Addresses: []string{root}, Kind: directory.Security},
		directory.Membership{Kind: directory.GroupMember, ID: "sales"}, directory.Membership{Kind: directory.UserMember, ID: "u00"})
	var sales []directory.Membership
	for i := 1; i < 40; i++ {
		sales = append(sales, directory.Membership{Kind: directory.UserMember, ID: fmt.Sprintf("u%02d", i)})
	}
	w.group("contoso", directory.Group{ID: "sales", Name: "Sales Europe", Addresses: []string{"sales@contoso.com"}, Kind: directory.Microsoft365}, sales...)
	w.group("contoso", directory.Group{ID: "marketing", Name: "Marketing", Addresses: []string{"marketing@contoso.com"}, Kind: directory.Distribution})
	w.product("contoso", "secure-share", func(p *ledger.Product) {
		p.State.Policy = licensing.Policy{Mode: licensing.GroupMembers, Group: "sharers"}
		p.Seats = licensing.Seats{Purchased: 30}
	})
	day := 24 * time.Hour
	var share, drive []decided
	for i, u := range users {
		at := w.origin.Add(-80*day + time.Duration(i)*day)
		active := u.Status == directory.Active && !u.Guest
		if i < 40 {
			share = append(share, decided{user: u.ID, licensed: true, reason: licensing.GroupMember, path: []string{"sharers", "sales"}, at: at})
			switch {
			case u.Guest:
				share = append(share, decided{user: u.ID, reason: licensing.Guest, at: at.Add(10 * day)})
			case !active:
				share = append(share, decided{user: u.ID, reason: licensing.Suspended, at: at.Add(10 * day)})
			}
		}
		if active {
			drive = append(drive, decided{user: u.ID, licensed: true, reason: licensing.DomainDefault, at: at.Add(day)})
		}
	}
	w.decide("contoso", "secure-share", share...)
	w.decide("contoso", "drive", drive...)
	for i, resource := range []string{"users", "groups"} {
		w.channel("contoso", fmt.Sprintf("channel-%d", i), map[string]any{
			"resource": resource, "created": w.origin, "renewed": w.origin, "expires": time.Now().Add(time.Duration(28-i) * time.Hour),
		})
	}
	return w
}

// parked is lively with a flip that waits.
func parked(t testing.TB) *world {
	t.Helper()
	w := lively(t)
	var lines []ledger.HeldUser
	for i := range 12 {
		lines = append(lines, ledger.HeldUser{Ref: fmt.Sprintf("u%02d", i), Revision: 2, Reason: string(licensing.NotAMember)})
	}
	lines = append(lines, ledger.HeldUser{Ref: "u50", Revision: 2, Licensed: true, Reason: string(licensing.GroupMember)})
	w.hold("contoso", "drive", ledger.Held{
		Ref: "flip-7", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 2, Mode: string(licensing.GroupMembers), Group: "sales", Grants: 1, Revocations: 12,
		OpenedAt: time.Now().Add(-20 * time.Minute), ExpiresAt: time.Now().Add(71 * time.Hour),
	}, lines...)
	return w
}

// troubled is lively with everything in its way that can be.
func troubled(t testing.TB) *world {
	t.Helper()
	w := lively(t)
	w.tenant("contoso", func(t *ledger.Tenant) {
		t.Frozen, t.Paused, t.StaleSince, t.RoundBegan = true, true, w.origin, time.Now().Add(-47*time.Minute)
	})
	w.product("contoso", "secure-share", func(p *ledger.Product) { p.State.Conflict = true })
	w.ending("contoso", "secure-share", ledger.Credential{
		Expires: w.origin, Days: 1, Detail: "the client secret of the application ends at 2026-11-20 09:00 UTC", Action: "make a new client secret",
	})
	w.degrade("contoso", "secure-share", ledger.Connection{
		Class: event.ClassSignIn, Since: w.origin, Detail: "Microsoft does not accept the client secret any more: it expired on 2026-11-20",
		Action: "make a new client secret for the application in the Entra admin center, and put it into the file that the tenant names",
	})
	return w
}

// refreshing is lively while a refresh waits to be done.
func refreshing(t testing.TB) *world {
	t.Helper()
	w := lively(t)
	if a := w.post("/tenants/contoso/refreshes", "key", "k", "mode", "preview"); a.header.Get("Location") != "/tenants/contoso/refreshes/k" {
		t.Fatalf("%d to %s", a.status, a.header.Get("Location"))
	}
	return w
}

// ended is lively after it was disconnected, with its licenses kept.
func ended(t testing.TB) *world {
	t.Helper()
	w := lively(t)
	w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = ledger.LicensesKept })
	if _, err := w.registry.Change(t.Context(), "contoso", func(t *tenant.Tenant) error { t.Disconnected = true; return nil }); err != nil {
		t.Fatal(err)
	}
	return w
}

func firstSync(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.connect("contoso")
	w.tenant("contoso", func(*ledger.Tenant) {})
	w.put("contoso", person("ann", "Ann Archer"))
	return w
}

func several(t testing.TB) *world {
	t.Helper()
	w := troubled(t)
	w.house("fabrikam")
	w.connect("northwind")
	return w
}

// state is one page in one state.
type state struct {
	name  string
	world func(testing.TB) *world // shared by all states that have it
	who   access.Principal
	path  string
	sees  string
	wait  string // condition beyond the page's being there
	error bool   // the browser notes that it is one
}

const drawn = `(() => { const c = document.querySelector('.chart[data-drawn]'); return c?.querySelector('canvas')?.clientHeight > 150 && c.scrollHeight <= c.clientHeight + 1; })()`

func states() []state {
	return []state{
		{name: "tenants", world: several, who: operator, path: "/", sees: "northwind"},
		{name: "tenants-none", world: newWorld, who: operator, path: "/", sees: "No tenant yet"},
		{name: "overview", world: lively, who: admin, path: "/tenants/contoso", sees: "Licenses over time", wait: drawn},
		{name: "overview-held", world: parked, who: admin, path: "/tenants/contoso", sees: "waits for somebody", wait: drawn},
		{name: "overview-degraded", world: troubled, who: admin, path: "/tenants/contoso", sees: "What to do", wait: drawn},
		{name: "overview-first-sync", world: firstSync, who: admin, path: "/tenants/contoso", sees: "The first sync is running"},
		{name: "overview-read-only", world: parked, who: auditor, path: "/tenants/contoso", sees: "Auditor, read-only", wait: drawn},
		{name: "usage", world: lively, who: admin, path: "/tenants/contoso/usage", sees: "Licenses over time"},
		{name: "users", world: lively, who: admin, path: "/tenants/contoso/users", sees: "60 users"},
		{name: "users-in-groups", world: lively, who: admin, path: "/tenants/contoso/users?group=sales@contoso.com&licensed=no", sees: "5 users"},
		{name: "users-none", world: lively, who: admin, path: "/tenants/contoso/users?group=nobody@contoso.com", sees: "No group has the address"},
		{name: "users-fault", world: lively, who: admin, path: "/tenants/contoso/users?q=is:licensed+AND+(", sees: "cannot be read at character", error: true},
		{name: "users-as-of", world: lively, who: auditor, path: "/tenants/contoso/users?day=2026-01-01", sees: "As of 2026-01-01"},
		{name: "users-first-sync", world: firstSync, who: admin, path: "/tenants/contoso/users", sees: "The first sync is running"},
		{name: "user", world: parked, who: admin, path: "/tenants/contoso/users/u05", sees: "Directory record"},
		{name: "user-first-sync", world: firstSync, who: admin, path: "/tenants/contoso/users/ann", sees: "nothing can be said"},
		{name: "groups", world: lively, who: admin, path: "/tenants/contoso/groups", sees: "Marketing"},
		{name: "groups-none", world: lively, who: admin, path: "/tenants/contoso/groups?q=zz", sees: "No group"},
		{name: "groups-first-sync", world: firstSync, who: admin, path: "/tenants/contoso/groups", sees: "The first sync is running"},
		{name: "group", world: lively, who: admin, path: "/tenants/contoso/groups/sharers", sees: "Groups inside it"},
		{name: "group-not-kept", world: lively, who: admin, path: "/tenants/contoso/groups/marketing", sees: "Its members are not kept"},
		{name: "activity", world: parked, who: admin, path: "/tenants/contoso/activity", sees: "Granted"},
		{name: "activity-none", world: firstSync, who: admin, path: "/tenants/contoso/activity", sees: "Nothing has happened"},
		{name: "held", world: parked, who: admin, path: "/tenants/contoso/held/flip-7", sees: "Approve revision 2"},
		{name: "held-read-only", world: parked, who: auditor, path: "/tenants/contoso/held/flip-7", sees: "not decide"},
		{name: "connections", world: lively, who: admin, path: "/tenants/contoso/connections", sees: "Push channels"},
		{name: "connections-degraded", world: troubled, who: admin, path: "/tenants/contoso/connections", sees: "What to do"},
		{name: "connections-first-sync", world: firstSync, who: admin, path: "/tenants/contoso/connections", sees: "No push channel"},
		{name: "connections-disconnected", world: ended, who: admin, path: "/tenants/contoso/connections", sees: "Connect it again"},
		{name: "settings", world: lively, who: admin, path: "/tenants/contoso/settings", sees: "Purchased seats"},
		{name: "settings-read-only", world: lively, who: auditor, path: "/tenants/contoso/settings", sees: "not change them"},
		{name: "disconnect", world: lively, who: admin, path: "/tenants/contoso/disconnect", sees: "What becomes of the licenses"},
		{name: "erase-licensed", world: ended, who: operator, path: "/tenants/contoso/erase", sees: "can be erased"},
		{name: "settings-disconnected", world: ended, who: operator, path: "/tenants/contoso/settings", sees: "Erase contoso"},
		{name: "refresh", world: refreshing, who: admin, path: "/tenants/contoso/refreshes/k", sees: "The directory is being read"},
		{name: "not-found", world: lively, who: admin, path: "/tenants/fabrikam", sees: "Nothing is here", error: true},
	}
}
