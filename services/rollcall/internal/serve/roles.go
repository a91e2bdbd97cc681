package serve

import (
	"context"
	"net/http"

	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/worker"
)

// openRoles adds the services that the configuration names. Their handlers go into mux.
func (p *Process) openRoles(ctx context.Context, mux *http.ServeMux) error {
	if p.cfg.HasRole(config.RoleWorker) {
		if err := p.openWorker(ctx); err != nil {
			return err
		}
	}
	if p.cfg.HasRole(config.RoleGraphReceiver) {
		return p.openGraphReceiver(mux)
	}
	return nil
}

func (p *Process) openWorker(ctx context.Context) error {
	l, err := ledger.Open(ctx, p.cfg.LedgerFile())
	if err != nil {
		return err
	}
	p.closers = append(p.closers, l.Close)
	w, err := worker.New(worker.Config{Settle: p.cfg.Worker.Settle}, worker.Deps{
		Bus: p.bus, Ledger: l, Tenants: p.live, Logger: p.deps.Logger.With("role", config.RoleWorker), Clock: p.deps.Clock,
		Metrics: p.deps.Metrics,
	})
	if err != nil {
		return err
	}
	p.add("worker", w.Run)
	return nil
}

func (p *Process) openGraphReceiver(mux *http.ServeMux) error {
	keys, create := p.cfg.KeysFile()
	r, err := graphreceiver.New(graphreceiver.Config{
		PublicURL: p.cfg.Intake.PublicURL, Push: p.cfg.Sync.Push, PollInterval: p.cfg.Sync.PollInterval,
		FullInterval: p.cfg.Sync.FullInterval, Vanish: p.cfg.Sync.Vanish, KeysFile: keys, CreateKeys: create,
	}, graphreceiver.Deps{
		Bus: p.bus, Tenants: p.registry, Logger: p.deps.Logger.With("role", config.RoleGraphReceiver), Clock: p.deps.Clock,
		Metrics: p.deps.Metrics,
	})
	if err != nil {
		return err
	}
	mux.Handle(graphreceiver.NotificationPath, r.Handler())
	p.ready = append(p.ready, httpserver.Check{Name: config.RoleGraphReceiver, Ready: r.Ready})
	p.add("graph-receiver", r.Run)
	return nil
}
