package signin_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/oidctest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/signin"
	"github.com/rollcall-hq/rollcall/services/internal/browsertest"
)

var onward = regexp.MustCompile(`<a class="button" href="([^"]+)">Go on to Google</a>`)

// signsOut makes Google an issuer that signs people out.
func (h *house) signsOut() {
	h.google.Register(oidctest.Client{
		ID: "rollcall", Secret: secret, Redirects: []string{h.url + "/sign-in/google/callback"}, LoggedOut: []string{h.url + "/sign-in"},
	})
}

// Whoever signs out is signed out where they have signed in too, where that can be.
func TestSignOutAtTheIssuer(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	h.signsOut()
	h.google.SignIn(ada())
	b := newBrowser(t)
	if a := b.get(h.url + "/sign-in/google?next=/page"); a.path != "/page" {
		t.Fatalf("%+v", a)
	}
	a := b.post(h.url+"/sign-out", nil)
	m := onward.FindStringSubmatch(a.body)
	if a.status != http.StatusOK || m == nil {
		t.Fatalf("%+v", a)
	}
	to := html.UnescapeString(m[1])
	if a.header.Get("Refresh") != "0; url="+to || !strings.HasPrefix(to, h.google.URL+"/logout?") {
		t.Errorf("the browser goes on to %s, by %q", to, a.header.Get("Refresh"))
	}
	if who := h.signedIn(b); who != "" {
		t.Errorf("here %q is signed in before the issuer has heard of it", who)
	}
	back := b.get(to)
	if back.path != "/sign-in?state=signed-out" || !strings.Contains(back.body, "You are signed out.") {
		t.Errorf("back: %+v", back)
	}
	if out := h.google.SignedOut(); !slices.Equal(out, []string{"subject-of-ada"}) {
		t.Errorf("signed out there: %v", out)
	}
	token := regexp.MustCompile(`id_token_hint=([^&]+)`).FindStringSubmatch(to)[1]
	if again := b.post(h.url+"/sign-out", nil); again.path != "/sign-in?out" {
		t.Errorf("sent again: %+v", again)
	}
	if strings.Contains(h.log.String(), token) {
		t.Error("the log has the ID token")
	}
}

// A browser goes on by itself, though no form of ours may lead elsewhere.
func TestChromiumSignsOutAtTheIssuer(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	h := open(t, signin.Config{})
	h.signsOut()
	h.google.SignIn(ada())
	tab := browsertest.Open(t, browser, h.url)
	tab.Go("/sign-in/google?next=/form")
	tab.Run(chromedp.Click(chromedp.CSS("#out")))
	tab.Sees("You are signed out.")
	if out := h.google.SignedOut(); !slices.Equal(out, []string{"subject-of-ada"}) {
		t.Errorf("signed out there: %v", out)
	}
}

// The ID token is sent back to where one signs out, and nowhere else; what is no token of the form goes to no issuer.
func TestTheTokenOfASignInStaysInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	h.signsOut()
	h.google.SignIn(ada())
	b := newBrowser(t)
	b.get(h.url + "/sign-in/google")
	sent := func(path string) (names []string) {
		u, err := url.Parse(h.url + path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.client.Jar.Cookies(u) {
			names = append(names, c.Name)
		}
		return names
	}
	if !slices.Contains(sent("/sign-out"), "rollcall-issuer") || slices.Contains(sent("/"), "rollcall-issuer") || slices.Contains(sent("/api/v1/me"), "rollcall-issuer") {
		t.Errorf("cookies: %v to sign out, %v elsewhere", sent("/sign-out"), sent("/"))
	}
	u, err := url.Parse(h.url + "/sign-out")
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"a&redirect=b", strings.Repeat("a", 4000) + ".b.c"} {
		b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "rollcall-issuer", Value: value, Path: "/sign-out"}})
		a := b.post(h.url+"/sign-out", nil)
		if !strings.Contains(a.header.Get("Refresh"), "/logout?client_id=rollcall&") || strings.Contains(a.body, "id_token_hint") {
			t.Errorf("%.20s: %+v", value, a)
		}
		b.get(h.url + "/sign-in/google")
	}
}

// An issuer that names an address without https for it, or none, is left alone; so is one that does not answer.
func TestSignOutHereAlone(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]any{"none": nil, "another scheme": "javascript:alert(1)", "plain, elsewhere": "http://issuer.example.com/logout"} {
		h := open(t, signin.Config{})
		h.google.Fail(oidctest.Faults{Discovery: func(said map[string]any) {
			if end != nil {
				said["end_session_endpoint"] = end
			}
		}})
		h.google.SignIn(ada())
		b := newBrowser(t)
		b.get(h.url + "/sign-in/google")
		if who := h.signedIn(b); who == "" {
			t.Fatalf("%s: nobody is signed in", name)
		}
		if a := b.post(h.url+"/sign-out", nil); a.path != "/sign-in?out" || a.header.Get("Refresh") != "" {
			t.Errorf("%s: %+v", name, a)
		}
		if who := h.signedIn(b); who != "" {
			t.Errorf("%s: %q is still signed in", name, who)
		}
	}
}
