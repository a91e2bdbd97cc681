package controlcenter

import (
	"github.com/rollcall-hq/rollcall/services/control-center/internal/authzen"
)

// mountAuthZEN puts "may this user?" under /access/v1/, and says where it is to anybody.
func (c *Center) mountAuthZEN() error {
	s := authzen.New(authzen.Config{PublicURL: c.cfg.PublicURL}, authzen.Deps{
		Ledger: c.deps.Ledger, Tenants: c.deps.Tenants, Logger: c.deps.Logger.With("part", "authzen"),
	})
	metadata, err := s.Metadata()
	if err != nil {
		return err
	}
	c.mux.Handle("/access/", c.guard.API(s.Handler()))
	c.mux.Handle(authzen.MetadataPath, c.guard.Anybody(metadata))
	return nil
}
