package controlcenter

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/live"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/pages"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
)

// mountPages puts the pages under "/", and what keeps them current on the Center's Run.
func (c *Center) mountPages(ctx context.Context) error {
	tenants, err := c.tenants(ctx)
	if err != nil {
		return err
	}
	hub := live.New(live.Config{}, live.Deps{Bus: c.deps.Bus, Clock: c.deps.Clock, Logger: c.deps.Logger, Metrics: c.deps.Metrics})
	deps := pages.Deps{
		Ledger: c.deps.Ledger, Tenants: tenants,
		Channels: c.channels, Refreshes: c.refreshes, Bus: c.deps.Bus, Live: hub, Clock: c.deps.Clock, Logger: c.deps.Logger,
		Receivers: connect.NewClient(c.deps.Bus), Connector: c.connector, Errands: c.sessions,
	}
	if c.notices != nil {
		deps.Notices = c.notices
	}
	p, err := pages.New(deps)
	if err != nil {
		return err
	}
	c.mux.Handle("GET /assets/{name}", p.Assets())
	c.mux.Handle("/", c.guard.Pages(p.Handler()))
	c.workers = append(c.workers, hub.Run)
	return nil
}
