package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PutTenant makes a tenant, or replaces all that is told of the one with that directory id.
func (s *Store) PutTenant(t Tenant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.tenants {
		if other.info.DirectoryID != t.DirectoryID && other.info.ID == t.ID {
			return fmt.Errorf("tenant %s: %w", t.ID, ErrExists)
		}
		for _, d := range t.Domains {
			if other.info.DirectoryID != t.DirectoryID && slices.Contains(other.info.Domains, d) {
				return fmt.Errorf("domain %s in another tenant: %w", d, ErrExists)
			}
		}
	}
	st := s.tenants[t.DirectoryID]
	switch {
	case st == nil:
		st = newState()
	case st.info.provider() != t.provider():
		return fmt.Errorf("tenant %s: its provider cannot change: %w", t.ID, ErrInvalid)
	default:
		t.TokenGeneration = st.info.TokenGeneration
	}
	if _, err := s.commit(st, record{Op: opTenant, Tenant: t.DirectoryID, At: s.cfg.Now().UTC(), Info: &t}); err != nil {
		return err
	}
	s.tenants[t.DirectoryID] = st
	return nil
}

// EditTenant changes what is told of a tenant.
func (s *Store) EditTenant(directoryID string, edit func(*Tenant)) error {
	_, err := s.mutate(directoryID, func(st *state) (*record, error) {
		info := st.info
		edit(&info)
		return &record{Op: opTenant, Info: &info}, nil
	})
	return err
}

// Tenants lists the tenants by their short names.
func (s *Store) Tenants() []Tenant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Tenant
	for st := range maps.Values(s.tenants) {
		out = append(out, st.info)
	}
	slices.SortFunc(out, func(a, b Tenant) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Tenant finds a tenant by directory id, short name or verified domain.
func (s *Store) Tenant(name string) (Tenant, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if st := s.tenants[name]; st != nil { // a customer id has a capital
		return st.info, true
	}
	name = strings.ToLower(name)
	if st := s.tenants[name]; st != nil {
		return st.info, true
	}
	for _, st := range s.tenants {
		if st.info.ID == name || slices.Contains(st.info.Domains, name) {
			return st.info, true
		}
	}
	return Tenant{}, false
}

// PutSubscription makes or replaces a subscription. When guard is not nil it is shown the others and may refuse.
func (s *Store) PutSubscription(tenant string, sub Subscription, guard func(others []*Subscription) error) error {
	_, err := s.mutate(tenant, func(st *state) (*record, error) {
		if guard != nil {
			if err := guard(slices.Collect(maps.Values(st.subs))); err != nil {
				return nil, err
			}
		}
		if st.subs[sub.ID] == nil {
			sub.Since = st.version
		}
		return &record{Op: opSubscribe, Subscription: &sub}, nil
	})
	return err
}

// DeleteSubscriptions forgets subscriptions; unknown ids are no error.
func (s *Store) DeleteSubscriptions(tenant string, ids ...string) error {
	_, err := s.mutate(tenant, func(*state) (*record, error) {
		if len(ids) == 0 {
			return nil, nil
		}
		return &record{Op: opUnsubscribe, IDs: ids}, nil
	})
	return err
}
