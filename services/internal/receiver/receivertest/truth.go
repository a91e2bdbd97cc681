package receivertest

import (
	"maps"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Moment is now, for AlwaysMember and AlwaysThere.
func (d *Directory) Moment() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.history)
}

// AlwaysMember reports whether the group has had the member at every moment since one, whatever the feeds show.
func (d *Directory) AlwaysMember(group, id string, since int) bool {
	return d.always(since, func(e entry) bool { return e.kind == receiver.MembersFeed && e.id == group && e.member == id })
}

// AlwaysThere is AlwaysMember for the group itself.
func (d *Directory) AlwaysThere(group string, since int) bool {
	return d.always(since, func(e entry) bool { return e.kind == receiver.GroupsFeed && e.id == group })
}

func (d *Directory) always(since int, about func(entry) bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	was := false
	for i, e := range d.history {
		switch {
		case !about(e):
		case i < since:
			was = e.present
		case !e.present:
			return false
		}
	}
	return was
}

// Nested returns the ids of the groups that are there, have an address or are nested in one that has, sorted.
func (d *Directory) Nested(address string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []string
	for id, g := range d.groups {
		if slices.Contains(g.Addresses, address) {
			found = append(found, id)
		}
	}
	for i := 0; i < len(found); i++ {
		for id, kind := range d.members[found[i]] {
			if _, there := d.groups[id]; there && kind == directory.GroupMember && !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	slices.Sort(found)
	return found
}

// Truth returns the users, and the members of each group that is there, by id and sorted.
func (d *Directory) Truth() (users map[string]directory.User, members map[string][]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	users, members = maps.Clone(d.users), map[string][]string{}
	for id := range d.groups {
		members[id] = slices.Sorted(maps.Keys(d.members[id]))
	}
	return users, members
}
