package pages_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

const (
	publicURL   = "https://rollcall.example.com"
	northwindID = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"
	fabrikamID  = "11111111-5d1b-4c55-9d53-0f3f6f0a9a11"
)

// receives is a receiver of a provider that finds in every directory what the test says.
type receives struct {
	mu    sync.Mutex
	found []receiver.Finding
}

var whole = []receiver.Finding{{Check: "sign-in", State: receiver.Passed, Detail: "It signs in."}, {Check: "directory", State: receiver.Passed, Detail: "It is that."}}

func (f *receives) finds(found ...receiver.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = found
}

// receives runs a receiver until the test ends.
func (w *world) receives(p directory.Provider, shown connect.Shown) *receives {
	w.t.Helper()
	f := &receives{found: whole}
	a := connect.Application{Shown: shown, Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: shown.ClientID, Env: "SECRET"}}
	if p == directory.GoogleWorkspace {
		a.Credential = tenant.Credential{Kind: tenant.GoogleKeyFile, ClientID: shown.ClientID, File: "/key.json"}
	}
	s := &connect.Server{
		Provider: p, Application: a, Registry: w.registry, Bus: w.bus, Logger: slog.New(slog.DiscardHandler), Clock: clock.System(),
		Verify: func(context.Context, tenant.Tenant) ([]receiver.Finding, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.found, nil
		},
	}
	w.run(s.Run)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for client := connect.NewClient(w.bus); ; <-tick.C {
		if _, err := client.Describe(w.t.Context(), p); err == nil || err == connect.ErrNoApplication { //nolint:errorlint // as it comes
			return f
		}
	}
}

var (
	microsoft = connect.Shown{ClientID: "the-app", Scopes: []string{"https://graph.microsoft.com/.default"}, Authority: "https://login.microsoftonline.com"}
	google    = connect.Shown{ClientID: "104857600000000002026", Scopes: []string{"scope-a", "scope-b"}}
)

// entering is a world with receivers of both providers.
func entering(t *testing.T) (w *world, entra, workspace *receives) {
	t.Helper()
	w = newWorld(t)
	return w, w.receives(directory.Entra, microsoft), w.receives(directory.GoogleWorkspace, google)
}

// cookie is what a browser sends of its session.
func cookie(token string) []string { return []string{"Cookie", "rollcall=" + token} }

// enter sends the form for a directory.
func (w *world) enter(fields ...string) answered {
	w.t.Helper()
	form := url.Values{"tenant": {"northwind"}, "provider": {"entra"}, "directory_id": {northwindID}, "connected_by": {"admin@northwind.com"}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return w.do(http.MethodPost, "/connect", form, cookie("one")...)
}

// entered sends it, and returns the page that it leads to.
func (w *world) entered(fields ...string) string {
	w.t.Helper()
	a := w.enter(fields...)
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/connect/") {
		w.t.Fatalf("%d to %q\n%s", a.status, a.header.Get("Location"), plain(a.body))
	}
	return a.header.Get("Location")
}

// registered stores a tenant of the directory.
func (w *world) registered(t tenant.Tenant) {
	w.t.Helper()
	t.Provider, t.DirectoryID, t.Domain = directory.Entra, northwindID, "northwind.com"
	t.Credential = tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "SECRET"}
	if err := w.registry.Add(w.t.Context(), t); err != nil {
		w.t.Fatal(err)
	}
}

func somebody(role access.Role, home access.Home, tenants ...string) access.Principal {
	return access.Principal{ID: "somebody", Role: role, Tenants: tenants, Home: home}
}

// walk begins a consent, and returns where it leads.
func (w *world) walk(page string) url.Values {
	w.t.Helper()
	a := w.get(page+"/consent", cookie("one")...)
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status != http.StatusSeeOther {
		w.t.Fatalf("%d to %q", a.status, a.header.Get("Location"))
	}
	if at := to.Scheme + "://" + to.Host + to.Path; at != "https://login.microsoftonline.com/"+northwindID+"/v2.0/adminconsent" {
		w.t.Errorf("consent is asked for at %s", at)
	}
	return to.Query()
}

func TestConsentIsAskedForAndComesBack(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	w := newWorldBy(t, fake, ledgertest.SQLite(t))
	w.receives(directory.Entra, microsoft)
	page := w.entered()
	asked := w.walk(page)
	for name, want := range map[string]string{
		"client_id": "the-app", "scope": "https://graph.microsoft.com/.default", "redirect_uri": publicURL + "/connect/entra/callback",
	} {
		if asked.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, asked.Get(name), want)
		}
	}
	if again := w.walk(page); again.Get("state") == asked.Get("state") || len(again.Get("state")) < 26 {
		t.Errorf("states %q and %q", asked.Get("state"), again.Get("state"))
	}
	back := func(state string) answered {
		return w.get("/connect/entra/callback?admin_consent=True&tenant="+northwindID+"&state="+state, cookie("one")...)
	}
	// Ten minutes are enough, and no second more.
	late := w.walk(page).Get("state")
	fake.Advance(10*time.Minute - time.Second)
	if a := back(late); a.status != http.StatusSeeOther || a.header.Get("Location") != page {
		t.Errorf("%d to %q", a.status, a.header.Get("Location"))
	}
	late = w.walk(page).Get("state")
	fake.Advance(10 * time.Minute)
	if a := back(late); a.status != http.StatusBadRequest {
		t.Errorf("after ten minutes: %d", a.status)
	}
	// The page looks again by itself for two minutes after consent.
	state := w.walk(page).Get("state")
	back(state)
	has(t, w.get(page, cookie("one")...).body, "looked for again", `hx-get="`+page+`/check"`)
	fake.Advance(2 * time.Minute)
	lacks(t, w.get(page, cookie("one")...).body, "looked for again", "hx-get")
	// Its errand is over after an hour, and whoever comes back then hears of it.
	fake.Advance(31 * time.Minute)
	state = w.walk(page).Get("state")
	fake.Advance(8 * time.Minute)
	a := back(state)
	if a.status != http.StatusBadRequest {
		t.Errorf("after an hour: %d", a.status)
	}
	has(t, a.body, "longer than an hour")
	if a := w.get(page, cookie("one")...); a.status != http.StatusNotFound {
		t.Errorf("the page after an hour: %d", a.status)
	}
}

// An answer is held to what was entered when the walk began, also where the form was sent again meanwhile.
func TestAnAnswerOfAnotherDirectory(t *testing.T) {
	t.Parallel()
	w, _, _ := entering(t)
	state := w.walk(w.entered()).Get("state")
	w.entered("directory_id", fabrikamID)
	a := w.get("/connect/entra/callback?admin_consent=True&tenant="+fabrikamID+"&state="+state, cookie("one")...)
	if a.status != http.StatusBadRequest {
		t.Errorf("%d\n%s", a.status, plain(a.body))
	}
	has(t, a.body, "another directory")
}

// A state counts once, in its session; and an error is one, whatever stands beside it.
func TestWhatComesBackIsBelievedOnce(t *testing.T) {
	t.Parallel()
	w, _, _ := entering(t)
	page := w.entered()
	back := func(session, state string, more ...string) answered {
		q := url.Values{"admin_consent": {"True"}, "tenant": {northwindID}, "state": {state}}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return w.get("/connect/entra/callback?"+q.Encode(), cookie(session)...)
	}
	accepted := func() bool { return strings.Contains(w.get(page, cookie("one")...).body, "Accepted") }

	if a := back("one", w.walk(page).Get("state"), "error", "consent_required", "error_description", "AADSTS65004: no"); a.status != http.StatusSeeOther || accepted() {
		t.Errorf("an error with the right directory: %d, accepted: %t", a.status, accepted())
	}
	declined := w.get(page, cookie("one")...).body
	has(t, declined, "Consent was not given")
	lacks(t, declined, "AADSTS65004")
	state := w.walk(page).Get("state")
	if a := back("two", state); a.status != http.StatusBadRequest || accepted() {
		t.Errorf("in another session: %d", a.status)
	}
	if a := back("one", state, "admin_consent", "true"); a.status != http.StatusBadRequest || accepted() {
		t.Errorf("without consent: %d", a.status)
	}
	state = w.walk(page).Get("state")
	if a := back("one", state); a.status != http.StatusSeeOther || !accepted() {
		t.Errorf("a good answer: %d", a.status)
	}
	if a := back("one", state); a.status != http.StatusBadRequest {
		t.Errorf("replayed: %d", a.status)
	}
	// Who was sent to Microsoft by the API comes back without a state, and changes nothing.
	apart := w.get("/connect/entra/callback?admin_consent=True&tenant="+northwindID, cookie("one")...)
	has(t, apart.body, "nothing is left to do here")
}

func TestWhatKeepsItFromBeingConnected(t *testing.T) {
	t.Parallel()
	w, entra, _ := entering(t)
	page := w.entered()
	lacks(t, w.get(page, cookie("one")...).body, `<form method="post" action="/connect/`)
	entra.finds(receiver.Finding{Check: "read-users", State: receiver.Failed, Detail: "It <b>refuses</b>.", Action: "Grant it."})
	checked := w.get(page+"/check", cookie("one")...).body
	has(t, checked, "To do", "Read users", "It &lt;b&gt;refuses&lt;/b&gt;.", "Grant it.")
	lacks(t, checked, `<form method="post" action="/connect/`)
	a := w.do(http.MethodPost, page, url.Values{"key": {"k"}}, cookie("one")...)
	if a.status != http.StatusConflict {
		t.Errorf("%d", a.status)
	}
	has(t, a.body, "Something is still to be done", "Grant it.")
	entra.finds(whole...)
	has(t, w.get(page+"/check", cookie("one")...).body, `<form method="post" action="`+page+`"`)
	if a := w.do(http.MethodPost, page, url.Values{}, cookie("one")...); a.status != http.StatusBadRequest {
		t.Errorf("without a key: %d", a.status)
	}
	// Another one is connected meanwhile: it is said, and not which.
	w.registered(tenant.Tenant{ID: "rival", Products: []tenant.Product{tenant.SecureShare()}})
	a = w.do(http.MethodPost, page, url.Values{"key": {"k"}}, cookie("one")...)
	has(t, a.body, "connected already, under another name")
	lacks(t, a.body, "rival")
}

func TestWithoutAReceiverOrAnApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := w.page("/connect?provider=entra")
	has(t, form, "No receiver answers", "disabled")
	page := w.entered()
	has(t, w.get(page+"/check", cookie("one")...).body, "No receiver answers")
	if a := w.get(page+"/consent", cookie("one")...); a.status != http.StatusOK || a.header.Get("Location") != "" {
		t.Errorf("%d", a.status)
	}
	w.receives(directory.Entra, connect.Shown{})
	has(t, w.page("/connect?provider=entra"), "Nothing to connect with", "disabled")
}

// Looks are for a person at a page: a program that has hundreds made is stopped.
func TestLooksAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorldBy(t, clock.NewFake(time.Now()), ledgertest.SQLite(t))
	w.receives(directory.Entra, microsoft)
	page := w.entered()
	for n := range 21 {
		a := w.get(page+"/check", cookie("one")...)
		if want := http.StatusOK; n < 20 && a.status != want || n == 20 && (a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "3") {
			t.Fatalf("look %d: %d, %q", n, a.status, a.header.Get("Retry-After"))
		}
	}
}

// One that was disconnected is connected again: the worker hears of it first, and only once everything is proved.
func TestADisconnectedDirectoryIsConnectedAgain(t *testing.T) {
	t.Parallel()
	w, entra, _ := entering(t)
	w.registered(tenant.Tenant{ID: "northwind", Products: []tenant.Product{tenant.Drive()}, Disconnected: true})
	seen := w.obeyed("northwind", done)
	if a := w.enter("directory_id", fabrikamID); a.status != http.StatusUnprocessableEntity {
		t.Errorf("another directory under its name: %d", a.status)
	}
	page := w.entered()
	entra.finds()
	if a := w.do(http.MethodPost, page, url.Values{"key": {"k1"}}, cookie("one")...); a.status != http.StatusConflict {
		t.Errorf("%d", a.status)
	}
	entra.finds(whole...)
	a := w.do(http.MethodPost, page, url.Values{"key": {"k2"}}, cookie("one")...)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/tenants/northwind/connections?said=connected" {
		t.Fatalf("%d to %q\n%s", a.status, a.header.Get("Location"), plain(a.body))
	}
	if told := <-seen; told != `connect-requested {"by":"olga"}` || len(seen) != 0 {
		t.Errorf("told %s and %d more", told, len(seen))
	}
	stored, err := w.registry.Get(t.Context(), "northwind")
	if err != nil || stored.Disconnected || len(stored.Products) != 1 || stored.Products[0].ID != "drive" {
		t.Errorf("%+v, %v", stored, err)
	}
}

// Whatever is filled in, nothing fails, and nothing but what is shown escaped comes back.
func TestNoFormOfAConnectionFails(t *testing.T) {
	t.Parallel()
	w, _, _ := entering(t)
	for _, field := range []string{"tenant", "provider", "directory_id", "connected_by", "subject", "product"} {
		for _, value := range []string{"", "\x00", "\xff", `"><script>alert(1)</script>`, strings.Repeat("a", 5000), "../../x", "a@b.c\r\nX: y", "admin@northwind.com"} {
			a := w.enter(field, value)
			if a.status >= http.StatusInternalServerError || strings.Contains(a.body, "<script>alert") || strings.Contains(fmt.Sprint(a.header), "X: y") {
				t.Errorf("%s=%q: %d\n%s", field, value, a.status, plain(a.body))
			}
		}
	}
	for _, query := range []string{"provider=ldap", "provider=%00", "provider=entra&provider=entra"} {
		if a := w.get("/connect?"+query, cookie("one")...); a.status != http.StatusOK {
			t.Errorf("%s: %d", query, a.status)
		}
	}
}
