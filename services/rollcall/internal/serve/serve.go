// Package serve puts the services together in one process, as its configuration says: the roles, NATS inside or elsewhere,
// and the folder that the process has for itself.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	controlcenter "github.com/rollcall-hq/rollcall/services/control-center"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver"
	"github.com/rollcall-hq/rollcall/services/internal/process"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/worker"
	workspacereceiver "github.com/rollcall-hq/rollcall/services/workspace-receiver"
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
	process *process.Process
	dir     *datadir.Dir
	nats    *natsserver.Server // nil where NATS is elsewhere
	push    *httpserver.Server // nil without Options.Push
}

// Open takes all that the process needs: files, ports, connections. After an error nothing of it is left open.
func Open(ctx context.Context, cfg config.Config, opts Options, deps Deps) (p *Process, err error) {
	p = &Process{dir: deps.Dir}
	if err := p.open(ctx, cfg, opts, deps, p.parts(cfg, opts)...); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Process) open(ctx context.Context, cfg config.Config, opts Options, deps Deps, parts ...process.Part) (err error) {
	options := process.Options{ReplaceTakenPort: opts.ReplaceTakenPorts}
	if options.Owner, err = deps.Dir.Identity(); err != nil {
		return err
	}
	if cfg.Embedded() {
		options.NATS = func() (process.Server, error) {
			p.nats, err = natsserver.Start(natsserver.Config{
				StoreDir: deps.Dir.Join("nats"), Listen: cfg.NATS.Listen, ReplaceTakenPort: opts.ReplaceTakenPorts,
				SyncAlways: cfg.NATS.SyncAlways,
			}, natsserver.Deps{Logger: deps.Logger.With("part", "nats-server")})
			return p.nats, err
		}
	}
	p.process, err = process.Open(ctx, cfg, options,
		process.Deps{Logger: deps.Logger, Clock: deps.Clock, Metrics: deps.Metrics}, parts...)
	return err
}

// Offline opens what a process has of NATS, without any role and reachable by nobody else, for work on it.
func Offline(ctx context.Context, cfg config.Config, deps Deps, work func(*bus.Bus, *tenant.Registry) error) error {
	cfg.HTTP = config.HTTP{Addr: "127.0.0.1:0"}
	cfg.NATS.Listen = "127.0.0.1:0"
	p := &Process{dir: deps.Dir}
	if err := p.open(ctx, cfg, Options{}, deps); err != nil {
		return err
	}
	return errors.Join(work(p.process.Bus, p.process.Registry), p.Close())
}

// parts are the roles that the configuration names. Before them the listener for pushes: its address is what they tell
// providers.
func (p *Process) parts(cfg config.Config, opts Options) (parts []process.Part) {
	if opts.Push != nil {
		parts = append(parts, func(_ context.Context, base *process.Process) (err error) {
			p.push, err = base.Listen("push", *opts.Push, httpserver.Deps{Logger: base.Logger, Handler: base.Mux})
			if err == nil {
				base.Config.Intake.PublicURL = p.push.URL()
			}
			return err
		})
	}
	if cfg.HasRole(config.RoleWorker) {
		parts = append(parts, worker.Open)
	}
	if cfg.HasRole(config.RoleGraphReceiver) {
		parts = append(parts, graphreceiver.Open)
	}
	if cfg.HasRole(config.RoleWorkspaceReceiver) {
		parts = append(parts, workspacereceiver.Open)
	}
	if cfg.HasRole(config.RoleControlCenter) {
		parts = append(parts, controlcenter.Open) // behind the worker, which makes the ledger that it reads
	}
	return parts
}

// Run announces where the process is reached, and works until ctx ends or a part of it fails. Others run with it.
func (p *Process) Run(ctx context.Context, sim *datadir.Simulator, others ...supervise.Worker) error {
	endpoints := datadir.Endpoints{NATS: p.NATSURL(), HTTP: p.HTTPURL(), Simulator: sim}
	if p.process.Config.HasRole(config.RoleWorker) {
		endpoints.Ledger = p.process.Config.LedgerAddress()
	}
	if err := p.dir.Announce(endpoints); err != nil {
		return err
	}
	return p.process.Run(ctx, others...)
}

// Close gives everything back, last opened first.
func (p *Process) Close() error { return p.process.Close() }

// NATSURL is where any NATS client on this machine connects.
func (p *Process) NATSURL() string { return p.process.NATSURL() }

// HTTPURL is the base of the HTTP listener.
func (p *Process) HTTPURL() string { return p.process.HTTP.URL() }

// PushURL is where providers push to, without the path; "" without Options.Push.
func (p *Process) PushURL() string {
	if p.push == nil {
		return ""
	}
	return p.push.URL()
}

// Tenants is the registry.
func (p *Process) Tenants() *tenant.Registry { return p.process.Registry }

// Moved says which addresses were taken and replaced, as a sentence each.
func (p *Process) Moved() (said []string) {
	cfg := p.process.Config
	if p.nats != nil && p.nats.Moved() {
		said = append(said, fmt.Sprintf("%s is taken: NATS is at %s instead.", cfg.NATS.Listen, p.NATSURL()))
	}
	if p.process.HTTP.Moved() {
		said = append(said, fmt.Sprintf("%s is taken: HTTP is at %s instead.", cfg.HTTP.Addr, p.HTTPURL()))
	}
	return said
}
