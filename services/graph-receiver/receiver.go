// Package graphreceiver follows Entra ID tenants through Microsoft Graph: it takes Graph's notifications in, keeps the
// subscriptions that cause them, and reads what has changed onto LEDGER_IN. What it does so with is the same for every
// provider; package graph below is what is Graph's own.
package graphreceiver

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/process"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// NotificationPath is where Graph pushes to, changes and lifecycle news alike.
const NotificationPath = "/graph/notifications"

// VerifyDeps are what Verify works with. Zero values are usable.
type VerifyDeps = remote.Deps

// New makes the Graph half. See service.New.
func New(cfg service.Config, deps service.Deps) (*service.Service, error) {
	return service.New(kind(), cfg, deps)
}

// Open is the Graph half as a part of a process: its listeners take Graph's pushes.
func Open(_ context.Context, p *process.Process) error { return service.Open(kind(), p) }

// Verify finds out what keeps an Entra ID tenant from being read, and what can never be read of it. It sends requests with
// the tenant's own credential. An error means that the tenant's record is of no use.
func Verify(ctx context.Context, t tenant.Tenant, deps VerifyDeps) ([]receiver.Finding, error) {
	return service.Verify(ctx, kind(), t, deps)
}

func kind() service.Kind {
	return service.Kind{
		Role: config.RoleGraphReceiver, Path: NotificationPath,
		New:         func(d remote.Deps) (service.Provider, error) { return graph.New(graph.Config{}, d) },
		Application: application,
	}
}

// application is the one that an admin consents to in a browser, at the authority.
func application(cfg config.Config) (a connect.Application, err error) {
	if cfg.Entra.ClientID == "" {
		return a, nil
	}
	a.Credential, a.Endpoints = cfg.Entra.Application()
	scope, err := graph.Scope(a.Endpoints.API)
	a.Shown = connect.Shown{ClientID: cfg.Entra.ClientID, Scopes: []string{scope}, Authority: graph.Authority(a.Endpoints)}
	return a, err
}
