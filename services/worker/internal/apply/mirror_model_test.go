package apply_test

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// mirror is what reads of a directory have shown, kept plainly.
type mirror struct {
	users     map[string]seen[directory.User]
	groups    map[string]seen[directory.Group]
	members   map[edge]seen[bool]
	forgotten map[string]uint64 // group: its memberships up to this stamp count no more
	numbers   map[string]int    // groups in the order in which they were first heard of
	snapshot  uint64            // the begin of the last complete one
	latest    uint64            // the latest stamp
}

type seen[T any] struct {
	what T
	at   uint64
}

// edge says that something is a direct member of a group.
type edge struct {
	group  string
	kind   directory.MemberKind
	member string
}

func newMirror() mirror {
	return mirror{
		users: map[string]seen[directory.User]{}, groups: map[string]seen[directory.Group]{}, members: map[edge]seen[bool]{},
		forgotten: map[string]uint64{}, numbers: map[string]int{},
	}
}

// put takes what is not older than what is known, or than the snapshot that would have shown it.
func put[K comparable, T any](m *mirror, into map[K]seen[T], key K, what T, at uint64) bool {
	old, exists := into[key]
	if exists && at < old.at || !exists && at < m.snapshot {
		return false
	}
	into[key] = seen[T]{what, at}
	return true
}

func (m *mirror) take(at uint64, o directory.Observation) {
	switch {
	case o.User != nil:
		put(m, m.users, o.User.ID, *o.User, at)
	case o.Group != nil:
		if put(m, m.groups, o.Group.ID, *o.Group, at) {
			m.number(o.Group.ID)
		}
	default:
		m.membership(at, *o.Membership)
	}
	m.latest = max(m.latest, at)
}

func (m *mirror) membership(at uint64, o directory.Membership) {
	m.number(o.GroupID)
	if o.Kind == directory.GroupMember {
		m.number(o.ID)
	}
	if since := m.forgotten[o.GroupID]; since == 0 || at > since {
		put(m, m.members, edge{o.GroupID, o.Kind, o.ID}, o.Present, at)
	}
}

func (m *mirror) number(group string) {
	if _, known := m.numbers[group]; !known {
		m.numbers[group] = len(m.numbers)
	}
}

// complete takes the end of a complete read that showed all members of some groups: old statements of absence may go, as what
// is older than they will be dropped anyway.
func (m *mirror) complete(at uint64, groups []string) {
	maps.DeleteFunc(m.members, func(e edge, row seen[bool]) bool {
		return slices.Contains(groups, e.group) && !row.what && row.at < at
	})
	m.snapshot = max(m.snapshot, at)
}

// stands reports whether somebody or something is a direct member of a group.
func (m *mirror) stands(e edge) bool {
	row, known := m.members[e]
	since := m.forgotten[e.group]
	return known && row.what && (since == 0 || row.at > since)
}

// at are the groups in the directory that have an address.
func (m *mirror) at(address string) (groups []string) {
	for id, g := range m.groups {
		if !g.what.Deleted && slices.Contains(g.what.Addresses, address) {
			groups = append(groups, id)
		}
	}
	slices.Sort(groups)
	return groups
}

// nest is every group that counts as a part of one, with the way to it.
func (m *mirror) nest(root string) map[string][]string {
	if _, known := m.numbers[root]; !known {
		return nil
	}
	paths := map[string][]string{root: {root}}
	for level := []string{root}; len(level) > 0; {
		var next []string
		for _, parent := range level {
			for e := range m.members {
				if e.group != parent || e.kind != directory.GroupMember || !m.stands(e) || m.groups[e.member].what.Deleted || paths[e.member] != nil {
					continue
				}
				paths[e.member] = append(slices.Clone(paths[parent]), e.member)
				next = append(next, e.member)
			}
		}
		level = m.byNumber(next)
	}
	return paths
}

func (m *mirror) byNumber(groups []string) []string {
	slices.SortFunc(groups, func(a, b string) int { return cmp.Compare(m.numbers[a], m.numbers[b]) })
	return groups
}

// path is the shortest way to somebody: of several, the one to the group that was heard of first.
func (m *mirror) path(root, user string) (path []string) {
	nest := m.nest(root)
	for _, group := range m.byNumber(slices.Collect(maps.Keys(nest))) {
		direct := m.stands(edge{group, directory.UserMember, user}) || m.stands(edge{group, directory.CustomerMember, ""})
		if direct && (path == nil || len(nest[group]) < len(path)) {
			path = nest[group]
		}
	}
	return path
}

// shape is who and what is in a group and the groups in it.
func (m *mirror) shape(root string) map[edge]bool {
	nest, shape := m.nest(root), map[edge]bool{}
	for e := range m.members {
		if nest[e.group] != nil && m.stands(e) && (e.kind != directory.GroupMember || nest[e.member] != nil) {
			shape[e] = true
		}
	}
	return shape
}

// inhabited reports whether anybody is in a group or in a group in it.
func (m *mirror) inhabited(root string) bool {
	for e := range m.shape(root) {
		if e.kind != directory.GroupMember {
			return true
		}
	}
	return false
}
