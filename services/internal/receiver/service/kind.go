package service

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/process"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Kind is what is a provider's own in a Service.
type Kind struct {
	Role string // names the service in configuration, errors, logs and checks: config.Role…
	Path string // where the provider pushes to
	New  func(remote.Deps) (Provider, error)
	// Application is the one by which new tenants are connected, as a configuration names it; zero where it names none.
	Application func(config.Config) (connect.Application, error)
}

// Provider fills the ports, and has connections to give back.
type Provider interface {
	receiver.Provider
	Close() // ends idle connections
}

// Open puts a Service on a process: its listeners take the provider's pushes.
func Open(kind Kind, p *process.Process) error {
	keys, create := p.Config.KeysFile()
	application, err := kind.Application(p.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", kind.Role, err)
	}
	s, err := New(kind, Config{
		PublicURL: p.Config.Intake.PublicURL, Push: p.Config.Sync.Push, PollInterval: p.Config.Sync.PollInterval,
		FullInterval: p.Config.Sync.FullInterval, Vanish: p.Config.Sync.Vanish, Degraded: p.Config.Sync.Degraded, KeysFile: keys, CreateKeys: create,
		Application: application,
	}, Deps{
		Bus: p.Bus, Tenants: p.Registry, Registry: p.Registry, Leases: p.Leases, Logger: p.Logger.With("role", kind.Role), Clock: p.Clock, Metrics: p.Metrics,
	})
	if err != nil {
		return err
	}
	p.Mux.Handle(kind.Path, s.Handler())
	p.AddCheck(kind.Role, s.Ready)
	p.AddWorker(kind.Role, s.Run)
	return nil
}

// Verify finds out what keeps a tenant from being read, and what can never be read of it, without any service running. An
// error means that the tenant's record is of no use.
func Verify(ctx context.Context, kind Kind, t tenant.Tenant, deps remote.Deps) ([]receiver.Finding, error) {
	provider, err := kind.New(deps)
	if err != nil {
		return nil, fmt.Errorf("verify tenant %s: %w", t.ID, err)
	}
	defer provider.Close()
	if t.Provider != provider.Name() {
		return nil, fmt.Errorf("verify tenant %s: it is of the provider %q, not of %q", t.ID, t.Provider, provider.Name())
	}
	return provider.Verify(ctx, t)
}
