// Package serve puts the services together in one process, as its configuration says: NATS inside or elsewhere, the
// streams, the registry of tenants, the roles, and the HTTP listener.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
)

// Options are what a caller may ask for beyond the configuration.
type Options struct {
	// ReplaceTakenPorts takes free ports where those of the configuration are taken. See Process.Moved.
	ReplaceTakenPorts bool
	// Push, where set, opens a second listener, with TLS, for what providers push, and gives it to them as the public URL.
	// It is for a simulator on the same machine: the first listener can then stay without TLS for its people.
	Push *httpserver.Config
}

// Deps are what a process is given from outside.
type Deps struct {
	Dir     *datadir.Dir
	Logger  *slog.Logger
	Clock   clock.Clock
	Metrics *prometheus.Registry
}

// Process is one Rollcall, opened but not yet running.
type Process struct {
	cfg  config.Config
	deps Deps

	nats     *natsserver.Server // nil where NATS is elsewhere
	nc       *nats.Conn
	bus      *bus.Bus
	registry *tenant.Registry
	live     *tenant.Live
	http     *httpserver.Server
	push     *httpserver.Server // nil without Options.Push
	ready    []httpserver.Check

	workers []supervise.Worker
	closers []func() error // in the order of opening
}

// Open takes all that the process needs: files, ports, connections. After an error nothing of it is left open.
func Open(ctx context.Context, cfg config.Config, opts Options, deps Deps) (p *Process, err error) {
	p = &Process{cfg: cfg, deps: deps}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := p.openNATS(ctx, opts); err != nil {
		return nil, err
	}
	if err := p.openTenants(ctx); err != nil {
		return nil, err
	}
	mux := http.NewServeMux() // the listeners are opened first: their addresses are what the roles tell providers
	if err := p.openHTTP(mux, opts); err != nil {
		return nil, err
	}
	return p, p.openRoles(ctx, mux)
}

func (p *Process) openTenants(ctx context.Context) error {
	kv, err := p.bus.KeyValue(ctx, bus.BucketTenants)
	if err != nil {
		return err
	}
	p.registry = tenant.NewRegistry(kv)
	p.registry.OnFault = func(id string, err error) {
		p.deps.Logger.ErrorContext(ctx, "the record of a tenant cannot be read", "tenant", id, "error", err)
	}
	p.live = tenant.NewLive(p.registry)
	p.add("tenants", p.live.Run)
	return nil
}

func (p *Process) openHTTP(mux *http.ServeMux, opts Options) (err error) {
	p.ready = []httpserver.Check{{Name: "nats", Ready: p.natsReady}, {Name: "tenants", Ready: p.live.Ready}}
	deps := httpserver.Deps{Logger: p.deps.Logger, Handler: mux, Metrics: p.deps.Metrics, Ready: p.allReady}
	p.http, err = p.listen("http", httpserver.Config{
		Addr: p.cfg.HTTP.Addr, ReplaceTakenPort: opts.ReplaceTakenPorts,
		CertFile: p.cfg.HTTP.TLSCertFile, KeyFile: p.cfg.HTTP.TLSKeyFile,
	}, deps)
	if err != nil || opts.Push == nil {
		return err
	}
	p.push, err = p.listen("push", *opts.Push, httpserver.Deps{Logger: p.deps.Logger, Handler: mux})
	if err == nil {
		p.cfg.Intake.PublicURL = p.push.URL()
	}
	return err
}

func (p *Process) listen(name string, cfg httpserver.Config, deps httpserver.Deps) (*httpserver.Server, error) {
	server, err := httpserver.New(cfg, deps)
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, func() error { _ = server.Close(); return nil }) // served, it has closed itself
	p.add(name, server.Run)
	return server, nil
}

// allReady lists the checks of all parts, also of those that were opened after the listener.
func (p *Process) allReady() []httpserver.Check { return p.ready }

func (p *Process) add(name string, run func(context.Context) error) {
	p.workers = append(p.workers, supervise.Worker{Name: name, Run: run})
}

// drain is how long a process may take to end. Handlers in hand have 10 s of their own.
const drain = 15 * time.Second

// Run announces where the process is reached, and works until ctx ends or a part of it fails. Others run with it.
func (p *Process) Run(ctx context.Context, sim *datadir.Simulator, others ...supervise.Worker) error {
	if err := p.deps.Dir.Announce(p.endpoints(sim)); err != nil {
		return err
	}
	p.deps.Logger.InfoContext(ctx, "running", "roles", p.cfg.Roles, "http", p.http.URL(), "nats", p.NATSURL())
	err := supervise.Run(ctx, supervise.Config{Drain: drain}, supervise.Deps{Logger: p.deps.Logger}, append(p.workers, others...)...)
	p.deps.Logger.InfoContext(ctx, "stopped")
	return err
}

// Close gives everything back, last opened first.
func (p *Process) Close() error {
	var errs []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		errs = append(errs, p.closers[i]())
	}
	p.closers = nil
	return errors.Join(errs...)
}

func (p *Process) endpoints(sim *datadir.Simulator) datadir.Endpoints {
	e := datadir.Endpoints{NATS: p.NATSURL(), HTTP: p.http.URL(), Simulator: sim}
	if p.cfg.HasRole(config.RoleWorker) {
		e.Ledger = p.cfg.LedgerFile()
	}
	return e
}

// NATSURL is where any NATS client on this machine connects.
func (p *Process) NATSURL() string {
	if p.nats != nil {
		return p.nats.URL()
	}
	return p.cfg.NATS.URL
}

// HTTPURL is the base of the HTTP listener.
func (p *Process) HTTPURL() string { return p.http.URL() }

// PushURL is where providers push to, without the path; "" without Options.Push.
func (p *Process) PushURL() string {
	if p.push == nil {
		return ""
	}
	return p.push.URL()
}

// Tenants is the registry.
func (p *Process) Tenants() *tenant.Registry { return p.registry }

// Moved says which addresses were taken and replaced, as a sentence each.
func (p *Process) Moved() (said []string) {
	if p.nats != nil && p.nats.Moved() {
		said = append(said, fmt.Sprintf("%s is taken: NATS is at %s instead.", p.cfg.NATS.Listen, p.NATSURL()))
	}
	if p.http.Moved() {
		said = append(said, fmt.Sprintf("%s is taken: HTTP is at %s instead.", p.cfg.HTTP.Addr, p.HTTPURL()))
	}
	return said
}
