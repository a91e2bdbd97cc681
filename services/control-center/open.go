package controlcenter

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/process"
)

// Open is the Control Center as a part of a process: on its listener, with the ledger that the configuration names.
func Open(ctx context.Context, p *process.Process) error {
	reader, err := awaitLedger(ctx, p)
	if err != nil {
		return err
	}
	p.OnClose(reader.Close)
	cfg := Config{
		PublicURL: p.Config.Center.PublicURL, AccessFile: p.Config.Center.AccessFile, NoticesFile: p.Config.Center.NoticesFile,
		DevelopmentLogin: p.Config.Center.DevelopmentLogin, TrustedProxy: p.Config.HTTP.TrustedProxy,
	}
	if cfg.PublicURL == "" {
		cfg.PublicURL = p.HTTP.URL()
	}
	c, err := New(ctx, cfg, Deps{
		Bus: p.Bus, Ledger: reader, Tenants: p.Live, Logger: p.Logger.With("role", config.RoleControlCenter), Clock: p.Clock, Metrics: p.Metrics,
	})
	if err != nil {
		return err
	}
	p.Mux.Handle("/", c.Handler())
	p.AddWorker(config.RoleControlCenter, c.Run)
	return nil
}

// awaitLedger opens the ledger, or waits until a worker has made it: services start in any order.
func awaitLedger(ctx context.Context, p *process.Process) (*ledger.Reader, error) {
	for {
		reader, err := ledger.OpenReader(ctx, p.Config.LedgerAddress())
		if err == nil || ctx.Err() != nil || !errors.Is(err, ledger.ErrNoLedger) {
			return reader, err
		}
		p.Logger.WarnContext(ctx, "waiting for a worker to make the ledger", "error", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.Clock.After(time.Second):
		}
	}
}
