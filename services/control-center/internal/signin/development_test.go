package signin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/signin"
)

func form(role, tenants, next string) url.Values {
	return url.Values{"role": {role}, "tenants": {tenants}, "next": {next}}
}

func TestDevelopmentLogin(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{Development: true})
	if page := newBrowser(t).get(h.url + "/sign-in?next=/page"); !strings.Contains(page.body, "Development login") || !strings.Contains(page.body, `value="/page"`) {
		t.Errorf("%s", page.body)
	}
	for _, c := range []struct{ role, tenants, want string }{
		{"operator", "", "operator []"},
		{"tenant-admin", "contoso, initech", "tenant-admin [contoso initech]"},
		{"auditor", "contoso", "auditor [contoso]"},
		{"tenant-admin", "", ""},
		{"king", "", ""},
		{"", "", ""},
		{"operator", "Contoso", ""},
		{"operator", "*", ""},
	} {
		b := newBrowser(t)
		a := b.post(h.url+"/sign-in/development", form(c.role, c.tenants, "/page"))
		if who := h.signedIn(b); who != c.want || c.want == "" && a.status != http.StatusBadRequest {
			t.Errorf("%+v: %d, %q", c, a.status, who)
		}
	}
	if lines := h.log.String(); !strings.Contains(lines, `"principal":"development:tenant-admin"`) {
		t.Errorf("the log says\n%s", lines)
	}
}

// A page that somebody else has made may be open in a browser on this machine, and its name may mean this machine.
func TestDevelopmentLoginIsForThisMachine(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{Development: true})
	for name, headers := range map[string][]string{
		"another name":           {"Host", "evil.example.com"},
		"another name and port":  {"Host", "evil.example.com:8080"},
		"a name with an address": {"Host", "127.0.0.1.evil.example.com"},
		"a proxy":                {"X-Forwarded-For", "203.0.113.9"},
		"another proxy":          {"Forwarded", "for=203.0.113.9"},
		"another site":           {"Sec-Fetch-Site", "cross-site"},
		"another origin":         {"Origin", "https://evil.example.com"},
	} {
		b := newBrowser(t)
		if a := b.post(h.url+"/sign-in/development", form("operator", "", "/"), headers...); a.status != http.StatusForbidden || h.signedIn(b) != "" {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	closed := open(t, signin.Config{})
	b := newBrowser(t)
	if a := b.post(closed.url+"/sign-in/development", form("operator", "", "/")); a.status != http.StatusForbidden || closed.signedIn(b) != "" {
		t.Errorf("where it is not wanted: %d", a.status)
	}
}

// Whoever listens on every address by mistake still signs nobody in who comes from elsewhere.
func TestDevelopmentLoginFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"203.0.113.9:1", "[2001:db8::1]:1", "10.0.0.1:1", "", "127.0.0.1"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8080/sign-in/development", nil)
		r.RemoteAddr = from
		if signin.Local(r) {
			t.Errorf("%q is this machine", from)
		}
	}
	for _, from := range []string{"127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"} {
		for _, host := range []string{"127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080", "[::1]"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
			r.RemoteAddr, r.Host = from, host
			if !signin.Local(r) {
				t.Errorf("%q at %q is not this machine", from, host)
			}
		}
	}
}

// Wherever somebody wants to go after signing in, it is here.
func TestNextIsOurs(t *testing.T) {
	t.Parallel()
	h := open(t, signin.Config{Development: true})
	for _, next := range []string{
		"https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "/\t/evil.example.com", "\\\\evil", "/%5cevil.example.com", "/%2f%2fevil",
		"javascript:alert(1)", "/.//evil", "/..//evil", "evil", "", "/sign-in", "/sign-out", "/sign-in/google", "/a\r\nSet-Cookie: x=y", "http:/evil", "/é",
	} {
		b := newBrowser(t)
		if a := b.stopping().post(h.url+"/sign-in/development", form("operator", "", next)); a.status != http.StatusSeeOther || a.location != "/" {
			t.Errorf("%q: %d %q", next, a.status, a.location)
		}
	}
}
