package worker

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/process"
)

// Open is the worker as a part of a process: with the ledger that the configuration names, and with metrics of what waits
// in it for somebody.
func Open(ctx context.Context, p *process.Process) error {
	l, err := ledger.Open(ctx, p.Config.LedgerAddress())
	if err != nil {
		return err
	}
	p.OnClose(l.Close)
	w, err := New(Config{Settle: p.Config.Worker.Settle, Doubt: p.Config.Worker.Doubt}, Deps{
		Bus: p.Bus, Ledger: l, Tenants: p.Live, Leases: p.Leases, Logger: p.Logger.With("role", config.RoleWorker), Clock: p.Clock, Metrics: p.Metrics,
	})
	if err != nil {
		return err
	}
	p.AddWorker(config.RoleWorker, w.Run)
	return openHolds(ctx, p)
}
