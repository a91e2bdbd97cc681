package receivertest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// DeleteGroup deletes a group for good, and with it its memberships. The feed of its members says so of each of them, which
// is the worst that a provider does.
func (d *Directory) DeleteGroup(id string) {
	d.mu.Lock()
	members, holding := slices.Sorted(maps.Keys(d.members[id])), d.holding(id)
	d.mu.Unlock()
	for _, group := range holding {
		d.Remove(group, id)
	}
	for _, m := range members {
		d.Remove(id, m)
	}
	d.change(entry{kind: receiver.GroupsFeed, id: id}, func() {
		delete(d.groups, id)
		delete(d.members, id)
	})
}

// holding returns the groups that have a member. The caller holds the lock.
func (d *Directory) holding(member string) []string {
	var groups []string
	for _, group := range slices.Sorted(maps.Keys(d.members)) {
		if _, in := d.members[group][member]; in {
			groups = append(groups, group)
		}
	}
	return groups
}

// Add makes users members of a group.
func (d *Directory) Add(group string, users ...string) { d.join(group, directory.UserMember, users) }

// Nest makes groups members of a group.
func (d *Directory) Nest(group string, groups ...string) {
	d.join(group, directory.GroupMember, groups)
}

// AddEveryone makes the whole customer a member of a group.
func (d *Directory) AddEveryone(group string) { d.join(group, directory.CustomerMember, []string{""}) }

func (d *Directory) join(group string, kind directory.MemberKind, ids []string) {
	for _, id := range ids {
		d.change(entry{kind: receiver.MembersFeed, id: group, member: id, memberKind: kind}, func() {
			if d.members[group] == nil {
				d.members[group] = map[string]directory.MemberKind{}
			}
			d.members[group][id] = kind
		})
	}
}

// Move puts a member elsewhere in the lists, which have their members in the order of their places: the ids, without Move.
// It is a new address, where they are ordered by addresses.
func (d *Directory) Move(member, place string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	d.places[member] = place
}

// inOrder compares members as lists have them. The caller holds the lock.
func (d *Directory) inOrder(a, b string) int {
	return cmp.Or(cmp.Compare(cmp.Or(d.places[a], a), cmp.Or(d.places[b], b)), cmp.Compare(a, b))
}

// Remove ends a membership.
func (d *Directory) Remove(group, member string) { d.remove(group, member, false) }

func (d *Directory) remove(group, member string, untold bool) {
	d.mu.Lock()
	kind := cmp.Or(d.members[group][member], directory.UserMember)
	d.mu.Unlock()
	d.change(entry{kind: receiver.MembersFeed, id: group, member: member, memberKind: kind, untold: untold}, func() {
		delete(d.members[group], member)
	})
}
