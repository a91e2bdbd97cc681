package timelapse

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/license"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/lease/leasetest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
	"github.com/rollcall-hq/rollcall/services/worker"
	workspacereceiver "github.com/rollcall-hq/rollcall/services/workspace-receiver"
)

// plan is what may differ from test to test. The zero plan has Google push, polls and lists groups as in production.
type plan struct {
	providers []directory.Provider // whose receivers there are; none: Google's
	poll      time.Duration        // 0: as in production
	list      time.Duration        // between two lists of a group; 0: 5 s, or longer for a large group
	full      time.Duration        // between two complete reads; 0: only the first
	doubt     time.Duration        // for which no read alone undoes what has changed; 0: not at all
	perMinute int                  // requests; 0: as many as Google grants
}

// world is the whole cast, each part on its own clock of one stage.
type world struct {
	tb    testing.TB
	plan  plan
	stage *stage
	pulse *pulse

	provider, receiver, worker *hands

	sim     *simulator.Server
	client  *http.Client // trusts the simulator
	control *control.Client
	bus     *bus.Bus
	ledger  *ledger.Ledger
	tenants *tenant.Registry
	account *workspacetest.Account
	metrics *prometheus.Registry // the receivers'
	door    *door

	customers []*customer        // that are connected
	timers    *int               // that the receivers set when they have nothing to do
	onTime    func()             // called when a time has come and nothing was done yet
	onStep    func(at time.Time) // called when all is done that was to be done at a time
}

func open(tb testing.TB, p plan) *world {
	tb.Helper()
	w := &world{
		tb: tb, plan: p, stage: newStage(time.Now().UTC().Truncate(time.Second)), pulse: newPulse(), timers: new(int),
		account: workspacetest.New(tb), metrics: prometheus.NewRegistry(),
	}
	if len(w.plan.providers) == 0 {
		w.plan.providers = []directory.Provider{directory.GoogleWorkspace}
	}
	w.provider, w.receiver, w.worker = w.stage.clock(), w.stage.clock(), w.stage.clock()
	w.door = newDoor(tb)
	w.openSimulator()
	w.openBus()
	w.openWorker()
	w.openReceivers()
	return w
}

func (w *world) openSimulator() {
	w.tb.Helper()
	sim, err := simulator.New(simulator.Config{TrustCAFiles: []string{w.door.certFile}}, simulator.Deps{Clock: w.provider})
	if err != nil {
		w.tb.Fatal(err)
	}
	w.sim = sim
	w.background("the simulator", sim.Run)
	w.client = trusting(w.tb, sim.CAFile())
	w.control = control.New(sim.URL(), w.client)
}

func (w *world) openBus() {
	w.tb.Helper()
	w.bus = bustest.StartServer(w.tb).Bus(bus.Config{Partitions: 1})
	kv, err := w.bus.KeyValue(w.tb.Context(), bus.BucketTenants)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tenants = tenant.NewRegistry(kv)
}

func (w *world) openWorker() {
	w.tb.Helper()
	l, err := ledger.Open(w.tb.Context(), filepath.Join(w.tb.TempDir(), "ledger.db"))
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { _ = l.Close() })
	w.ledger = l
	r, err := worker.New(worker.Config{Doubt: w.plan.doubt}, worker.Deps{
		Bus: w.bus, Ledger: l, Tenants: w.tenants, Leases: leasetest.Alone{Clock: w.worker},
		Logger: logger(w.tb, "worker"), Clock: w.worker, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	w.background("the worker", r.Run)
}

// openReceivers opens those of all providers, behind one door and on one clock.
func (w *world) openReceivers() {
	w.tb.Helper()
	inside, keys := http.NewServeMux(), filepath.Join(w.tb.TempDir(), "intake.keys")
	for _, provider := range w.plan.providers {
		make, path := workspacereceiver.New, workspacereceiver.NotificationPath
		if provider == directory.Entra {
			make, path = graphreceiver.New, graphreceiver.NotificationPath
		}
		r, err := make(service.Config{
			PublicURL: w.door.url(), Push: true, PollInterval: cmp.Or(w.plan.poll, config.Default().Sync.PollInterval),
			ListInterval: w.plan.list, FullInterval: w.plan.full, PerMinute: w.plan.perMinute, KeysFile: keys, CreateKeys: true,
		}, service.Deps{
			Bus: w.bus, Tenants: w.tenants, Leases: leasetest.Alone{Clock: w.receiver},
			Logger: logger(w.tb, string(provider)+" receiver"), Clock: w.receiver, Metrics: w.metrics,
		})
		if err != nil {
			w.tb.Fatal(err)
		}
		inside.Handle(path, r.Handler())
		w.background("the receiver of "+string(provider), r.Run)
		for r.Ready(w.tb.Context()) != nil {
			breathe()
		}
	}
	w.door.leadTo(inside)
}

// drained reports whether nothing waits on the streams or in the outbox, and the receiver waits for its clock.
func (w *world) drained() bool {
	if w.receiver.waiting() < *w.timers {
		return false
	}
	if !w.consumed(bus.Notifications) || !w.consumed(bus.LedgerIn) {
		return false
	}
	depth, err := w.ledger.OutboxDepth(w.tb.Context())
	return err == nil && depth == 0
}

// consumed reports whether all that is on a stream is done with.
func (w *world) consumed(name string) bool {
	stream, err := w.bus.JetStream().Stream(w.tb.Context(), name)
	if err != nil {
		return false
	}
	consumers, waits := stream.ListConsumers(w.tb.Context()), false
	for info := range consumers.Info() { // to its end, or who lists them waits for ever
		waits = waits || info.NumPending > 0 || info.NumAckPending > 0
	}
	return !waits && consumers.Err() == nil
}

// restless says who has not come to rest.
func (w *world) restless() string {
	still, _ := w.pulse.still()
	depth, _ := w.ledger.OutboxDepth(w.tb.Context())
	said := fmt.Sprintf("still: %t, the receiver waits for %d times, %d events in the outbox", still, w.receiver.waiting(), depth)
	for _, name := range []string{bus.Notifications, bus.LedgerIn} {
		if stream, err := w.bus.JetStream().Stream(w.tb.Context(), name); err == nil {
			for info := range stream.ListConsumers(w.tb.Context()).Info() {
				said += fmt.Sprintf(", %s has %d and %d in hand", info.Name, info.NumPending, info.NumAckPending)
			}
		}
	}
	return said
}

// follow hears all license events of a tenant, from the first on.
func (w *world) follow(tenant string) *heard {
	w.tb.Helper()
	client, err := license.New(w.bus.JetStream().Conn())
	if err != nil {
		w.tb.Fatal(err)
	}
	h := &heard{}
	w.background("a reader of LICENSES", func(ctx context.Context) error {
		return client.Replay(ctx, license.Options{Tenant: tenant, Follow: true}, func(_ context.Context, e license.Event) error {
			h.add(e)
			return nil
		})
	})
	return h
}

// background runs a part until the test is over, and then waits for its end.
func (w *world) background(what string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	w.tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.tb.Errorf("%s ended with %v", what, err)
		}
	})
}

// door is the public URL: it has a certificate that the simulator trusts, and leads to the receiver.
type door struct {
	server   *httptest.Server
	certFile string
	inside   atomic.Pointer[http.Handler]
}

func newDoor(tb testing.TB) *door {
	tb.Helper()
	d := &door{certFile: filepath.Join(tb.TempDir(), "door.pem")}
	d.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if inside := d.inside.Load(); inside != nil {
			(*inside).ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	tb.Cleanup(d.server.Close)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.server.Certificate().Raw})
	if err := os.WriteFile(d.certFile, cert, 0o600); err != nil {
		tb.Fatal(err)
	}
	return d
}

func (d *door) url() string                { return d.server.URL }
func (d *door) leadTo(inside http.Handler) { d.inside.Store(&inside) }

// trusting speaks HTTP/1.1 and trusts one certificate. (A server that ends waits a second for each connection of HTTP/2.)
func trusting(tb testing.TB, caFile string) *http.Client {
	tb.Helper()
	raw, err := os.ReadFile(caFile)
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		tb.Fatalf("%s holds no certificate", caFile)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}, Timeout: patience}
	tb.Cleanup(c.CloseIdleConnections)
	return c
}

// logger tells the test what a part says, where it has something to complain of.
func logger(tb testing.TB, part string) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("part", part)
}
