package controlcenter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// center is a Control Center on a listener, with a route of the API and one of the pages that say who asks.
func center(t *testing.T, b *bus.Bus, c clock.Clock, development bool) (*Center, string) {
	t.Helper()
	book, err := ledger.Open(t.Context(), ledgertest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	kv, err := b.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String()
	made, err := New(t.Context(), Config{PublicURL: address + "/", DevelopmentLogin: development}, Deps{
		Bus: b, Ledger: book.Reader(), Tenants: tenant.NewRegistry(kv), Logger: telemetry.Discard(), Clock: c, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := access.From(r.Context())
		_, _ = fmt.Fprintf(w, "%s sees contoso: %t", p.ID, p.Sees("contoso"))
	})
	made.mux.Handle("/probe/page", made.guard.Pages(who))
	made.mux.Handle("/probe/api", made.guard.API(who))
	server.Config.Handler = made.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return made, address
}

// send sends a request and returns its status and what was answered.
func send(t *testing.T, client *http.Client, method, address, form string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Request.URL.Path + " " + string(body)
}

func TestDevelopmentLoginOfACenter(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	_, with := center(t, b, clock.System(), true)
	_, without := center(t, b, clock.System(), false)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	form := url.Values{"role": {"tenant-admin"}, "tenants": {"contoso"}, "next": {"/probe/page"}}.Encode()
	if status, text := send(t, browser, http.MethodPost, with+"/sign-in/development", form); status != 200 || text != "/probe/page development:tenant-admin sees contoso: true" {
		t.Fatalf("%d %s", status, text)
	}
	// The same bucket, and so the same session: without the login it is worth nothing.
	if status, text := send(t, browser, http.MethodGet, without+"/probe/page", ""); status != 200 || !strings.HasPrefix(text, "/sign-in ") {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := send(t, browser, http.MethodGet, without+"/probe/api", ""); status != 401 {
		t.Errorf("%d", status)
	}
	if status, _ := send(t, browser, http.MethodPost, without+"/sign-in/development", form); status != 403 {
		t.Errorf("%d", status)
	}
}

func TestTokensAtACenter(t *testing.T) {
	t.Parallel()
	b, fake := bustest.New(t), clock.NewFake(time.Now())
	_, address := center(t, b, fake, false)
	store, err := tokens.Open(t.Context(), b, fake)
	if err != nil {
		t.Fatal(err)
	}
	secret, made, err := store.Make(t.Context(), tokens.Wanted{
		Name: "billing", Role: access.Auditor, Tenants: []string{"contoso"}, By: "test", Expires: fake.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (int, string) {
		return send(t, http.DefaultClient, http.MethodGet, address+"/probe/api", "", "Authorization", "Bearer "+secret)
	}
	if status, text := ask(); status != 200 || text != "/probe/api token:"+made.ID+" sees contoso: true" {
		t.Errorf("%d %s", status, text)
	}
	if _, err := store.Revoke(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(); status != 401 {
		t.Errorf("revoked: %d", status)
	}
	if status, _ := send(t, http.DefaultClient, http.MethodGet, address+"/probe/api", "", "Authorization", "Bearer rc_made_up"); status != 401 {
		t.Errorf("made up: %d", status)
	}
}

func TestACenterWithAWrongAccessFileDoesNotStart(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	c := &Center{cfg: Config{AccessFile: t.TempDir() + "/none.yaml"}, deps: Deps{Bus: b, Logger: telemetry.Discard(), Clock: clock.System()}, mux: http.NewServeMux()}
	if err := c.mountAccess(t.Context()); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("%v", err)
	}
}

// A cookie is never sent where others listen.
func TestCookiesGoByHTTPSOrNotAtAll(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:8080": true, "http://0.0.0.0:8080": false, "http://rollcall.example.com": false,
		"http://localhost.example.com": false, "https://127.0.0.1": false, "https://rollcall.example.com": false, "": false, ":": false,
	} {
		if plain(url) != want {
			t.Errorf("%s: %t", url, !want)
		}
	}
}

// What has expired goes by itself.
func TestACenterSweeps(t *testing.T) {
	t.Parallel()
	b, fake := bustest.New(t), clock.NewFake(time.Now())
	made, address := center(t, b, fake, true)
	form := url.Values{"role": {"operator"}}.Encode()
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if status, _ := send(t, noRedirect, http.MethodPost, address+"/sign-in/development", form); status != 303 {
		t.Fatalf("%d", status)
	}
	kv, err := b.KeyValue(t.Context(), bus.BucketSessions)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- made.Run(ctx) }()
	for range 7 { // sessions are idle for an hour at most
		fake.BlockUntil(1)
		fake.Advance(sweepEvery)
	}
	fake.BlockUntil(1) // the last sweep is done
	status, err := kv.Status(t.Context())
	if err != nil || status.Values() != 0 {
		t.Errorf("%d values: %v", status.Values(), err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
