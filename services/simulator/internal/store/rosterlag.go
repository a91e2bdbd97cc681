package store

import (
	"iter"
	"slices"
	"time"
)

// Roster is the list of a group's direct members at some time.
type Roster struct {
	v      View
	group  string
	hidden map[string]bool // joined since
	left   []Member        // since, in order
}

// RosterAsOf returns a group's members as they were at a time, or are now with the zero time. What is told of each
// member is of now. It costs as much as has changed since, in the whole tenant.
func (v View) RosterAsOf(group string, at time.Time) Roster {
	r := Roster{v: v, group: group}
	if at.IsZero() {
		return r
	}
	before := map[string]*Change{} // by member: the first change since
	for i := len(v.s.log) - 1; i >= 0 && v.s.log[i].At.After(at); i-- {
		if c := &v.s.log[i]; c.ID == group && (c.Kind == MemberJoined || c.Kind == MemberLeft) {
			before[c.Member] = c
		}
	}
	r.hidden = map[string]bool{}
	for id, c := range before {
		if c.Kind == MemberJoined {
			r.hidden[id] = true
			continue
		}
		if !v.IsMember(group, id) {
			m := v.s.member(group, id)
			m.Address, m.Role = c.MemberAddress, c.Role
			r.left = append(r.left, m)
		}
	}
	slices.SortFunc(r.left, func(a, b Member) int { return a.place().compare(b.place()) })
	return r
}

func (m Member) place() Place { return Place{m.Address, m.ID} }

// After yields the members behind a place, in the order of their addresses.
func (r Roster) After(p Place) iter.Seq[Member] {
	if r.hidden == nil {
		return r.v.Roster(r.group, p)
	}
	return func(yield func(Member) bool) {
		left := slices.DeleteFunc(slices.Clone(r.left), func(m Member) bool { return m.place().compare(p) <= 0 })
		for m := range r.v.Roster(r.group, p) {
			for len(left) > 0 && left[0].place().compare(m.place()) < 0 {
				if !yield(left[0]) {
					return
				}
				left = left[1:]
			}
			if !r.hidden[m.ID] && !yield(m) {
				return
			}
		}
		for _, m := range left {
			if !yield(m) {
				return
			}
		}
	}
}

// Member returns one of them.
func (r Roster) Member(id string) (Member, bool) {
	if r.hidden[id] {
		return Member{}, false
	}
	if i := slices.IndexFunc(r.left, func(m Member) bool { return m.ID == id }); i >= 0 {
		return r.left[i], true
	}
	return r.v.Member(r.group, id)
}
