package store

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// View is one tenant as it is during a call of Store.View. Do not keep it.
type View struct{ s *state }

// View calls f with a consistent view of a tenant.
func (s *Store) View(tenant string, f func(View) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st := s.tenants[tenant]
	if st == nil {
		return fmt.Errorf("tenant %s: %w", tenant, ErrNotFound)
	}
	return f(View{st})
}

// Tenant is what is told of the tenant.
func (v View) Tenant() Tenant { return v.s.info }

// Version is the version of the last change.
func (v View) Version() uint64 { return v.s.version }

// VersionAt is the version of the last change that is not younger than t.
func (v View) VersionAt(t time.Time) uint64 {
	log := v.s.log
	i := sort.Search(len(log), func(i int) bool { return log[i].At.After(t) })
	if i == len(log) {
		return v.s.version
	}
	return log[i].Version - 1
}

// Oldest is the lowest version behind which the log of changes is complete.
func (v View) Oldest() uint64 {
	if len(v.s.log) == 0 {
		return v.s.version
	}
	return v.s.log[0].Version - 1
}

// Changes returns the changes with from < version <= to.
func (v View) Changes(from, to uint64) []Change { return between(v.s.log, from, to) }

// User returns a user, also a soft-deleted one, or nil.
func (v View) User(id string) *User { return v.s.users[id] }

// Group returns a group, also a soft-deleted one, or nil.
func (v View) Group(id string) *Group { return v.s.groups[id] }

// Users yields all users behind a sequence number, also soft-deleted ones.
func (v View) Users(after uint64) iter.Seq[*User] {
	return func(yield func(*User) bool) {
		for _, id := range v.s.userOrder.after(after) {
			if !yield(v.s.users[id]) {
				return
			}
		}
	}
}

// Groups yields all groups behind a sequence number, also soft-deleted ones.
func (v View) Groups(after uint64) iter.Seq[*Group] {
	return func(yield func(*Group) bool) {
		for _, id := range v.s.groupOrder.after(after) {
			if !yield(v.s.groups[id]) {
				return
			}
		}
	}
}

// Members yields sequence number and id of a group's direct members that are not deleted.
func (v View) Members(group string, after uint64) iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		if v.s.members[group] == nil {
			return
		}
		for seq, id := range v.s.members[group].after(after) {
			if v.s.live(id) && !yield(seq, id) {
				return
			}
		}
	}
}

// IsMember reports whether id is a direct member of the group and not deleted.
func (v View) IsMember(group, id string) bool {
	return v.s.members[group] != nil && v.s.members[group].has(id) && v.s.live(id)
}

// Transitive returns everyone in the group, directly or through nested groups, breadth first, each once.
func (v View) Transitive(group string) []string {
	seen := map[string]bool{group: true}
	var out []string
	for queue := []string{group}; len(queue) > 0; queue = queue[1:] {
		for _, id := range v.Members(queue[0], 0) {
			if seen[id] {
				continue
			}
			seen[id] = true
			out = append(out, id)
			if v.s.groups[id] != nil {
				queue = append(queue, id)
			}
		}
	}
	return out
}

// At returns the ids of the live users and groups that have the address.
func (v View) At(address string) []string { return v.s.addresses[directory.Address(address)] }

// Subscription returns one subscription or nil.
func (v View) Subscription(id string) *Subscription { return v.s.subs[id] }

// Subscriptions lists the subscriptions, oldest first.
func (v View) Subscriptions() []*Subscription {
	return slices.SortedFunc(maps.Values(v.s.subs), func(a, b *Subscription) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
}
