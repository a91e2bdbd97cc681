package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// AddGroup makes a group. With allowTaken its addresses may belong to others already.
func (s *Store) AddGroup(tenant string, g *Group, allowTaken bool) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		if st.users[g.ID] != nil || st.groups[g.ID] != nil {
			return nil, fmt.Errorf("group %s: %w", g.ID, ErrExists)
		}
		if g.ID == "" || (g.Kind != directory.Security) != (g.Mail != "") {
			return nil, fmt.Errorf("group: every kind but security has an address: %w", ErrInvalid)
		}
		if !allowTaken {
			if err := st.free(g.ID, g.Addresses()); err != nil {
				return nil, err
			}
		}
		g.Created = s.cfg.Now().UTC()
		return &record{Op: opGroups, Groups: []*Group{g}, Fields: Existence}, nil
	})
}

// EditGroup changes a live group. edit gets a copy; what it left equal is not told as changed.
func (s *Store) EditGroup(tenant, id string, edit func(*Group)) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		old := st.groups[id]
		if old == nil || !old.Live() {
			return nil, fmt.Errorf("group %s: %w", id, ErrNotFound)
		}
		g := *old
		g.Proxies = slices.Clone(old.Proxies)
		edit(&g)
		fields := diffGroup(old, &g)
		if fields == 0 {
			return nil, nil
		}
		if fields&(Mail|Proxies) != 0 {
			if err := st.free(id, g.Addresses()); err != nil {
				return nil, err
			}
		}
		return &record{Op: opGroups, Groups: []*Group{&g}, Fields: fields}, nil
	})
}

func diffGroup(a, b *Group) Fields {
	var f Fields
	if a.Name != b.Name {
		f |= Name
	}
	if a.Mail != b.Mail {
		f |= Mail
	}
	if !slices.Equal(a.Proxies, b.Proxies) {
		f |= Proxies
	}
	return f
}

// DeleteGroup deletes a group: Microsoft 365 and security groups softly, mail-enabled ones and Workspace's for good.
// Source: learn.microsoft.com/graph/api/group-delete.
func (s *Store) DeleteGroup(tenant, id string) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		old := st.groups[id]
		switch {
		case old == nil || !old.Live():
			return nil, fmt.Errorf("group %s: %w", id, ErrNotFound)
		case old.Kind == directory.Distribution, old.Kind == directory.MailEnabledSecurity, old.Kind == directory.WorkspaceGroup:
			return &record{Op: opPurge, IDs: []string{id}}, nil
		}
		g := *old
		g.Deleted = s.cfg.Now().UTC()
		return &record{Op: opGroups, Groups: []*Group{&g}, Fields: Existence}, nil
	})
}

// RestoreGroup brings a soft-deleted group back with its members.
func (s *Store) RestoreGroup(tenant, id string) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		old := st.groups[id]
		if old == nil {
			return nil, fmt.Errorf("group %s: %w", id, ErrNotFound)
		}
		if old.Live() {
			return nil, nil
		}
		if err := st.free(id, old.Addresses()); err != nil {
			return nil, err
		}
		g := *old
		g.Deleted = time.Time{}
		return &record{Op: opGroups, Groups: []*Group{&g}, Fields: Existence}, nil
	})
}

// Join links members to a live group in one mutation. Unknown or deleted members are an error; those that are members
// already are left alone.
func (s *Store) Join(tenant, group string, members []string) (Result, error) {
	return s.JoinAs(tenant, group, "", members)
}

// JoinAs is Join with a role of Workspace's; empty means MEMBER.
func (s *Store) JoinAs(tenant, group, role string, members []string) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		g := st.groups[group]
		if g == nil || !g.Live() {
			return nil, fmt.Errorf("group %s: %w", group, ErrNotFound)
		}
		var fresh []string
		for _, m := range members {
			if !st.live(m) {
				return nil, fmt.Errorf("member %s: %w", m, ErrNotFound)
			}
			if child := st.groups[m]; child != nil && (!mayNest(g, child) || st.cycle(g, m)) {
				return nil, fmt.Errorf("a group of kind %s in one of kind %s: %w", child.Kind, g.Kind, ErrInvalid)
			}
			if !st.members[group].has(m) {
				fresh = append(fresh, m)
			}
		}
		if len(fresh) == 0 {
			return nil, nil
		}
		return &record{Op: opJoin, Group: group, IDs: fresh, Role: role}, nil
	})
}

// mayNest tells which groups may hold which. A Microsoft 365 group holds no groups, a security group only security
// groups. Source: learn.microsoft.com/graph/api/group-post-members. Mail-enabled groups are Exchange's and hold any.
func mayNest(parent, child *Group) bool {
	switch parent.Kind {
	case directory.Microsoft365:
		return false
	case directory.Security:
		return child.Kind == directory.Security || child.Kind == directory.MailEnabledSecurity
	default:
		return parent.ID != child.ID
	}
}

// Leave ends links in one mutation. Those that are no members are left alone.
func (s *Store) Leave(tenant, group string, members []string) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		if g := st.groups[group]; g == nil || !g.Live() {
			return nil, fmt.Errorf("group %s: %w", group, ErrNotFound)
		}
		var linked []string
		for _, m := range members {
			if st.members[group].has(m) {
				linked = append(linked, m)
			}
		}
		if len(linked) == 0 {
			return nil, nil
		}
		return &record{Op: opLeave, Group: group, IDs: linked}, nil
	})
}
