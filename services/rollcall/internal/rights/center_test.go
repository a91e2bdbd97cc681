package rights

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	controlcenter "github.com/rollcall-hq/rollcall/services/control-center"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// center is a Control Center that signs in to NATS as its own user.
type center struct {
	t       *testing.T
	url     string
	clock   *clock.Fake
	client  *http.Client
	mu      sync.Mutex
	refused []string // by NATS
}

func openCenter(t *testing.T, h *house) *center {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &center{t: t, clock: clock.NewFake(time.Now()), client: &http.Client{Jar: jar, Timeout: patience}}
	nc := h.server.Connect("control-center", nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refused = append(c.refused, err.Error())
	}))
	b, err := bus.New(nc, bus.Config{Partitions: 4})
	if err != nil {
		t.Fatal(err)
	}
	kv, err := b.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	book, err := ledger.Open(t.Context(), ledgertest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	server := httptest.NewUnstartedServer(nil)
	c.url = "http://" + server.Listener.Addr().String()
	made, err := controlcenter.New(t.Context(), controlcenter.Config{PublicURL: c.url, DevelopmentLogin: true}, controlcenter.Deps{
		Bus: b, Ledger: book.Reader(), Tenants: tenant.NewRegistry(kv), Logger: telemetry.Discard(), Clock: c.clock, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = made.Handler()
	server.Start()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- made.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return c
}

// send sends a request and fails the test if it is not answered with a status.
func (c *center) send(method, path, form string, status int, headers ...string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	answer, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		c.t.Errorf("%s %s: %d, want %d: %s %v", method, path, answer.StatusCode, status, body, err)
	}
}

// The Control Center's user may do all that signing in and tokens need, and the operator may make tokens.
func TestTheControlCenterSignsPeopleIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	c := openCenter(t, h)
	c.send(http.MethodPost, "/sign-in/development", url.Values{"role": {"operator"}}.Encode(), 200)
	c.send(http.MethodGet, "/api/v1/tenants", "", 200)
	c.clock.Advance(5 * time.Minute) // it is noted that the session is in use
	c.send(http.MethodGet, "/api/v1/tenants", "", 200)
	c.send(http.MethodPost, "/sign-out", "", 200)
	c.send(http.MethodGet, "/api/v1/tenants", "", 401)

	operators := h.server.Bus("operator", bus.Config{})
	store, err := tokens.Open(t.Context(), operators, c.clock)
	if err != nil {
		t.Fatal(err)
	}
	secret, made, err := store.Make(t.Context(), tokens.Wanted{Name: "a", Role: "auditor", By: "test", Expires: c.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	bearer := []string{"Authorization", "Bearer " + secret}
	c.send(http.MethodGet, "/api/v1/tenants", "", 200, bearer...)
	if all, err := store.List(t.Context()); err != nil || len(all) != 1 || all[0].LastUsed == "" {
		t.Errorf("the day is not noted: %+v %v", all, err)
	}
	if _, err := store.Revoke(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	c.send(http.MethodGet, "/api/v1/tenants", "", 401, bearer...)

	// What signing out has left is swept.
	stream, err := operators.JetStream().Stream(t.Context(), "KV_"+bus.BucketSessions)
	if err != nil {
		t.Fatal(err)
	}
	h.until("the sweep has taken everything", func() bool {
		c.clock.Advance(10 * time.Minute)
		info, err := stream.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, refused := range c.refused {
		t.Errorf("NATS: %s", refused)
	}
}
