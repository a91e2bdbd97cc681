package pages_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

func person(id, name string) directory.User {
	return directory.User{ID: id, Name: name, Addresses: []string{id + "@contoso.com", id + ".alias@contoso.com"}, Status: directory.Active}
}

// contoso is a tenant with three users of whom two are licensed.
func contoso(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.house("contoso")
	bob := person("bob", "Bob Babbage")
	bob.Status = directory.Suspended
	w.put("contoso", person("ann", "Ann Archer"), bob, person("cid", "Cid Curie"))
	w.decide("contoso", "secure-share",
		decided{user: "ann", licensed: true, reason: licensing.DomainDefault, at: w.origin},
		decided{user: "bob", licensed: true, reason: licensing.DomainDefault, at: w.origin},
		decided{user: "cid", licensed: true, reason: licensing.DomainDefault, at: w.origin},
		decided{user: "bob", reason: licensing.Suspended, at: w.origin.Add(time.Hour)})
	return w
}

func TestTheOverviewTellsHowATenantStands(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.product("contoso", "secure-share", func(p *ledger.Product) { p.Seats = licensing.Seats{Purchased: 1} })
	w.channel("contoso", "c1", map[string]any{"resource": "users", "created": w.origin, "renewed": w.origin, "expires": time.Now().Add(50 * time.Hour)})
	text := w.page("/tenants/contoso")
	has(t, text, "<title>Overview · contoso · Rollcall</title>", "Secure Share", "All users", "of 1 seat", "1 seat over",
		"Every active user is licensed", "3 users", " s ago</time>", "the first expires in 2 days", "Working", `href="/tenants/contoso/settings"`)
	lacks(t, text, "first sync", "frozen")
	w.tenant("contoso", func(t *ledger.Tenant) { t.Frozen, t.Paused, t.Restoring, t.StaleSince = true, true, true, w.origin })
	w.degrade("contoso", "secure-share", ledger.Connection{
		Class: event.ClassSignIn, Detail: "the client secret has expired", Action: "make a new client secret", Since: w.origin,
	})
	has(t, w.page("/tenants/contoso"), "This tenant is frozen", "This tenant is paused", "The mirror is being restored", "was lost",
		"(sign-in)", "The client secret has expired.", "<strong>What to do:</strong> Make a new client secret.", "Degraded")
}

func TestACredentialThatEndsIsShown(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	lacks(t, w.page("/tenants/contoso/connections"), "Credential ends")
	end := ledger.Credential{Expires: time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)}
	w.ending("contoso", "secure-share", end)
	has(t, w.page("/tenants/contoso/connections"), "Credential ends", "2026-12-24")
	lacks(t, w.page("/tenants/contoso"), "What to do")
	end.Days, end.Detail, end.Action = 30, "the certificate ends", "make a new certificate"
	w.ending("contoso", "secure-share", end)
	for _, path := range []string{"", "/connections"} {
		has(t, w.page("/tenants/contoso"+path), "ends on 24 December 2026", "The certificate ends.", "<strong>What to do:</strong> Make a new certificate.", "Working")
	}
}

func TestTheFirstSyncIsAStateOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("contoso")
	for _, path := range []string{"", "/connections", "/settings"} { // the ledger has not heard of it yet
		has(t, w.page("/tenants/contoso"+path), "irst sync")
	}
	w.tenant("contoso", func(*ledger.Tenant) {})
	w.put("contoso", person("ann", "Ann Archer"))
	has(t, w.page("/tenants/contoso"), "The first sync is running", "1 user, 0 groups")
	has(t, w.page("/tenants/contoso/users/ann"), "nothing can be said")
}

func TestTenantsAreListedToThoseWhoSeeThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	has(t, w.page("/"), "No tenant yet")
	w.house("contoso")
	if a := w.get("/"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/tenants/contoso" {
		t.Errorf("of one tenant: %d %s", a.status, a.header.Get("Location"))
	}
	w.house("fabrikam")
	w.tenant("fabrikam", func(t *ledger.Tenant) { t.Frozen = true })
	has(t, w.page("/"), "contoso.com", "fabrikam.com", "Frozen", "Followed")
	w.as(admin)
	if a := w.get("/"); a.status != http.StatusSeeOther {
		t.Errorf("an admin of one: %d", a.status)
	}
}

// What somebody may not see is answered as what is not there, to the letter; and so is one who is nobody.
func TestWhatMayNotBeSeenIsNotThere(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.house("fabrikam")
	w.put("fabrikam", person("ann", "Ann of Fabrikam"))
	for _, path := range []string{"", "/groups", "/groups/g", "/activity", "/users", "/users.csv", "/users/ann", "/held/flip-1", "/connections", "/settings", "/live", "/usage", "/refreshes/k"} {
		w.as(operator)
		none := w.get("/tenants/nobody" + path)
		w.as(admin)
		foreign := w.get("/tenants/fabrikam" + path)
		w.as(access.Principal{})
		nobody := w.get("/tenants/contoso" + path)
		if none.status != http.StatusNotFound || foreign.status != http.StatusNotFound || nobody.status != http.StatusNotFound {
			t.Errorf("%s: %d of no tenant, %d of a foreign one, %d to nobody", path, none.status, foreign.status, nobody.status)
		}
		if strip(foreign.body) != strip(none.body) {
			t.Errorf("%s: a foreign tenant differs from none:\n%s\n%s", path, foreign.body, none.body)
		}
	}
}

var whose = regexp.MustCompile(`(?s)<div class="who">.*?</form>`)

// strip takes away who is signed in.
func strip(html string) string { return whose.ReplaceAllString(html, "") }

// Who may only look has no way to command, neither on the pages nor past them.
func TestARoleThatReadsCommandsNothing(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.hold("contoso", "secure-share", ledger.Held{Ref: "flip-1", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 1, Group: "g", Mode: "group-members"})
	forms := []string{
		"/users/ann/check", "/held/flip-1/approve", "/held/flip-1/reject", "/refreshes", "/settings/seats", "/settings/hold", "/settings/standing", "/settings/notices/test",
	}
	for _, path := range []string{"", "/users/ann", "/held/flip-1", "/connections", "/settings"} {
		w.as(auditor)
		text := strings.ReplaceAll(w.page("/tenants/contoso"+path), `action="/sign-out"`, "")
		lacks(t, text, "<form method=\"post\" action")
		w.as(admin)
		if path != "" {
			has(t, w.page("/tenants/contoso"+path), "<form method=\"post\" action=\"/tenants/contoso/")
		}
	}
	w.as(auditor)
	for _, path := range forms {
		if a := w.post("/tenants/contoso"+path, "key", "k"); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	w.as(admin)
	for _, path := range forms {
		if a := w.post("/tenants/fabrikam"+path, "key", "k"); a.status != http.StatusNotFound {
			t.Errorf("of a foreign tenant, %s: %d", path, a.status)
		}
	}
}

func TestAUsersPageTellsWhy(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.group("contoso", directory.Group{ID: "g", Name: "Everyone who shares"})
	w.group("contoso", directory.Group{ID: "h", Name: "Sales"})
	w.product("contoso", "secure-share", func(p *ledger.Product) {
		p.State.Policy = licensing.Policy{Mode: licensing.GroupMembers, Group: "g"}
	})
	w.decide("contoso", "secure-share", decided{user: "ann", licensed: true, reason: licensing.GroupMember, path: []string{"g", "h"}})
	text := w.page("/tenants/contoso/users/ann")
	has(t, text, "Ann Archer is licensed for secure-share: a member of the provisioning group (Everyone who shares &gt; Sales).",
		"<li>Everyone who shares</li><li>Sales</li>", "Every active user is licensed.", "ann.alias@contoso.com", "Event <span class=\"num\">5</span>", "Check again")
	has(t, text, "Not activated: the product has reported no sign-in.")
	w.write(func(tx *ledger.Tx) error {
		here, err := tx.Tenant("contoso")
		if err == nil {
			_, _, err = tx.Activate(here.ID, w.products["contoso secure-share"].ID, "ann", time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
		}
		return err
	})
	has(t, w.page("/tenants/contoso/users/ann"), `Activated: first signed in <time datetime="2026-03-02T09:00:00Z" class="nowrap">2 Mar 2026, 09:00:00 UTC</time>.`)
	has(t, w.page("/tenants/contoso/users/bob"), "Bob Babbage is not licensed for secure-share: suspended in the directory", "Suspended")
	for _, path := range []string{"/tenants/contoso/users/nobody", "/tenants/contoso/users/ann@contoso.com"} {
		if a := w.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// What an operator alone can understand is in the log, under the id that the page shows.
func TestAnErrorTellsNothingButItsID(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	if err := w.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	a := w.get("/tenants/contoso")
	if a.status != http.StatusInternalServerError || !regexp.MustCompile(`Request id: <code>[a-z0-9]{12}</code>`).MatchString(a.body) {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	lacks(t, a.body, "sql", "closed", "contoso")
}

func TestAssetsAreKeptForEver(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	overview := w.get("/tenants/contoso", "Accept-Encoding", "gzip")
	total := len(overview.body)
	if overview.header.Get("Content-Encoding") != "gzip" || overview.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page: %v", overview.header)
	}
	found := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(w.page("/tenants/contoso"), -1)
	for _, m := range found {
		a := w.get(m[1], "Accept-Encoding", "gzip")
		if a.status != http.StatusOK || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", m[1], a.status, a.header)
		}
		total += len(a.body)
	}
	if len(found) < 6 || total > 100_000 {
		t.Errorf("a first page is %d files and %d bytes", len(found)+1, total)
	}
	if a := w.get("/assets/rollcall.css"); a.status != http.StatusOK || a.header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("without its hash: %d %v", a.status, a.header)
	}
	if a := w.get("/assets/vendor"); a.status != http.StatusNotFound {
		t.Errorf("what is no asset: %d", a.status)
	}
	t.Logf("a first page: %d bytes", total)
}

// Whatever a directory calls somebody is text.
func TestNamesAreNeverMarkup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso")
	nasty := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{.}}`, "javascript:alert(1)", "a\u202eb\x00c", `</title><h1>`, "a\u2067b",
	}
	var lines []ledger.HeldUser
	for i, name := range nasty {
		id := fmt.Sprintf("u%d", i)
		w.put("contoso", directory.User{ID: id, Name: name, Addresses: []string{directory.Address(name), name + "@contoso.com"}, Status: directory.Active})
		w.group("contoso", directory.Group{ID: "g" + id, Name: name, Addresses: []string{directory.Address(name) + "@contoso.com"}})
		w.decide("contoso", "secure-share", decided{user: id, licensed: true, reason: licensing.GroupMember, path: []string{"g" + id}})
		lines = append(lines, ledger.HeldUser{Ref: id, Revision: 1, Reason: name})
	}
	w.hold("contoso", "secure-share", ledger.Held{
		Ref: "revocations-1", Kind: ledger.HeldRevocations, State: ledger.HeldOpen, Revision: 1, Revocations: len(nasty), ClosedBy: nasty[1], Group: nasty[0],
	}, lines...)
	w.degrade("contoso", "secure-share", ledger.Connection{Class: nasty[0], Detail: nasty[1], Action: nasty[0], Since: w.origin})
	w.channel("contoso", "c1", map[string]any{"resource": nasty[1], "expires": time.Now().Add(time.Hour)})
	paths := []string{"", "/groups", "/groups?q=" + url.QueryEscape(nasty[1]), "/groups/gu0", "/activity", "/users", "/users?q=" + url.QueryEscape(nasty[0]) + "&group=" + url.QueryEscape(nasty[1]), "/held/revocations-1", "/connections", "/settings"}
	for i := range nasty {
		paths = append(paths, fmt.Sprintf("/users/u%d", i))
	}
	for _, path := range paths {
		lacks(t, w.get("/tenants/contoso"+path).body, "<script>alert", "<img src=x", "' onmouseover='", "</title><h1>", `href="javascript:`, "\u202e", "\u2067", "\x00")
	}
}
