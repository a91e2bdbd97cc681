package controlapi

import (
	"fmt"
	"net/http"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func (s *Server) planRoutes(mux *http.ServeMux) {
	route(mux, "PUT /control/plan", s.putPlan)
	route(mux, "GET /control/plan", func(*http.Request) (any, error) {
		plans := s.Faults.Plans()
		for i := range plans {
			if t, ok := s.Store.Tenant(plans[i].Tenant); ok && plans[i].Tenant != "" {
				plans[i].Tenant = t.ID
			}
		}
		return plans, nil
	})
	route(mux, "DELETE /control/plan", func(r *http.Request) (any, error) {
		id, err := s.directoryID(r.URL.Query().Get("tenant"))
		if err != nil {
			return nil, err
		}
		s.Faults.EndPlan(id)
		return done, s.trail(s.Store.Tenants()...)
	})
	route(mux, "GET /control/plan/dealt", func(r *http.Request) (any, error) {
		id, err := s.directoryID(r.URL.Query().Get("tenant"))
		return s.Faults.Dealt(id), err
	})
}

func (s *Server) putPlan(r *http.Request) (any, error) {
	var body control.Plan
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if err := body.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", err, store.ErrInvalid)
	}
	var err error
	if body.Tenant, err = s.directoryID(body.Tenant); err != nil {
		return nil, err
	}
	s.Faults.PutPlan(body)
	return done, s.trail(s.Store.Tenants()...)
}

// trail keeps replicas of the tenants that plans want stale reads of.
func (s *Server) trail(tenants ...store.Tenant) error {
	for _, t := range tenants {
		if err := s.Store.Trail(t.DirectoryID, s.Faults.Stale(t.DirectoryID)); err != nil {
			return fmt.Errorf("keep replicas for stale reads: %w", err)
		}
	}
	return nil
}
