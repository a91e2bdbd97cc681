package graphreceiver

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/process"
)

// Open is the Graph half as a part of a process: its listeners take Graph's pushes.
func Open(_ context.Context, p *process.Process) error {
	keys, create := p.Config.KeysFile()
	s, err := New(Config{
		PublicURL: p.Config.Intake.PublicURL, Push: p.Config.Sync.Push, PollInterval: p.Config.Sync.PollInterval,
		FullInterval: p.Config.Sync.FullInterval, Vanish: p.Config.Sync.Vanish, KeysFile: keys, CreateKeys: create,
	}, Deps{
		Bus: p.Bus, Tenants: p.Registry, Logger: p.Logger.With("role", config.RoleGraphReceiver), Clock: p.Clock, Metrics: p.Metrics,
	})
	if err != nil {
		return err
	}
	p.Mux.Handle(NotificationPath, s.Handler())
	p.AddCheck(config.RoleGraphReceiver, s.Ready)
	p.AddWorker(config.RoleGraphReceiver, s.Run)
	return nil
}
