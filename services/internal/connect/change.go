package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// changes are what becomes of a tenant that is stored. None of them needs an application.
var changes = map[string]func(*Server, context.Context, request) (answer, error){
	disconnect: (*Server).disconnect,
	products:   (*Server).products,
	forget:     (*Server).erase,
}

func (s *Server) disconnect(ctx context.Context, r request) (answer, error) {
	d := r.Disconnect
	_, err := s.change(ctx, d.Tenant, d.By, tenant.Disconnect)
	if err == nil {
		s.Logger.InfoContext(ctx, "a directory is disconnected", "tenant", d.Tenant, "by", d.By)
	}
	return answer{}, err
}

func (s *Server) products(ctx context.Context, r request) (answer, error) {
	w := r.Products
	stored, err := s.change(ctx, w.Tenant, w.By, func(t *tenant.Tenant) error {
		err := tenant.ChangeProducts(t, w.Set, w.Remove)
		if err == nil || errors.Is(err, tenant.ErrNoProduct) || errors.Is(err, tenant.ErrNoProducts) {
			return err
		}
		return fmt.Errorf("%w: the products are not as they should be", ErrInvalid) // what it says may be anything
	})
	if err != nil {
		return answer{}, err
	}
	s.Logger.InfoContext(ctx, "products are changed", "tenant", w.Tenant, "set", len(w.Set), "removed", len(w.Remove), "by", w.By)
	return answer{Products: stored.Products}, nil
}

func (s *Server) erase(ctx context.Context, r request) (answer, error) {
	e := r.Erase
	if err := asked(e.Tenant, e.By); err != nil {
		return answer{}, err
	}
	if e.Confirm != e.Tenant {
		return answer{}, fmt.Errorf("%w: it is not confirmed", ErrInvalid)
	}
	if err := erase.Tenant(ctx, s.Bus, e.Tenant, s.ours); err != nil {
		return answer{}, err
	}
	s.Logger.InfoContext(ctx, "a tenant is erased", "tenant", e.Tenant, "by", e.By)
	return answer{}, nil
}

// change changes what is stored of a tenant of this provider. What others store meanwhile is not lost, and looked at again.
func (s *Server) change(ctx context.Context, id, by string, do func(*tenant.Tenant) error) (tenant.Tenant, error) {
	if err := asked(id, by); err != nil {
		return tenant.Tenant{}, err
	}
	stored, err := s.Registry.Change(ctx, id, func(t *tenant.Tenant) error {
		if err := s.ours(*t); err != nil {
			return err
		}
		return do(t)
	})
	if errors.Is(err, tenant.ErrNotFound) {
		err = ErrNoTenant
	}
	return stored, err
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
