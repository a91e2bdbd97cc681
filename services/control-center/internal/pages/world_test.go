package pages_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/live"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/pages"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// The people of these tests.
var (
	operator = access.Principal{ID: "olga", Name: "Olga Operator", Role: access.Operator}
	admin    = access.Principal{ID: "ada", Name: "Ada Admin", Role: access.TenantAdmin, Tenants: []string{"contoso"}}
	auditor  = access.Principal{ID: "aud", Name: "Aud Auditor", Role: access.Auditor}
)

// world is a Control Center's pages over a real ledger, which the test fills as a worker would, and a real NATS server.
type world struct {
	t        testing.TB
	bus      *bus.Bus
	ledger   *ledger.Ledger
	registry *tenant.Registry
	url      string
	hub      *live.Hub
	origin   time.Time
	handler  http.Handler
	told     toldWithoutWatching
	deps     pages.Deps

	mu   sync.Mutex
	who  access.Principal
	away bool // all requests are refused
	cuts func()

	products map[string]*ledger.Product
	users    map[string]int64
	groups   map[string]int64
	stands   map[string]ledger.Entitlement
	stamps   uint64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, ledgertest.SQLite(t))
}

// newWorldOn is newWorld over the ledger at an address.
func newWorldOn(t testing.TB, address string) *world {
	t.Helper()
	return newWorldBy(t, clock.System(), address)
}

// newWorldBy is newWorldOn by a clock.
func newWorldBy(t testing.TB, c clock.Clock, address string) *world {
	t.Helper()
	w := &world{
		t: t, bus: bustest.New(t), who: operator, origin: time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour),
		products: map[string]*ledger.Product{}, users: map[string]int64{}, groups: map[string]int64{}, stands: map[string]ledger.Entitlement{},
	}
	var err error
	if w.ledger, err = ledger.Open(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.ledger.Close() })
	tenants, err := w.bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := w.bus.KeyValue(t.Context(), bus.BucketChannels)
	if err != nil {
		t.Fatal(err)
	}
	w.registry = tenant.NewRegistry(tenants)
	w.hub = live.New(live.Config{}, live.Deps{Bus: w.bus, Clock: c, Logger: telemetry.Discard(), Metrics: prometheus.NewRegistry()})
	w.run(w.hub.Run)
	sessions, err := session.Open(t.Context(), session.Config{}, w.bus, c)
	if err != nil {
		t.Fatal(err)
	}
	refreshes := refresh.NewBook(context.Background(), w.bus, c)
	t.Cleanup(refreshes.Close)
	w.deps = pages.Deps{
		Ledger: w.ledger.Reader(), Tenants: w.registry, Channels: channels.NewBook(kv, c), Refreshes: refreshes, Bus: w.bus, Live: w.hub, Clock: c, Notices: &w.told,
		Receivers: connect.NewClient(w.bus), Errands: sessions,
		Connector: connecting.New(connecting.Deps{
			Receivers: connect.NewClient(w.bus), Tenants: w.registry, Commands: command.New(w.bus, c), PublicURL: publicURL, Clock: c, Logger: telemetry.Discard(),
		}),
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	w.begin()
	return w
}

// begin serves the pages, as deps say.
func (w *world) begin() {
	w.t.Helper()
	p, err := pages.New(w.deps)
	if err != nil {
		w.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{name}", p.Assets())
	mux.Handle("/", p.Handler())
	w.serve(mux)
}

// run has something run until the test ends.
func (w *world) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	w.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		_ = f(ctx)
	}()
}

// policyOfContent is what the guard sends with every answer.
const policyOfContent = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// serve puts the principal on each request, as the guard does, with its headers.
func (w *world) serve(h http.Handler) {
	w.handler = http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", policyOfContent)
		rw.Header().Set("X-Content-Type-Options", "nosniff")
		who, away := w.asks()
		if away {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(rw, r.WithContext(access.WithProof(r.Context(), who, func() (access.Principal, error) {
			now, _ := w.asks()
			return now, nil
		})))
	}))
	w.restart(30 * time.Second)
}

// restart serves the pages at a new address, with a time for reading and for answering a request.
func (w *world) restart(times time.Duration) {
	server := httptest.NewUnstartedServer(w.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = times, times
	server.Start()
	w.t.Cleanup(server.Close)
	w.t.Cleanup(server.CloseClientConnections)
	w.cuts = server.CloseClientConnections
	w.url = server.URL
}

// asks is who sends requests, and whether the network is away.
func (w *world) asks() (who access.Principal, away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.who, w.away
}

// as has all later requests come from somebody.
func (w *world) as(who access.Principal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.who = who
}

// cut takes the network away while something is done.
func (w *world) cut(do func()) {
	w.t.Helper()
	set := func(away bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.away = away
	}
	set(true)
	w.cuts()
	do()
	set(false)
}

// obey answers every command of a tenant with what say makes of it, until the test ends.
func (w *world) obey(id string, say func(event.Event) event.Answered) {
	w.t.Helper()
	w.run(func(ctx context.Context) error {
		return w.bus.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"command.*." + id + ".*"}, Follow: true}, func(m bus.Message) error {
			if m.Event.Type() == event.TypeAnswered {
				return nil
			}
			answer := say(m.Event)
			answer.Command = m.Event.ID()
			ev, err := event.New(event.TypeAnswered, event.Meta{
				ID: answer.Command + ".answered", Source: event.CommandSource(id), Time: time.Now(), Tenant: id, Cause: answer.Command,
			}, answer)
			if err != nil {
				return err
			}
			_, err = w.bus.Publish(ctx, event.CommandSubject(id, event.VerbAnswered), ev)
			return err
		})
	})
}
