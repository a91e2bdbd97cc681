package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Whatever stands in an address, no page fails: it says what it knows, or that there is no such thing.
func TestNoAddressMakesAPageFail(t *testing.T) {
	t.Parallel()
	values := []string{
		"", "\x00", "\xff", "-1", "9223372036854775807", "0001-01-01", "9999-12-31", "9223372036854775807.secure-share.1",
		"-9223372036854775808.secure-share.18446744073709551615", "'; DROP TABLE users; --", strings.Repeat("(", 3000), `{"o":"name","n":1}`,
		"is:held OR NOT is:waiting",
	}
	parameters := map[string][]string{
		"": {"x"}, "/usage": {"x"}, "/users": {"product", "q", "group", "licensed", "reason", "day", "sort", "after"}, "/users.csv": {"product", "q", "day", "sort"},
		"/activity": {"product", "what", "until", "before"}, "/held/flip-1": {"product", "after", "seen"}, "/settings": {"said"}, "/refreshes/k": {"x"},
	}
	postgres := newWorldOn(t, ledgertest.Postgres(t)) // which is the less lenient of the two
	postgres.house("contoso")
	postgres.put("contoso", person("ann", "Ann Archer"))
	for name, w := range map[string]*world{"read": postgres, "first sync": firstSync(t)} {
		for _, value := range values {
			for path, names := range parameters {
				for _, parameter := range names {
					if a := w.get("/tenants/contoso" + path + "?" + url.Values{parameter: {value}}.Encode()); a.status >= http.StatusInternalServerError {
						t.Errorf("%s: %s?%s=%q: %d\n%s", name, path, parameter, value, a.status, plain(a.body))
					}
				}
			}
			for _, path := range []string{"/users/", "/held/", "/refreshes/"} {
				if a := w.get("/tenants/contoso" + path + url.PathEscape(value)); a.status >= http.StatusInternalServerError {
					t.Errorf("%s: %s%q: %d\n%s", name, path, value, a.status, plain(a.body))
				}
			}
		}
	}
}

// The name of a file is made of what is known, and a list of what is not there is none.
func TestACSVOfNoProductIsNone(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	for _, product := range []string{"email", `x"; filename="evil.exe`} {
		a := w.get("/tenants/contoso/users.csv?product=" + url.QueryEscape(product))
		if a.status != http.StatusNotFound || a.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d, %q", product, a.status, a.header.Get("Content-Disposition"))
		}
	}
}

// What is asked of several at once is asked of nobody, and is no fault of ours.
func TestWhatIsAmbiguousIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso", tenant.SecureShare(), tenant.Drive())
	for _, id := range []string{"ann", "bob"} {
		u := person(id, id)
		u.Addresses = append(u.Addresses, "twin@contoso.com")
		w.put("contoso", u)
	}
	for _, product := range []string{"secure-share", "drive"} {
		w.hold("contoso", product, ledger.Held{Ref: "flip-1", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 1, Group: "g", Mode: "group-members"})
	}
	for _, path := range []string{"/users/twin@contoso.com/check", "/held/flip-1/reject"} {
		if a := w.post("/tenants/contoso"+path, "key", "k"); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
