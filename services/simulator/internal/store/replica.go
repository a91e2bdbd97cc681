package store

import (
	"fmt"
	"sync"
	"time"
)

// replica is a second copy of a tenant, which is made of the same records later.
type replica struct {
	lag     time.Duration // how far behind it may be
	mu      sync.Mutex    // among readers; who changes the store is alone in any case
	state   *state
	pending []record // what the tenant has and this has not, oldest first
	err     error    // why it is not to be used
}

// Trail keeps a replica of a tenant that may be behind by up to lag, or ends it with 0. It begins with the tenant as it is.
// A replica costs as much memory as the tenant.
func (s *Store) Trail(tenant string, lag time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.tenants[tenant]
	switch rep := s.replicas[tenant]; {
	case st == nil:
		return fmt.Errorf("tenant %s: %w", tenant, ErrNotFound)
	case lag <= 0:
		delete(s.replicas, tenant)
		return nil
	case rep != nil:
		rep.lag = lag
		return nil
	}
	copied := newState()
	if err := st.dump(time.Time{}, copied.restore); err != nil {
		return fmt.Errorf("copy tenant %s: %w", tenant, err)
	}
	s.replicas[tenant] = &replica{lag: lag, state: copied}
	return nil
}

// ViewBehind calls f with a view of a tenant's replica as it was at a time, or is already, as far as its directory goes.
// It calls nothing and reports false when there is no replica that is behind, or when fits refuses the view.
func (s *Store) ViewBehind(tenant string, at time.Time, fits func(View) bool, f func(View) error) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st, rep := s.tenants[tenant], s.replicas[tenant]
	if st == nil || rep == nil {
		return false, nil
	}
	rep.mu.Lock()
	defer rep.mu.Unlock()
	if rep.catchUp(at); rep.err != nil {
		return false, rep.err
	}
	if rep.state.version == st.version {
		return false, nil
	}
	rep.state.info = st.info // rights are not the directory's
	if v := (View{rep.state}); fits == nil || fits(v) {
		return true, f(v)
	}
	return false, nil
}

// follow takes note of a record that a tenant was changed by.
func (s *Store) follow(r record) {
	if rep := s.replicas[r.Tenant]; rep != nil {
		rep.pending = append(rep.pending, r)
		rep.catchUp(r.At.Add(-rep.lag))
	}
}

// catchUp applies the records up to a time.
func (r *replica) catchUp(at time.Time) {
	for r.err == nil && len(r.pending) > 0 && !r.pending[0].At.After(at) {
		next := r.pending[0]
		r.pending[0] = record{}
		r.pending = r.pending[1:]
		if err := r.state.apply(next.apart()); err != nil {
			r.err = fmt.Errorf("replay on a replica: %w", err)
		}
	}
}

// apart is a record whose objects are not those of the tenant: to apply it writes into them.
func (r record) apart() record {
	users, groups := r.Users, r.Groups
	r.Users, r.Groups = make([]*User, len(users)), make([]*Group, len(groups))
	for i, u := range users {
		copied := *u
		r.Users[i] = &copied
	}
	for i, g := range groups {
		copied := *g
		r.Groups[i] = &copied
	}
	return r
}
