package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/oidctest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/signin"
)

func ada() map[string]any {
	return map[string]any{"sub": "subject-of-ada", "name": "Ada", "hd": "contoso.com", "email": "ada@contoso.com", "email_verified": true}
}

func grace() map[string]any {
	return map[string]any{"sub": "2", "name": "Grace", "hd": "contoso.com", "email": "Grace@Contoso.com", "email_verified": true}
}

func TestSignInWithSeveralIssuers(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	b := newBrowser(t)
	page := b.get(h.url + "/page?tab=users")
	if page.path != "/sign-in?next="+url.QueryEscape("/page?tab=users") || !strings.Contains(page.body, `href="/sign-in/google?next=%2Fpage%3Ftab%3Dusers"`) ||
		!strings.Contains(page.body, "Sign in with Microsoft") || strings.Contains(page.body, "Development login") {
		t.Fatalf("%s\n%s", page.path, page.body)
	}
	h.google.SignIn(ada())
	if a := b.get(h.url + "/sign-in/google?next=%2Fpage%3Ftab%3Dusers"); a.path != "/page?tab=users" || a.body != "/page operator []" {
		t.Errorf("%+v", a)
	}
	if a := b.get(h.url + "/sign-in?next=/page"); a.path != "/page" {
		t.Errorf("who is signed in is sent on: %+v", a)
	}
	h.google.SignIn(grace())
	other := newBrowser(t)
	other.get(h.url + "/sign-in/google")
	if who := h.signedIn(other); who != "auditor [contoso]" {
		t.Errorf("by a verified address: %q", who)
	}
	h.ms.SignIn(map[string]any{"sub": "pairwise", "oid": "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10", "tid": directory})
	third := newBrowser(t)
	third.get(h.url + "/sign-in/microsoft")
	if who := h.signedIn(third); who != "tenant-admin [contoso]" {
		t.Errorf("by Entra's object id: %q", who)
	}
	if a := third.post(h.url+"/sign-out", nil); a.path != "/sign-in?out" || !strings.Contains(a.body, "signed out") {
		t.Errorf("%+v", a)
	}
	if who := h.signedIn(third); who != "" {
		t.Errorf("after signing out: %q", who)
	}
	lines := h.log.String()
	for _, want := range []string{`"msg":"signed in","principal":"google:`, `"msg":"signed in","principal":"microsoft:`, `"msg":"signed out","principal":"microsoft:`} {
		if !strings.Contains(lines, want) {
			t.Errorf("no line %s in\n%s", want, lines)
		}
	}
	for _, never := range []string{"contoso.com", "subject-of-ada", "redacted", secret, "eyJ"} {
		if strings.Contains(lines, never) {
			t.Errorf("%s is in the log:\n%s", never, lines)
		}
	}
}

// TestForgeries is what an issuer, or somebody in between, must not get away with. Each is tried as Ada, whom the file lets in.
func TestForgeries(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	claim := func(name string, value any) oidctest.Faults {
		return oidctest.Faults{Claims: func(c map[string]any) { c[name] = value }}
	}
	token := func(change func(string) string) oidctest.Faults { return oidctest.Faults{Token: change} }
	other := oidctest.Start(t, h.clock.Now)
	part := func(token string, n int) string { return strings.Split(token, ".")[n] }
	for name, f := range map[string]oidctest.Faults{
		"another issuer":             claim("iss", other.URL),
		"another audience":           claim("aud", "somebody-else"),
		"no audience":                claim("aud", nil),
		"two audiences":              claim("aud", []string{"rollcall", "somebody-else"}),
		"another party":              claim("azp", "somebody-else"),
		"another nonce":              claim("nonce", "made-up"),
		"no nonce":                   claim("nonce", ""),
		"expired":                    claim("exp", h.clock.Now().Add(-time.Minute).Unix()),
		"without an end":             claim("exp", nil),
		"not yet":                    claim("nbf", h.clock.Now().Add(time.Hour).Unix()),
		"no subject":                 claim("sub", ""),
		"a subject that is a number": claim("sub", 1142),
		"a subject without an end":   claim("sub", strings.Repeat("subject-of-ada", 100)),
		"another domain":             claim("hd", "fabrikam.com"),
		"no domain":                  claim("hd", nil),
		"somebody else":              claim("sub", "1143"),
		"signed by another": token(func(s string) string {
			return other.Sign(map[string]any{"iss": h.google.URL, "aud": "rollcall", "sub": "subject-of-ada"})
		}),
		"a signature that was cut": token(func(s string) string { return s[:len(s)-8] }),
		"no signature":             token(func(s string) string { return part(s, 0) + "." + part(s, 1) + "." }),
		"alg none":                 token(func(s string) string { return "eyJhbGciOiJub25lIn0." + part(s, 1) + "." }),
		"no token":                 token(func(string) string { return "" }),
		"signed with the client secret": token(func(s string) string {
			return oidctest.SignWith(t, jose.HS256, []byte(strings.Repeat(secret, 2)), adaToken(h))
		}),
		"no code":             {Authorize: func(v url.Values) { v.Del("code") }},
		"another code":        {Authorize: func(v url.Values) { v.Set("code", "made-up") }},
		"a mix-up of issuers": {Authorize: func(v url.Values) { v.Set("iss", other.URL) }},
		"declined": {Authorize: func(v url.Values) {
			v.Set("error", "access_denied")
			v.Set("error_description", "<b>call-this-number</b>")
		}},
		"declined with a script":   {Authorize: func(v url.Values) { v.Set("error", "<script>alert(1)</script>") }},
		"a state that was made up": {Authorize: func(v url.Values) { v.Set("state", "made-up") }},
		"no state":                 {Authorize: func(v url.Values) { v.Del("state") }},
		"an answer that is an error": {Answer: func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"the secret was ` + secret + `"}`))
			return true
		}},
		"an answer that is no answer": {Answer: func(w http.ResponseWriter) bool {
			_, _ = w.Write([]byte(secret))
			return true
		}},
		"a redirect of the secret": {Answer: func(w http.ResponseWriter) bool {
			w.Header().Set("Location", other.URL+"/token")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		}},
	} {
		h.google.SignIn(ada())
		h.google.Fail(f)
		b := newBrowser(t)
		a := b.get(h.url + "/sign-in/google?next=/page")
		if who := h.signedIn(b); who != "" || a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d, signed in as %q", name, a.status, who)
		}
		if !strings.Contains(a.body, "You are not signed in") || !strings.Contains(a.body, "Reference") || strings.Contains(a.body, "<script") ||
			strings.Contains(a.body, "call-this") || strings.Contains(a.body, "eyJ") || strings.Contains(a.body, secret) {
			t.Errorf("%s: the page says\n%s", name, a.body)
		}
	}
	h.google.Fail(claim("hd", "fabrikam.com"))
	if a := newBrowser(t).get(h.url + "/sign-in/google"); !strings.Contains(a.body, "an organization that may come in") {
		t.Errorf("of another organization: the page says\n%s", a.body)
	}
	for _, subject := range []string{"", strings.Repeat("subject-of-ada", 100)} {
		h.google.Fail(claim("sub", subject))
		if a := newBrowser(t).get(h.url + "/sign-in/google"); !strings.Contains(a.body, "does not prove who you are") || strings.Contains(a.body, "subject-of-ada") {
			t.Errorf("without a subject: the page says\n%s", a.body)
		}
	}
	if n := other.Asked("/token"); n != 0 {
		t.Errorf("another server was sent the client's secret %d times", n)
	}
	if lines := h.log.String(); strings.Contains(lines, secret) || strings.Contains(lines, "eyJ") || strings.Contains(lines, "call-this") || strings.Contains(lines, "contoso.com") {
		t.Errorf("a secret or an address is in the log:\n%s", lines)
	}
	h.google.Fail(oidctest.Faults{})
	b := newBrowser(t)
	b.get(h.url + "/sign-in/google")
	if who := h.signedIn(b); who != "operator []" {
		t.Errorf("without a fault: %q", who)
	}
}

// adaToken is what a token of Ada says, for whoever would sign it.
func adaToken(h *house) map[string]any {
	all := ada()
	all["iss"], all["aud"], all["exp"] = h.google.URL, "rollcall", h.clock.Now().Add(time.Minute).Unix()
	return all
}

// An address counts where the issuer says that it is theirs, and as it is written.
func TestAddressesThatDoNotCount(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	for name, change := range map[string]func(map[string]any){
		"not verified":            func(c map[string]any) { c["email_verified"] = false },
		"not said to be verified": func(c map[string]any) { delete(c, "email_verified") },
		"verified as a text":      func(c map[string]any) { c["email_verified"] = "true" },
		"letters that look alike": func(c map[string]any) { c["email"] = "grace@\u212aontoso.com" },
		"two addresses":           func(c map[string]any) { c["email"] = "mallory@contoso.com, grace@contoso.com" },
	} {
		claims := grace()
		change(claims)
		h.google.SignIn(claims)
		b := newBrowser(t)
		a := b.get(h.url + "/sign-in/google")
		if who := h.signedIn(b); who != "" || a.status != http.StatusForbidden || !strings.Contains(a.body, "nobody has let you in") || !strings.Contains(a.body, "<code>2</code>") {
			t.Errorf("%s: %d, signed in as %q\n%s", name, a.status, who, a.body)
		}
	}
}

// Entra's directory counts as the file says.
func TestAnotherDirectoryIsNotLetIn(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	for _, tid := range []any{nil, "", "11111111-1111-1111-1111-111111111111", 5} {
		h.ms.SignIn(map[string]any{"sub": "s", "oid": "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10", "tid": tid})
		b := newBrowser(t)
		if a := b.get(h.url + "/sign-in/microsoft"); a.status != http.StatusForbidden || h.signedIn(b) != "" {
			t.Errorf("%v: %d", tid, a.status)
		}
	}
	h.ms.SignIn(map[string]any{"sub": "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10", "tid": directory})
	b := newBrowser(t)
	if a := b.get(h.url + "/sign-in/microsoft"); a.status != http.StatusForbidden || h.signedIn(b) != "" {
		t.Errorf("sub in place of oid: %d", a.status)
	}
}

// begun starts a sign-in and returns where the issuer sends the browser back to.
func (h *house) begun(b *browser, path string) string {
	h.t.Helper()
	a := b.stopping().get(h.url + path)
	if a.status != http.StatusSeeOther {
		h.t.Fatalf("%+v", a)
	}
	back := b.stopping().get(a.location)
	if back.status != http.StatusSeeOther || !strings.HasPrefix(back.location, h.url) {
		h.t.Fatalf("%+v", back)
	}
	return back.location
}

func TestASignInIsOfOneBrowserAndGoodForOnce(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	h.google.SignIn(ada())
	b, victim := newBrowser(t), newBrowser(t)
	back := h.begun(b, "/sign-in/google")
	h.begun(victim, "/sign-in/google")
	for name, other := range map[string]*browser{"a browser that signs in as well": victim, "a browser that does not": newBrowser(t)} {
		if a := other.get(back); a.status != http.StatusBadRequest || h.signedIn(other) != "" {
			t.Errorf("%s finishes it: %d", name, a.status)
		}
	}
	if a := b.get(strings.Replace(back, "/google/", "/microsoft/", 1)); a.status != http.StatusBadRequest || h.signedIn(b) != "" {
		t.Errorf("at another issuer: %d", a.status)
	}
	back = h.begun(b, "/sign-in/google")
	b.get(back)
	if h.signedIn(b) == "" {
		t.Fatal("not signed in")
	}
	b.post(h.url+"/sign-out", nil)
	if a := b.get(back); a.status != http.StatusBadRequest || h.signedIn(b) != "" {
		t.Errorf("a second time: %d", a.status)
	}
	back = h.begun(b, "/sign-in/google")
	h.clock.Advance(10 * time.Minute)
	if a := b.get(back); a.status != http.StatusBadRequest || h.signedIn(b) != "" || !strings.Contains(a.body, "Please begin again") {
		t.Errorf("after ten minutes: %d", a.status)
	}
}

// What the access file says counts at the next request.
func TestARoleThatIsTakenAwayEndsAtTheNextRequest(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	h.google.SignIn(ada())
	b := newBrowser(t)
	b.get(h.url + "/sign-in/google")
	for _, c := range []struct{ file, want string }{
		{"people: [{issuer: google, subject: \"subject-of-ada\", role: auditor, tenants: [contoso]}]", "auditor [contoso]"},
		{"people: [{issuer: google, subject: \"subject-of-ada\", role: king}]", "auditor [contoso]"}, // a broken file changes nothing
		{"people: [{issuer: google, subject: \"1143\", role: operator}]", ""},
		{people, "operator []"},
	} {
		h.allow(c.file)
		if who := h.signedIn(b); who != c.want {
			t.Errorf("%s: %q, want %q", c.file, who, c.want)
		}
	}
	if lines := h.log.String(); !strings.Contains(lines, "people[0].role") || !strings.Contains(lines, "stays in force") || !strings.Contains(lines, "not let in any more") {
		t.Errorf("the log says\n%s", lines)
	}
}

func TestIssuersThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	for name, change := range map[string]func(map[string]any){
		"another issuer":           func(d map[string]any) { d["issuer"] = "https://accounts.example.com" },
		"a token endpoint by http": func(d map[string]any) { d["token_endpoint"] = "http://accounts.example.com/token" },
		"keys by http":             func(d map[string]any) { d["jwks_uri"] = "http://accounts.example.com/keys" },
		"no address":               func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" },
	} {
		h.google.Fail(oidctest.Faults{Discovery: change})
		if a := newBrowser(t).get(h.url + "/sign-in/google"); a.status != http.StatusBadGateway || !strings.Contains(a.body, "Google does not answer") || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d\n%s", name, a.status, a.body)
		}
		asked := h.google.Asked("/.well-known/openid-configuration")
		newBrowser(t).get(h.url + "/sign-in/google")
		if again := h.google.Asked("/.well-known/openid-configuration"); again != asked {
			t.Errorf("%s: asked again at once", name)
		}
		h.clock.Advance(time.Minute)
	}
	h.google.Fail(oidctest.Faults{})
	h.google.SignIn(ada())
	b := newBrowser(t)
	b.get(h.url + "/sign-in/google")
	if h.signedIn(b) == "" {
		t.Error("when the issuer is well again nobody can sign in")
	}
	for _, unknown := range []string{"/sign-in/okta", "/sign-in/development", "/sign-in/okta/callback?state=x&code=y"} {
		if a := newBrowser(t).get(h.url + unknown); a.status != http.StatusNotFound && a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", unknown, a.status)
		}
	}
}

// A key that the issuer has changed, and a secret that the operator has, need no restart.
func TestKeysAndSecretsChange(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	h.google.SignIn(ada())
	for range 3 {
		b := newBrowser(t)
		b.get(h.url + "/sign-in/google")
		if h.signedIn(b) == "" {
			t.Fatal("not signed in")
		}
		h.google.RotateKey()
		h.allow(people) // with the path of a new file
	}
}

// Where people of several tenants of Entra sign in, each is of the tenant that has signed the token, and of one of the file.
func TestPeopleOfSeveralDirectories(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	h.several()
	const person, foreign = "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10", "11111111-1111-1111-1111-111111111111"
	for name, c := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"of the tenant":                    {map[string]any{"iss": h.ms.Of(directory), "tid": directory}, "tenant-admin [contoso]"},
		"of another tenant":                {map[string]any{"iss": h.ms.Of(foreign), "tid": foreign}, ""},
		"of another that names this one":   {map[string]any{"iss": h.ms.Of(foreign), "tid": directory}, ""},
		"of this one that names another":   {map[string]any{"iss": h.ms.Of(directory), "tid": foreign}, ""},
		"without a tenant":                 {map[string]any{"iss": h.ms.Of(directory)}, ""},
		"of the template":                  {map[string]any{"iss": h.ms.Of("{tenantid}"), "tid": "{tenantid}"}, ""},
		"of the issuer for all":            {map[string]any{"iss": h.ms.Organizations(), "tid": directory}, ""},
		"of the tenant, for somebody else": {map[string]any{"iss": h.ms.Of(directory), "tid": directory, "aud": "somebody-else"}, ""},
	} {
		c.claims["sub"], c.claims["oid"] = "pairwise", person
		h.ms.SignIn(c.claims)
		b := newBrowser(t)
		a := b.get(h.url + "/sign-in/microsoft")
		if who := h.signedIn(b); who != c.want {
			t.Errorf("%s: %d, signed in as %q", name, a.status, who)
		} else if home := b.get(h.url + "/home").body; who != "" && home != directory { // which may connect that directory
			t.Errorf("%s: at home in %q", name, home)
		}
	}
}

// An issuer for people of several tenants says that it is one.
func TestAnIssuerForAllThatSaysOtherwise(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{})
	h.several()
	h.ms.Fail(oidctest.Faults{Discovery: func(d map[string]any) { d["issuer"] = h.ms.Of(directory) }})
	if a := newBrowser(t).get(h.url + "/sign-in/microsoft"); a.status != http.StatusBadGateway {
		t.Errorf("%d", a.status)
	}
}
