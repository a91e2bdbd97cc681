package pages_test

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// pagesOfACrowd are what pages of a tenant are asked for, by the filters that they offer, alone and with others; DAY is half
// a year ago.
var pagesOfACrowd = []string{
	"", "/usage", "/groups", "/activity", "/users",
	"/users?sort=address", "/users?sort=status&desc=1", "/users?sort=licensed", "/users?sort=since&desc=1", "/users?sort=change&desc=1",
	"/users?licensed=yes", "/users?licensed=no", "/users?licensed=no&sort=since", "/users?activated=yes", "/users?activated=no&licensed=yes",
	"/users?status=active", "/users?status=suspended&sort=change", "/users?status=deleted", "/users?status=guest", "/users?status=held", "/users?status=waiting",
	"/users?reason=domain-default", "/users?reason=group-member", "/users?reason=not-a-member", "/users?reason=suspended", "/users?reason=over-seat-limit", "/users?reason=held",
	"/users?q=dan*", "/users?q=zoe+xanwawood", "/users?q=user12*&status=suspended", "/users?q=email:zoe*+OR+is:waiting+OR+reason:held",
	"/users?group=team1@contoso.com&sort=change&desc=1", "/users?group=secure-share@contoso.com&licensed=no", "/users?group=secure-share@contoso.com&q=quinn*&activated=no",
	"/users?day=DAY", "/users?day=DAY&licensed=yes&sort=since", "/users?day=DAY&status=held&sort=change", "/users?day=DAY&group=secure-share@contoso.com&licensed=no",
}

// BenchmarkACrowd is how long the server takes for pages of a tenant of half a million users: for the first of a list, and for
// the fifth where there is one. BenchmarkListsOfACrowd, in the ledger, asks for more.
//
//	go test -run '^$' -bench ACrowd -benchtime 1x -timeout 60m ./services/control-center/internal/pages
func BenchmarkACrowd(b *testing.B) {
	for _, backend := range ledgertest.Backends() {
		b.Run(backend.Name, func(b *testing.B) {
			address := backend.Address(b)
			ledgertest.LoadCrowd(b, address, ledgertest.Crowd{Tenant: "contoso", Product: "secure-share", Domain: "contoso.com", Users: 500_000, At: time.Now()})
			w := newWorldOn(b, address)
			w.connect("contoso")
			for _, path := range pagesOfACrowd {
				path = strings.ReplaceAll(path, "DAY", time.Now().AddDate(0, -6, 0).Format(time.DateOnly))
				b.Run(cmp.Or(path, "/"), func(b *testing.B) {
					path := "/tenants/contoso" + path
					timePage(b, w.handler, path).Report(b, "")
					if deep := fifth(b, w.handler, path); deep != path {
						timePage(b, w.handler, deep).Report(b, "deep-")
					}
				})
			}
		})
	}
}

func timePage(b *testing.B, h http.Handler, path string) ledgertest.Times {
	b.Helper()
	return ledgertest.Time(b, 20, func() error { _, err := pageBy(b, h, path); return err })
}

// pageBy is what the server has for a path, without a network.
func pageBy(b *testing.B, h http.Handler, path string) (string, error) {
	to := httptest.NewRecorder()
	h.ServeHTTP(to, httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, http.NoBody))
	if to.Code != http.StatusOK {
		return "", fmt.Errorf("%s: %d", path, to.Code)
	}
	return to.Body.String(), nil
}

var nextPage = regexp.MustCompile(`id="next" href="([^"]+)"`)

// fifth is the path of the fifth page of a list, or of its last.
func fifth(b *testing.B, h http.Handler, path string) string {
	for range 4 {
		text, err := pageBy(b, h, path)
		if err != nil {
			b.Fatal(err)
		}
		m := nextPage.FindStringSubmatch(text)
		if m == nil {
			break
		}
		path = html.UnescapeString(m[1])
	}
	return path
}
