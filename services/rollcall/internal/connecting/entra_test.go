package connecting

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcall-hq/rollcall/services/internal/browsertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// tab is a browser of its own, in which somebody is signed in.
func (h *house) tab(t *testing.T, role, tenants string) *browsertest.Tab {
	t.Helper()
	b := browsertest.Open(t, browsertest.Start(t, chromedp.IgnoreCertErrors), h.url) // the simulator's certificate is of its own authority
	b.Look(false, 1280, 900)
	b.Go("/sign-in?next=/connect")
	b.Text(`document.querySelector('[name=role]').value = ` + quoted(role) + `, 'chosen'`)
	b.Text(`document.querySelector('[name=tenants]').value = ` + quoted(tenants) + `, 'named'`)
	b.Press("button", "Sign in")
	return b
}

func quoted(s string) string { return `"` + s + `"` }

// fillIn fills in the form for northwind, and goes on.
func fillIn(b *browsertest.Tab, directoryID string) {
	b.Go("/connect")
	b.Sees("Connect Entra ID")
	b.Press("a", "Connect Entra ID")
	b.Type("Short name", "northwind")
	b.Type("Tenant ID", directoryID)
	b.Type("Address of the admin who connects it", "admin@northwind.com")
	b.Press("button", "Continue")
	b.Sees("1. Consent")
}

// where is the address that the tab is at.
func where(b *browsertest.Tab) string { return b.Text("location.href") }

func TestAnEntraDirectoryIsConnected(t *testing.T) {
	t.Parallel()
	h := open(t)
	northwind := h.northwind()
	if err := h.control.PutSettings(t.Context(), control.Settings{ConsentLag: time.Second}); err != nil {
		t.Fatal(err)
	}
	b := h.tab(t, "operator", "")
	b.Sees("Connect Entra ID")
	b.Accessible("connect: which provider")
	b.Picture("connect")
	b.Press("a", "Connect Entra ID")
	b.Sees("Short name")
	b.Accessible("connect: the form")
	b.Picture("connect-entra-form")
	fillIn(b, strings.ToUpper(northwind.DirectoryID))
	b.Accessible("connect: before consent")
	b.Picture("connect-entra-steps")
	page := where(b)

	// A check before there is consent says what is missing.
	b.Press("a", "Check")
	b.Sees("AADSTS700016")
	b.Sees("To do")
	b.Accessible("connect: what is missing")
	b.Picture("connect-entra-missing")

	b.Press("a", "Ask for consent at Microsoft")
	b.Sees("Permissions requested")
	b.Press("button", "Cancel")
	b.Sees("Consent was not given")
	if where(b) != page {
		t.Errorf("back at %s, want %s", where(b), page)
	}
	b.Accessible("connect: consent was not given")
	b.Picture("connect-entra-declined")

	b.Press("a", "Ask for consent at Microsoft")
	b.Sees("Permissions requested")
	b.Press("button", "Accept")
	b.Sees("It is looked for again and again")
	b.Text(`window.sameAsBefore = "yes"`)
	b.Sees("Everything is there")
	if b.Text(`String(window.sameAsBefore)`) != "yes" {
		t.Error("the page was loaded anew to look again")
	}
	b.Accessible("connect: everything is there")
	b.Picture("connect-entra-ready")
	if h.connected("northwind") != nil {
		t.Error("it is connected before somebody has said so")
	}
	b.Press("button", "Connect northwind")
	b.Sees("The directory is being read for the first time")
	b.Picture("connect-done")
	stored := h.connected("northwind")
	if stored == nil || stored.DirectoryID != northwind.DirectoryID || stored.Domain != "northwind.com" || stored.Credential.ClientID != clientID ||
		len(stored.Products) != 1 || stored.Products[0].ID != tenant.SecureShare().ID {
		t.Fatalf("stored: %+v", stored)
	}
	b.Go("/tenants/northwind/users")
	b.Until(`document.body.innerText.includes('Licensed') && !document.body.innerText.includes('The first sync is running') || (location.reload(), false)`)
	b.Quiet("favicon.ico") // the simulator has none

	// The page of what is done is gone, and the name is taken.
	b.Go(strings.TrimPrefix(page, h.url))
	b.Sees("Nothing is here")
	b.Go("/connect?provider=entra")
	b.Type("Short name", "northwind")
	b.Type("Tenant ID", northwind.DirectoryID)
	b.Type("Address of the admin who connects it", "admin@northwind.com")
	b.Press("button", "Continue")
	b.Sees("Want another name")
	b.Accessible("connect: a name that is taken")
	b.Picture("connect-entra-fault")
	b.Quiet("404", "422")
	if !h.log.line("command=connect", "tenant=northwind", "by=development:operator", "outcome=connected") {
		t.Errorf("the log does not tell who has connected it:\n%s", h.log)
	}
	if strings.Contains(h.log.String(), "ermissions ") || strings.Contains(h.log.String(), "admin@northwind.com") || strings.Contains(h.log.String(), secret) {
		t.Errorf("NATS has refused something, or the log tells too much:\n%s", h.log)
	}
}

// What comes back is believed only as far as it was asked for: by this session, for this directory, once.
func TestAnswersThatAreForged(t *testing.T) {
	t.Parallel()
	h := open(t)
	northwind := h.northwind()
	b, other := h.tab(t, "operator", ""), h.tab(t, "operator", "")
	// ask begins a consent and leaves the browser at the authority's page.
	ask := func() (state string) {
		t.Helper()
		fillIn(b, northwind.DirectoryID)
		b.Press("a", "Ask for consent at Microsoft")
		b.Sees("Permissions requested")
		at, err := url.Parse(where(b))
		if err != nil {
			t.Fatal(err)
		}
		if len(at.Query().Get("state")) < 26 {
			t.Errorf("the state %q can be guessed", at.Query().Get("state"))
		}
		return at.Query().Get("state")
	}
	back := func(pairs ...string) string {
		q := url.Values{"admin_consent": {"True"}, "scope": {"https://graph.microsoft.com/.default"}}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return "/connect/entra/callback?" + q.Encode()
	}
	refused := func(tab *browsertest.Tab, path, says, why string) {
		t.Helper()
		tab.Go(path)
		tab.Sees(says)
		if !h.log.line("msg=refused", "principal=development:operator", "why="+why) {
			t.Errorf("the log does not tell of it (%s):\n%s", why, h.log)
		}
	}
	const noState, otherDirectory = "This answer is of no consent that you have under way", "The answer is of another directory"
	ourDirectory := []string{"tenant", northwind.DirectoryID, "state"}

	refused(b, back(append(ourDirectory, "made-up")...), noState, "state")
	b.Accessible("connect: an answer that is refused")
	b.Picture("connect-refused")
	refused(b, back(append(ourDirectory, "")...), noState, "state")
	refused(other, back(append(ourDirectory, ask())...), noState, "state")
	refused(b, back("tenant", "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11", "state", ask()), otherDirectory, "another-directory")
	refused(b, back("tenant", "northwind.com", "state", ask()), otherDirectory, "another-directory")
	refused(b, back("state", ask()), otherDirectory, "another-directory")
	refused(b, back(append(ourDirectory, ask(), "admin_consent", "False")...), "neither that consent was given", "no-consent")

	// An error comes with admin_consent=True, and with the right tenant in the worst case: it is an error all the same.
	b.Go(back(append(ourDirectory, ask(), "error", "consent_required", "error_description", "AADSTS65004: <b>denied</b>")...))
	b.Sees("Consent was not given")
	if strings.Contains(b.Text("document.body.innerHTML"), "AADSTS65004") {
		t.Error("the page repeats what stood in its address")
	}

	// Consent that was never given is claimed: the page asks the directory, which knows better.
	state := ask()
	b.Go(back(append(ourDirectory, state)...))
	b.Sees("AADSTS700016")
	b.Go(strings.TrimPrefix(where(b), h.url) + "/check")
	b.Sees("AADSTS700016")
	refused(b, back(append(ourDirectory, state)...), noState, "state") // replayed

	// A good answer counts once.
	state = ask()
	b.Press("button", "Accept")
	b.Sees("Everything is there")
	refused(b, back(append(ourDirectory, state)...), noState, "state")
	if h.connected("northwind") != nil {
		t.Error("something of it has connected the directory")
	}
}
