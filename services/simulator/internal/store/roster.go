package store

import (
	"iter"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Member is one direct member of a group of a Workspace directory.
type Member struct {
	ID       string
	Address  string // empty for the whole customer
	Kind     directory.MemberKind
	Role     string // OWNER, MANAGER or MEMBER
	External bool   // of another directory, or of none
}

// UsersByAddress yields the live users behind a place, in the order of their primary addresses; with descending those in
// front of it, backwards, where the zero Place stands for the end.
func (v View) UsersByAddress(from Place, descending bool) iter.Seq[*User] {
	if v.s.book == nil {
		return func(func(*User) bool) {}
	}
	return v.usersOf(v.s.book.users, from, descending)
}

// DeletedUsers is UsersByAddress for the users that were deleted and can be brought back at a time.
func (v View) DeletedUsers(from Place, descending bool, now time.Time) iter.Seq[*User] {
	return func(yield func(*User) bool) {
		if v.s.book == nil {
			return
		}
		for u := range v.usersOf(v.s.book.gone, from, descending) {
			if !v.s.forgotten(u, now) && !yield(u) {
				return
			}
		}
	}
}

// Restorable reports whether a user was deleted and can be brought back at a time.
func (v View) Restorable(u *User, now time.Time) bool { return !u.Live() && !v.s.forgotten(u, now) }

func (v View) usersOf(in *sorted, from Place, descending bool) iter.Seq[*User] {
	return func(yield func(*User) bool) {
		for p := range in.read(from, descending) {
			if !yield(v.s.users[p.ID]) {
				return
			}
		}
	}
}

// GroupsByAddress is UsersByAddress for groups.
func (v View) GroupsByAddress(from Place, descending bool) iter.Seq[*Group] {
	return func(yield func(*Group) bool) {
		if v.s.book == nil {
			return
		}
		for p := range v.s.book.groups.read(from, descending) {
			if !yield(v.s.groups[p.ID]) {
				return
			}
		}
	}
}

func (s *sorted) read(from Place, descending bool) iter.Seq[Place] {
	if descending {
		return s.before(from)
	}
	return s.after(from)
}

// Roster yields a group's direct members behind a place, in the order of their addresses; deleted ones are left out.
func (v View) Roster(group string, after Place) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		if v.s.book == nil {
			return
		}
		for p := range v.s.book.rosters[group].after(after) {
			if v.s.live(p.ID) && !yield(v.s.member(group, p.ID)) {
				return
			}
		}
	}
}

// Size is the number of a group's direct members; deleted ones count until they are gone for good.
func (v View) Size(group string) int {
	if o := v.s.members[group]; o != nil {
		return len(o.at)
	}
	return 0
}

// Member returns a direct member of a group that is not deleted.
func (v View) Member(group, id string) (Member, bool) {
	if !v.IsMember(group, id) {
		return Member{}, false
	}
	return v.s.member(group, id), true
}

// Describe tells of anyone who could be a member of the group what Member tells of those who are.
func (v View) Describe(group, id string) Member { return v.s.member(group, id) }

// GroupsOf returns the ids of the groups that the object is a direct member of, in no order.
func (v View) GroupsOf(id string) []string {
	out := make([]string, 0, len(v.s.memberOf[id]))
	for g := range v.s.memberOf[id] {
		out = append(out, g)
	}
	return out
}

// Outsider returns who is known from elsewhere by id or by address, or nil.
func (v View) Outsider(key string) *Outsider {
	if o := v.s.outsiders[key]; o != nil {
		return o
	}
	return v.s.outsiders[v.s.outsiderAt[directory.Address(key)]]
}

func (s *state) member(group, id string) Member {
	m := Member{ID: id, Address: s.place(id).Address, Kind: directory.UserMember, Role: roleName(s.roles[group][id])}
	switch {
	case s.isGroup(id):
		m.Kind = directory.GroupMember
	case s.workspace() && id == s.info.DirectoryID:
		m.Kind = directory.CustomerMember
	}
	m.External = s.outsiders[id] != nil
	return m
}

func (s *state) isGroup(id string) bool {
	if s.groups[id] != nil {
		return true
	}
	o := s.outsiders[id]
	return o != nil && o.Kind == directory.GroupMember
}
