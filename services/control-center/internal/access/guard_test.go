package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// proofs are those that a test knows: of cookies and of tokens.
type proofs map[string]error

var ada = access.Principal{ID: "google:ada", Role: access.TenantAdmin, Tenants: []string{"contoso"}}

func (p proofs) of(proof string) (access.Principal, error) {
	if err, known := p[proof]; known {
		return ada, err
	}
	return access.Principal{}, access.ErrRefused
}

type sessions struct{ proofs }

func (s sessions) Who(r *http.Request) (access.Principal, error) {
	c, err := r.Cookie("session")
	if err != nil {
		return access.Principal{}, access.ErrRefused
	}
	return s.of(c.Value)
}

type bearers struct{ proofs }

func (b bearers) Who(_ context.Context, token string) (access.Principal, error) { return b.of(token) }

type guarded struct {
	http.Handler
	clock *clock.Fake
	log   bytes.Buffer
}

func guard(t *testing.T, cfg access.Config) *guarded {
	t.Helper()
	g := &guarded{clock: clock.NewFake(time.Now())}
	logger, err := telemetry.NewLogger(&g.log, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	known := proofs{"good": nil, "busy": access.ErrTooMany, "away": access.ErrUnavailable, "odd": errors.New("odd")}
	made := access.NewGuard(cfg, access.Deps{Sessions: sessions{known}, Bearers: bearers{known}, Logger: logger, Clock: g.clock})
	inner := http.NewServeMux()
	inner.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		p, ok := access.From(r.Context())
		_, _ = fmt.Fprint(w, p.ID, ok)
	})
	inner.HandleFunc("POST /api/tenants/{tenant}/users/{user}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	inner.HandleFunc("POST /access/v1/evaluation", func(http.ResponseWriter, *http.Request) {})
	mux := http.NewServeMux()
	mux.Handle("/page/", made.Pages(http.StripPrefix("/page", inner)))
	mux.Handle("/api/", made.API(inner))
	mux.Handle("/access/", made.API(inner))
	mux.Handle("/who/", made.API(http.StripPrefix("/who", inner)))
	mux.Handle("/open", made.Anybody(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	g.Handler = access.Secure("https://rollcall.example.com", mux)
	return g
}

func (g *guarded) send(t *testing.T, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://rollcall.example.com"+path, nil)
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhoIsHandedOn(t *testing.T) {
	t.Parallel()
	g := guard(t, access.Config{})
	for _, c := range []struct {
		path    string
		headers []string
		status  int
	}{
		{"/page/", nil, 303},
		{"/page/", []string{"Cookie", "session=good"}, 200},
		{"/page/", []string{"Cookie", "session=bad"}, 303},
		{"/page/", []string{"Cookie", "session=away"}, 503},
		{"/page/", []string{"Authorization", "Bearer good"}, 303}, // a token opens no page
		{"/who/", nil, 401},
		{"/who/", []string{"Cookie", "session=good"}, 200},
		{"/who/", []string{"Authorization", "Bearer good"}, 200},
		{"/who/", []string{"Authorization", "bearer  good"}, 200},
		{"/who/", []string{"Authorization", "Bearer bad"}, 401},
		{"/who/", []string{"Authorization", "Bearer bad", "Cookie", "session=good"}, 401}, // who sends a token is to hear that it is wrong
		{"/who/", []string{"Authorization", "Bearer good", "Authorization", "Bearer good"}, 401},
		{"/who/", []string{"Authorization", "Basic good"}, 401},
		{"/who/", []string{"Authorization", "good"}, 401},
		{"/who/", []string{"Authorization", ""}, 401},
		{"/who/", []string{"Authorization", "Bearer away"}, 503},
		{"/who/", []string{"Authorization", "Bearer busy"}, 429},
		{"/who/", []string{"Authorization", "Bearer odd"}, 503},
		{"/who/?access_token=good", nil, 401},
	} {
		a := g.send(t, http.MethodGet, c.path, c.headers...)
		text := body(t, a)
		if a.StatusCode != c.status {
			t.Errorf("%s %v: %d %s", c.path, c.headers, a.StatusCode, text)
		}
		if c.status == 200 && text != "google:adatrue" {
			t.Errorf("%s %v: %q", c.path, c.headers, text)
		}
		if (c.status == 429 || c.status == 503) != (a.Header.Get("Retry-After") != "") {
			t.Errorf("%s %v: Retry-After %q", c.path, c.headers, a.Header.Get("Retry-After"))
		}
		if c.status == 401 {
			var problem struct {
				Status      int
				Code, Title string
			}
			if err := json.Unmarshal([]byte(text), &problem); err != nil || problem.Status != 401 || problem.Code != "unauthenticated" || problem.Title == "" ||
				a.Header.Get("Content-Type") != "application/problem+json" || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: %v %v", text, err, a.Header)
			}
		}
	}
}

func TestWhereTheyAreSent(t *testing.T) {
	t.Parallel()
	g := guard(t, access.Config{})
	for _, c := range []struct {
		method, path string
		location     string
		headers      []string
	}{
		{"GET", "/page/", "/sign-in?next=%2Fpage%2F", nil},
		{"GET", "/page/users?q=is:licensed&page=2", "/sign-in?next=%2Fpage%2Fusers%3Fq%3Dis%3Alicensed%26page%3D2", nil},
		{"POST", "/page/users", "/sign-in", nil},
	} {
		if a := g.send(t, c.method, c.path, c.headers...); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != c.location || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.StatusCode, a.Header.Get("Location"))
		}
	}
	for page, location := range map[string]string{
		"https://rollcall.example.com/tenants/contoso?tab=users": "/sign-in?next=%2Ftenants%2Fcontoso%3Ftab%3Dusers",
		"https://evil.example.com//evil":                         "/sign-in", "": "/sign-in", "::": "/sign-in", "javascript:alert(1)": "/sign-in",
	} {
		a := g.send(t, "GET", "/page/part", "HX-Request", "true", "HX-Current-URL", page)
		if a.StatusCode != http.StatusUnauthorized || a.Header.Get("HX-Redirect") != location {
			t.Errorf("%s: %d %s", page, a.StatusCode, a.Header.Get("HX-Redirect"))
		}
	}
}

func TestHeadersAndOrigins(t *testing.T) {
	t.Parallel()
	g := guard(t, access.Config{})
	for _, path := range []string{"/page/", "/who/", "/open", "/nowhere"} {
		a := g.send(t, http.MethodGet, path)
		for header, value := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
				"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if a.Header.Get(header) != value {
				t.Errorf("%s: %s is %q", path, header, a.Header.Get(header))
			}
		}
	}
	for _, c := range []struct {
		headers []string
		status  int
	}{
		{nil, 202}, // no browser
		{[]string{"Sec-Fetch-Site", "same-origin"}, 202},
		{[]string{"Origin", "https://rollcall.example.com"}, 202},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Sec-Fetch-Site", "same-site"}, 403},
		{[]string{"Origin", "https://evil.example.com"}, 403},
		{[]string{"Origin", "null"}, 403},
	} {
		if a := g.send(t, http.MethodPost, "/api/tenants/contoso/users/u1", append(c.headers, "Cookie", "session=good")...); a.StatusCode != c.status {
			t.Errorf("%v: %d", c.headers, a.StatusCode)
		}
	}
	plain := access.Secure("http://127.0.0.1:8080", http.NotFoundHandler())
	w := httptest.NewRecorder()
	plain.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("a listener without https says that it has it")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	var read error
	h := access.Secure("https://rollcall.example.com", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, read = b.ReadFrom(r.Body)
	}))
	large := strings.Repeat("x", 1<<20+1)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(large))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "too-large") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(large))
	r.ContentLength = -1
	h.ServeHTTP(httptest.NewRecorder(), r)
	if _, ok := errors.AsType[*http.MaxBytesError](read); !ok {
		t.Errorf("a body of no said length: %v", read)
	}
}

func TestCommandsAreInTheLog(t *testing.T) {
	t.Parallel()
	g := guard(t, access.Config{})
	g.send(t, http.MethodGet, "/who/", "Cookie", "session=good")
	g.send(t, http.MethodPost, "/access/v1/evaluation", "Authorization", "Bearer good")
	if g.log.Len() != 0 {
		t.Errorf("who only asks is in the log: %s", g.log.String())
	}
	g.send(t, http.MethodPost, "/api/tenants/contoso/users/grace@contoso.com?q=grace", "Cookie", "session=good")
	var line map[string]any
	if err := json.Unmarshal(g.log.Bytes(), &line); err != nil {
		t.Fatalf("want one line: %s: %v", g.log.String(), err)
	}
	for key, value := range map[string]any{
		"msg": "command", "principal": "google:ada", "role": "tenant-admin", "tenant": "contoso", "status": 202.0, "route": "POST /api/tenants/{tenant}/users/{user}",
	} {
		if line[key] != value {
			t.Errorf("%s is %v", key, line[key])
		}
	}
	if strings.Contains(g.log.String(), "grace") || strings.Contains(g.log.String(), "redacted") {
		t.Errorf("there is an address in %s", g.log.String())
	}
	g.log.Reset()
	g.send(t, http.MethodGet, "/who/", "Authorization", "Bearer rc_"+strings.Repeat("a", 40))
	if lines := g.log.String(); !strings.Contains(lines, `"msg":"refused"`) || !strings.Contains(lines, `"why":"unauthenticated"`) || strings.Contains(lines, "aaaa") {
		t.Errorf("a refusal: %s", lines)
	}
}

// An answer that goes on for long ends for whom the proof is none any more, and for nobody because it cannot be looked at.
func TestWhoStillSees(t *testing.T) {
	t.Parallel()
	known := proofs{"good": nil}
	made := access.NewGuard(access.Config{}, access.Deps{Sessions: sessions{known}, Bearers: bearers{known}, Logger: telemetry.Discard(), Clock: clock.System()})
	for name, wrap := range map[string]func(http.Handler) http.Handler{"pages": made.Pages, "api": made.API} {
		asked := 0
		handler := wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked++
			for _, c := range []struct {
				err    error
				tenant string
				want   bool
			}{{nil, "contoso", true}, {nil, "fabrikam", false}, {access.ErrUnavailable, "contoso", true}, {access.ErrUnavailable, "fabrikam", false}, {access.ErrRefused, "contoso", false}} {
				known["good"] = c.err
				if got := access.Still(r.Context(), c.tenant); got != c.want {
					t.Errorf("%s: %v, %s: %t", name, c.err, c.tenant, got)
				}
			}
			known["good"] = nil
		}))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Cookie", "session=good")
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if asked != 1 {
			t.Errorf("%s: asked %d times", name, asked)
		}
	}
	if access.Still(t.Context(), "contoso") {
		t.Error("nobody still sees a tenant")
	}
}
