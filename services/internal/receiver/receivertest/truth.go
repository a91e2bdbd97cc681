package receivertest

import (
	"maps"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// IsMember reports whether the group is there and has the member, whatever the feeds show.
func (d *Directory) IsMember(group, id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, there := d.groups[group]
	_, is := d.members[group][id]
	return there && is
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
