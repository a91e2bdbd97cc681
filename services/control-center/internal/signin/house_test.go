package signin_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/oidctest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/signin"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

const secret = "the-client's-own-secret"

// house is a place to sign in to, with two issuers.
type house struct {
	t          *testing.T
	url        string
	clock      *clock.Fake
	google, ms *oidctest.Server
	file       string // of who may come in
	log        *log
}

// log collects lines.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// people is what the access file says of people, unless a test says something else.
const people = `
people:
  - {issuer: google, subject: "subject-of-ada", role: operator}
  - {issuer: google, email: grace@contoso.com, role: auditor, tenants: [contoso]}
  - {issuer: microsoft, subject: 5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10, role: tenant-admin, tenants: [contoso]}
`

const directory = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11" // of Entra

func open(t *testing.T, cfg signin.Config) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewFake(time.Now()), log: &log{}, file: filepath.Join(t.TempDir(), "access.yaml")}
	h.google, h.ms = oidctest.Start(t, h.clock.Now), oidctest.Start(t, h.clock.Now)
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	h.allow(people)
	logger, err := telemetry.NewLogger(h.log, "debug", "json")
	if err != nil {
		t.Fatal(err)
	}
	file, err := accessfile.Open(h.file, logger, h.clock)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.Open(t.Context(), session.Config{}, bustest.New(t), h.clock)
	if err != nil {
		t.Fatal(err)
	}
	cfg.PublicURL = h.url
	s := signin.New(cfg, signin.Deps{Sessions: sessions, Access: file, Issuers: issuer.NewFinder(h.clock), Logger: logger, Clock: h.clock})
	guard := access.NewGuard(access.Config{Address: access.Limit{Rate: 1000, Burst: 1000}}, access.Deps{
		Sessions: s, Bearers: nobody{}, Logger: logger, Clock: h.clock,
	})
	s.Mount(mux, guard)
	mux.Handle("/form", guard.Pages(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>Form</title><main><form method="post" action="/sign-out"><button id="out">Sign out</button></form></main>`)
	})))
	mux.Handle("/", guard.Pages(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := access.From(r.Context())
		_, _ = fmt.Fprintf(w, "%s %s %v", r.URL.Path, p.Role, p.Tenants)
	})))
	mux.Handle("/home", guard.Pages(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := access.From(r.Context())
		_, _ = fmt.Fprint(w, p.Home.Directory)
	})))
	server.Config.Handler = access.Secure(h.url, mux)
	server.Start()
	t.Cleanup(server.Close)
	return h
}

type nobody struct{}

func (nobody) Who(context.Context, string) (access.Principal, error) {
	return access.Principal{}, access.ErrRefused
}

// allow writes the access file: the two issuers, and what is given.
func (h *house) allow(people string) {
	h.t.Helper()
	googleSecret := h.google.Register(oidctest.Client{ID: "rollcall", Secret: secret, Redirects: []string{h.url + "/sign-in/google/callback"}})
	msSecret := h.ms.Register(oidctest.Client{ID: "rollcall-ms", Secret: secret, Redirects: []string{h.url + "/sign-in/microsoft/callback"}})
	h.write(fmt.Sprintf(`
issuers:
  - {id: google, name: Google, issuer: %q, client_id: rollcall, client_secret_file: %s, hosted_domains: [contoso.com]}
  - {id: microsoft, name: Microsoft, issuer: %q, client_id: rollcall-ms, client_secret_file: %s, subject_claim: oid, directory_ids: [%s]}
%s`, h.google.URL, googleSecret, h.ms.URL, msSecret, directory, people))
}

// several makes Microsoft an issuer for people of several tenants.
func (h *house) several() {
	h.t.Helper()
	text, err := os.ReadFile(h.file)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(strings.ReplaceAll(string(text), fmt.Sprintf("%q", h.ms.URL), fmt.Sprintf("%q", h.ms.Organizations())))
}

func (h *house) write(text string) {
	h.t.Helper()
	next := h.file + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(next, h.file); err != nil {
		h.t.Fatal(err)
	}
}

// browser is a person's: it keeps cookies and follows redirects, or one of them at a time.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar}}
}

// stopping is the same browser, which does not follow redirects.
func (b *browser) stopping() *browser {
	client := *b.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{t: b.t, client: &client}
}

// answer is what a browser got.
type answer struct {
	status   int
	body     string
	path     string // where it ended, with its query
	location string
	header   http.Header
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response.StatusCode, string(body), response.Request.URL.RequestURI(), response.Header.Get("Location"), response.Header}
}

func (b *browser) get(url string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(url string, form url.Values, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, url, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
		if headers[n] == "Host" {
			r.Host = headers[n+1]
		}
	}
	return b.do(r)
}

// signedIn is what the page says that a browser is signed in as; "" where it is sent to sign in.
func (h *house) signedIn(b *browser) string {
	h.t.Helper()
	a := b.get(h.url + "/page")
	if a.status != http.StatusOK || !strings.HasPrefix(a.path, "/page") {
		return ""
	}
	return strings.TrimPrefix(a.body, "/page ")
}
