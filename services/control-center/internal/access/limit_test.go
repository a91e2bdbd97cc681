package access_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

func TestNobodyAsksTooOften(t *testing.T) {
	t.Parallel()
	g := guard(t, access.Config{Principal: access.Limit{Rate: 1, Burst: 3}, Address: access.Limit{Rate: 0.1, Burst: 2}})
	for n, want := range []int{200, 200, 200, 429, 429} {
		a := g.send(t, http.MethodGet, "/who/", "Authorization", "Bearer good")
		if a.StatusCode != want || want == 429 && a.Header.Get("Retry-After") != "1" {
			t.Errorf("request %d of a principal: %d, Retry-After %q", n, a.StatusCode, a.Header.Get("Retry-After"))
		}
	}
	for n, want := range []int{401, 401, 429, 429} { // by the address: the principal's are not counted there
		a := g.send(t, http.MethodGet, "/who/", "Authorization", "Bearer bad")
		if a.StatusCode != want || want == 429 && a.Header.Get("Retry-After") != "10" {
			t.Errorf("request %d of nobody: %d, Retry-After %q", n, a.StatusCode, a.Header.Get("Retry-After"))
		}
	}
	if a := g.send(t, http.MethodGet, "/open"); a.StatusCode != 429 {
		t.Errorf("where nobody needs a proof: %d", a.StatusCode)
	}
	if a := g.send(t, http.MethodGet, "/page/", "Cookie", "session=bad"); a.StatusCode != 429 {
		t.Errorf("pages: %d", a.StatusCode)
	}
	g.clock.Advance(10 * time.Second)
	if a := g.send(t, http.MethodGet, "/who/", "Authorization", "Bearer good"); a.StatusCode != 200 {
		t.Errorf("later: %d", a.StatusCode)
	}
	if a := g.send(t, http.MethodGet, "/open"); a.StatusCode != 200 {
		t.Errorf("later: %d", a.StatusCode)
	}
}

// However many there are, few are remembered.
func TestLimitsTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	l := access.NewLimiter(access.Limit{Rate: 1, Burst: 1}, clock.NewFake(time.Now()))
	for n := range 30_000 {
		if _, ok := l.Allow(fmt.Sprint(n)); !ok {
			t.Fatalf("the first of %d", n)
		}
	}
	if n := l.Len(); n > 10_000 {
		t.Errorf("%d are remembered", n)
	}
	if _, ok := l.Allow("29999"); ok {
		t.Error("the last is forgotten")
	}
}

func TestCaller(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, forwarded string
		proxy           bool
		want            string
	}{
		{"203.0.113.9:1234", "", false, "203.0.113.9"},
		{"203.0.113.9:1234", "198.51.100.1", false, "203.0.113.9"}, // anybody can say so
		{"10.0.0.1:1", "198.51.100.1", true, "198.51.100.1"},
		{"10.0.0.1:1", "192.0.2.66, 198.51.100.1", true, "198.51.100.1"}, // the first is what the caller said
		{"10.0.0.1:1", "", true, "10.0.0.1"},
		{"10.0.0.1:1", "nonsense", true, "unknown"},
		{"[2001:db8:1:2:3::4]:1", "", false, "2001:db8:1:2::/64"},
		{"[2001:db8:1:2:ffff::]:1", "", false, "2001:db8:1:2::/64"},
		{"[::ffff:203.0.113.9]:1", "", false, "203.0.113.9"},
		{"[fe80::1%eth0]:1", "", false, "fe80::/64"},
		{"", "", false, "unknown"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = c.from
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := access.Caller(r, c.proxy); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
