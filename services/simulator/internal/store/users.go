package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// AddUsers makes users in one mutation: all of them or none. IDs and addresses must be free.
func (s *Store) AddUsers(tenant string, users []*User) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		taken := make(map[string]bool, 2*len(users))
		for _, u := range users {
			if u.ID == "" || directory.Domain(u.UPN) == "" {
				return nil, fmt.Errorf("user: id and address are needed: %w", ErrInvalid)
			}
			if taken[u.ID] || st.users[u.ID] != nil || st.groups[u.ID] != nil {
				return nil, fmt.Errorf("user %s: %w", u.ID, ErrExists)
			}
			taken[u.ID] = true
			for _, a := range u.Addresses() {
				if taken[a] || len(st.addresses[a]) > 0 {
					return nil, fmt.Errorf("address %s: %w", a, ErrExists)
				}
				taken[a] = true
			}
			u.Created = s.cfg.Now().UTC()
			st.date(&User{}, u, u.Created)
		}
		if len(users) == 0 {
			return nil, nil
		}
		return &record{Op: opUsers, Users: users, Fields: Existence}, nil
	})
}

// EditUser changes a live user. edit gets a copy; what it left equal is not told as changed.
func (s *Store) EditUser(tenant, id string, edit func(*User)) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		old := st.users[id]
		if old == nil || !old.Live() {
			return nil, fmt.Errorf("user %s: %w", id, ErrNotFound)
		}
		u := *old
		u.Proxies = slices.Clone(old.Proxies)
		edit(&u)
		st.date(old, &u, s.cfg.Now().UTC())
		fields := diffUser(old, &u)
		if fields == 0 {
			return nil, nil
		}
		if err := st.free(id, u.Addresses()); err != nil {
			return nil, err
		}
		return &record{Op: opUsers, Users: []*User{&u}, Fields: fields}, nil
	})
}

func diffUser(a, b *User) Fields {
	var f Fields
	add := func(changed bool, field Fields) {
		if changed {
			f |= field
		}
	}
	add(a.Name != b.Name || a.Given != b.Given || a.Surname != b.Surname, Name)
	add(a.UPN != b.UPN, SignIn)
	add(a.Mail != b.Mail, Mail)
	add(!slices.Equal(a.Proxies, b.Proxies), Proxies)
	add(a.Disabled != b.Disabled, Enabled)
	add(a.Archived != b.Archived, Archive)
	add(a.Guest != b.Guest, Existence)
	return f
}

// free reports an address that another live object has.
func (s *state) free(id string, addrs []string) error {
	for _, a := range addrs {
		for _, owner := range s.addresses[a] {
			if owner != id {
				return fmt.Errorf("address %s: %w", a, ErrExists)
			}
		}
	}
	return nil
}

// DeleteUser soft-deletes a user. Its memberships stay with it, hidden, and come back when it is restored.
func (s *Store) DeleteUser(tenant, id string) (Result, error) {
	return s.setUserDeleted(tenant, id, s.cfg.Now().UTC())
}

// RestoreUser brings a soft-deleted user back.
func (s *Store) RestoreUser(tenant, id string) (Result, error) {
	return s.setUserDeleted(tenant, id, time.Time{})
}

func (s *Store) setUserDeleted(tenant, id string, deleted time.Time) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		old := st.users[id]
		if old == nil {
			return nil, fmt.Errorf("user %s: %w", id, ErrNotFound)
		}
		if old.Live() == deleted.IsZero() {
			return nil, nil
		}
		if deleted.IsZero() && st.forgotten(old, s.cfg.Now()) {
			return nil, fmt.Errorf("user %s: deleted more than 20 days ago: %w", id, ErrNotFound)
		}
		u := *old
		u.Deleted = deleted
		if u.Live() {
			if err := st.free(id, u.Addresses()); err != nil {
				return nil, err
			}
		}
		return &record{Op: opUsers, Users: []*User{&u}, Fields: Existence}, nil
	})
}

// Purge deletes a user or group for good.
func (s *Store) Purge(tenant, id string) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		if st.users[id] == nil && st.groups[id] == nil {
			return nil, fmt.Errorf("object %s: %w", id, ErrNotFound)
		}
		return &record{Op: opPurge, IDs: []string{id}}, nil
	})
}
