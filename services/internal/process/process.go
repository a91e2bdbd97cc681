// Package process is what every process of Rollcall has, whatever it does: a connection to NATS with the streams in shape,
// the registry of tenants, an HTTP listener with health and metrics, workers that run and end together. What the process
// does is put on it as parts.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/lease"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Options are what a caller may ask for beyond the configuration.
type Options struct {
	// NATS starts the server inside this process, where it is to have one. Without it the configuration names one elsewhere.
	NATS func() (Server, error)
	// Owner is an id that only this process can have, and its successor after a crash: see lease.Config.
	Owner string
	// ReplaceTakenPort takes a free port for HTTP where that of the configuration is taken.
	ReplaceTakenPort bool
}

// Server is a running NATS server, see natsserver.Server.
type Server interface {
	Connect(options ...nats.Option) (*nats.Conn, error)
	URL() string
	Shutdown()
}

// Deps are what a process is given from outside.
type Deps struct {
	Logger  *slog.Logger
	Clock   clock.Clock
	Metrics *prometheus.Registry
}

// Part opens something on a process: it takes what it needs from the fields, and leaves what is to be run, asked and closed.
type Part func(ctx context.Context, p *Process) error

// Process is opened but not yet running. Its fields are for its parts.
type Process struct {
	Config   config.Config
	Logger   *slog.Logger
	Clock    clock.Clock
	Metrics  prometheus.Registerer
	Bus      *bus.Bus
	Registry *tenant.Registry
	Live     *tenant.Live // follows Registry while the process runs
	Leases   *lease.Leases
	Mux      *http.ServeMux // of every listener
	HTTP     *httpserver.Server
	// Operations tells of the process: HTTP, unless it has an address of its own.
	Operations *httpserver.Server

	nc      *nats.Conn
	natsURL string
	ready   []httpserver.Check
	workers []supervise.Worker
	closers []func() error // in the order of opening
}

// Open takes all that the process needs, files, ports, connections, and waits for NATS where that is away. The parts come
// last, in their order. After an error nothing is left open.
func Open(ctx context.Context, cfg config.Config, opts Options, deps Deps, parts ...Part) (p *Process, err error) {
	p = &Process{Config: cfg, Logger: deps.Logger, Clock: deps.Clock, Metrics: deps.Metrics, Mux: http.NewServeMux()}
	p.logSettings(ctx)
	steps := []Part{
		func(ctx context.Context, p *Process) error { return p.openNATS(ctx, opts.NATS) },
		openTenants,
		func(ctx context.Context, p *Process) error { return p.openLeases(ctx, opts.Owner) },
		func(_ context.Context, p *Process) error { return p.openHTTP(opts, deps) },
	}
	for _, open := range append(steps, parts...) {
		if err := open(ctx, p); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// logSettings logs the settings that the process starts with. None is a secret: see package config.
func (p *Process) logSettings(ctx context.Context) {
	attrs := []any{"pid", os.Getpid()}
	if info, ok := debug.ReadBuildInfo(); ok {
		attrs = append(attrs, "version", info.Main.Version)
	}
	for _, s := range p.Config.Settings() {
		attrs = append(attrs, s.Path, s.Value)
	}
	p.Logger.InfoContext(ctx, "starting", attrs...)
}

func openTenants(ctx context.Context, p *Process) error {
	kv, err := p.Bus.KeyValue(ctx, bus.BucketTenants)
	if err != nil {
		return err
	}
	p.Registry = tenant.NewRegistry(kv)
	p.Registry.OnFault = func(id string, err error) {
		p.Logger.ErrorContext(ctx, "the record of a tenant cannot be read", "tenant", id, "error", err)
	}
	p.Live = tenant.NewLive(p.Registry)
	p.AddCheck("tenants", p.Live.Ready)
	p.AddWorker("tenants", p.Live.Run)
	return nil
}

func (p *Process) openLeases(ctx context.Context, owner string) error {
	kv, err := p.Bus.KeyValue(ctx, bus.BucketOwners)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	p.Leases = lease.New(lease.Config{TTL: p.Config.Lease.TTL, Owner: owner, Name: fmt.Sprintf("%s %d", host, os.Getpid())},
		lease.Deps{KV: kv, Clock: p.Clock, Logger: p.Logger, Metrics: p.Metrics})
	return nil
}

// openHTTP opens the listener of all parts and, where it has an address of its own, that of what watches the process.
func (p *Process) openHTTP(opts Options, deps Deps) (err error) {
	public := httpserver.Deps{Logger: p.Logger, Handler: p.Mux}
	watched := httpserver.Deps{
		Logger: p.Logger, Metrics: deps.Metrics,
		Ready: func() []httpserver.Check { return p.ready }, // also of parts that come later
	}
	if addr := p.Config.HTTP.OperationsAddr; addr == "" {
		public.Ready, public.Metrics = watched.Ready, watched.Metrics
	} else if p.Operations, err = p.Listen("operations", httpserver.Config{Addr: addr}, watched); err != nil {
		return err
	}
	p.HTTP, err = p.Listen("http", httpserver.Config{
		Addr: p.Config.HTTP.Addr, ReplaceTakenPort: opts.ReplaceTakenPort,
		CertFile: p.Config.HTTP.TLSCertFile, KeyFile: p.Config.HTTP.TLSKeyFile,
	}, public)
	if p.Operations == nil {
		p.Operations = p.HTTP
	}
	return err
}

// Listen opens a listener, which is served while the process runs.
func (p *Process) Listen(name string, cfg httpserver.Config, deps httpserver.Deps) (*httpserver.Server, error) {
	server, err := httpserver.New(cfg, deps)
	if err != nil {
		return nil, err
	}
	p.OnClose(func() error { _ = server.Close(); return nil }) // served, it has closed itself
	p.AddWorker(name, server.Run)
	return server, nil
}

// AddWorker has something run for as long as the process does.
func (p *Process) AddWorker(name string, run func(context.Context) error) {
	p.workers = append(p.workers, supervise.Worker{Name: name, Run: run})
}

// AddCheck makes something a condition of readiness.
func (p *Process) AddCheck(name string, ready func(context.Context) error) {
	p.ready = append(p.ready, httpserver.Check{Name: name, Ready: ready})
}

// OnClose has something closed with the process, before what was opened earlier.
func (p *Process) OnClose(closer func() error) { p.closers = append(p.closers, closer) }

// NATSURL is where NATS clients connect.
func (p *Process) NATSURL() string { return p.natsURL }

// Run works until ctx ends or something that runs fails. Others run with it.
func (p *Process) Run(ctx context.Context, others ...supervise.Worker) error {
	p.Logger.InfoContext(ctx, "running", "roles", p.Config.Roles, "http", p.HTTP.URL(), "operations", p.Operations.URL(), "nats", p.natsURL)
	err := supervise.Run(ctx, supervise.Config{}, supervise.Deps{Logger: p.Logger}, append(p.workers, others...)...)
	p.Logger.InfoContext(ctx, "stopped")
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
