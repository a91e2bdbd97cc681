package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// changes are what becomes of a tenant that is stored. None of them needs an application.
var changes = map[string]func(*Server, context.Context, request) error{
	disconnect: (*Server).disconnect,
}

func (s *Server) disconnect(ctx context.Context, r request) error {
	d := r.Disconnect
	err := s.change(ctx, d.Tenant, d.By, tenant.Disconnect)
	if err == nil {
		s.Logger.InfoContext(ctx, "a directory is disconnected", "tenant", d.Tenant, "by", d.By)
	}
	return err
}

// change changes what is stored of a tenant of this provider. What others store meanwhile is not lost, and looked at again.
func (s *Server) change(ctx context.Context, id, by string, do func(*tenant.Tenant) error) error {
	if err := asked(id, by); err != nil {
		return err
	}
	_, err := s.Registry.Change(ctx, id, func(t *tenant.Tenant) error {
		if err := s.ours(*t); err != nil {
			return err
		}
		return do(t)
	})
	if errors.Is(err, tenant.ErrNotFound) {
		return ErrNoTenant
	}
	return err
}

// ours refuses a tenant of another provider as one that is not there.
func (s *Server) ours(t tenant.Tenant) error {
	if t.Provider != s.Provider {
		return ErrNoTenant
	}
	return nil
}

// asked refuses what is no tenant's name, such as the key of a claim, and what says who asked and cannot.
func asked(id, by string) error {
	if !event.ValidSlug(id) || !event.ValidActor(by) {
		return fmt.Errorf("%w: want a tenant and who asks", ErrInvalid)
	}
	return nil
}
