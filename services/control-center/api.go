package controlcenter

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// registered are the tenants: one is known as whoever follows the registry knows it, all are read from it.
type registered struct {
	Tenants
	registry *tenant.Registry
}

func (r registered) List(ctx context.Context) ([]tenant.Tenant, error) { return r.registry.List(ctx) }

func (c *Center) tenants(ctx context.Context) (registered, error) {
	kv, err := c.deps.Bus.KeyValue(ctx, bus.BucketTenants)
	if err != nil {
		return registered{}, fmt.Errorf("open the tenants: %w", err)
	}
	return registered{Tenants: c.deps.Tenants, registry: tenant.NewRegistry(kv)}, nil
}

// openConnector makes what pages and API connect directories with.
func (c *Center) openConnector(ctx context.Context) error {
	tenants, err := c.tenants(ctx)
	if err != nil {
		return err
	}
	c.connector = connecting.New(connecting.Deps{
		Receivers: connect.NewClient(c.deps.Bus), Tenants: tenants.registry, Commands: command.New(c.deps.Bus, c.deps.Clock),
		PublicURL: c.cfg.PublicURL, Clock: c.deps.Clock, Logger: c.deps.Logger,
	})
	return nil
}

// mountAPI puts the HTTP API under /api/v1/.
func (c *Center) mountAPI(ctx context.Context) error {
	tenants, err := c.tenants(ctx)
	if err != nil {
		return err
	}
	a, err := api.New(api.Config{}, api.Deps{
		Ledger: c.deps.Ledger, Tenants: tenants, Bus: c.deps.Bus, Channels: c.channels, Refreshes: c.refreshes,
		Receivers: connect.NewClient(c.deps.Bus), Connector: c.connector, Clock: c.deps.Clock, Logger: c.deps.Logger.With("part", "api"),
	})
	if err != nil {
		return fmt.Errorf("make the API: %w", err)
	}
	c.mux.Handle("/api/", c.guard.API(a.Handler()))
	return nil
}
