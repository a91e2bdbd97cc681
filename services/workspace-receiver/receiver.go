// Package workspacereceiver follows Google Workspace customers through the Directory and Reports APIs: it takes Google's
// pushes in, keeps the channels that they come through, and reads what has changed onto LEDGER_IN. What it does so with is
// the same for every provider; package workspace below is what is Google's own.
package workspacereceiver

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/process"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace"
)

// NotificationPath is where Google pushes to, of both APIs.
const NotificationPath = "/google/notifications"

// VerifyDeps are what Verify works with. Zero values are usable.
type VerifyDeps = remote.Deps

// New makes the Workspace half. See service.New.
func New(cfg service.Config, deps service.Deps) (*service.Service, error) {
	return service.New(kind(), cfg, deps)
}

// Open is the Workspace half as a part of a process: its listeners take Google's pushes.
func Open(_ context.Context, p *process.Process) error { return service.Open(kind(), p) }

// Verify finds out what keeps a Workspace customer from being read, and what can never be read of it. It sends requests with
// the tenant's own credential. An error means that the tenant's record is of no use.
func Verify(ctx context.Context, t tenant.Tenant, deps VerifyDeps) ([]receiver.Finding, error) {
	return service.Verify(ctx, kind(), t, deps)
}

func kind() service.Kind {
	return service.Kind{
		Role: config.RoleWorkspaceReceiver, Path: NotificationPath,
		New:         func(d remote.Deps) (service.Provider, error) { return workspace.New(workspace.Config{}, d) },
		Application: serviceAccount,
	}
}

// serviceAccount is the one that a customer's admin delegates the scopes to.
func serviceAccount(cfg config.Config) (a connect.Application, _ error) {
	if cfg.Google.ClientID != "" {
		a.Credential, a.Endpoints = cfg.Google.Application()
		a.Shown = connect.Shown{ClientID: cfg.Google.ClientID, Scopes: workspace.Scopes()}
	}
	return a, nil
}
