package store

import (
	"fmt"
	"time"
)

// record is one line of the journal: what a mutation made of the state, not what was asked.
type record struct {
	Op           op            `json:"op"`
	Tenant       string        `json:"tenant"` // directory id
	At           time.Time     `json:"at"`
	Info         *Tenant       `json:"info,omitempty"`
	Users        []*User       `json:"users,omitempty"`
	Groups       []*Group      `json:"groups,omitempty"`
	Fields       Fields        `json:"fields,omitempty"`
	Group        string        `json:"group,omitempty"`
	Role         string        `json:"role,omitempty"` // of those that join
	Outsiders    []*Outsider   `json:"outsiders,omitempty"`
	Via          Via           `json:"via,omitempty"`
	IDs          []string      `json:"ids,omitempty"`
	Subscription *Subscription `json:"subscription,omitempty"`
}

type op string

const (
	opTenant      op = "tenant"
	opUsers       op = "users"
	opGroups      op = "groups"
	opPurge       op = "purge"
	opJoin        op = "join"
	opLeave       op = "leave"
	opRole        op = "role"
	opOutsiders   op = "outsiders"
	opSubscribe   op = "subscribe"
	opUnsubscribe op = "unsubscribe"
)

// apply makes a record true. It must do the same for the same record on the same state, whenever it runs.
func (s *state) apply(r record) error {
	s.via, s.first = r.Via, s.version+1
	switch r.Op {
	case opTenant:
		s.setInfo(*r.Info)
	case opOutsiders:
		for _, o := range r.Outsiders {
			s.putOutsider(o)
		}
	case opUsers:
		for _, u := range r.Users {
			s.putUser(r.At, u, r.Fields)
		}
	case opGroups:
		for _, g := range r.Groups {
			s.putGroup(r.At, g, r.Fields)
		}
	case opPurge:
		for _, id := range r.IDs {
			s.purge(r.At, id)
		}
	case opJoin, opLeave, opRole:
		return s.applyLinks(r)
	case opSubscribe:
		s.subs[r.Subscription.ID] = r.Subscription
	case opUnsubscribe:
		for _, id := range r.IDs {
			delete(s.subs, id)
		}
	default:
		return fmt.Errorf("operation %q: %w", r.Op, ErrInvalid)
	}
	return nil
}

func (s *state) applyLinks(r record) error {
	if s.members[r.Group] == nil {
		return fmt.Errorf("%s of group %s: %w", r.Op, r.Group, ErrNotFound)
	}
	for _, id := range r.IDs {
		switch r.Op {
		case opJoin:
			s.link(r.At, r.Group, id, r.Role)
		case opLeave:
			s.unlink(r.At, r.Group, id, false)
		default:
			s.giveRole(r.At, r.Group, id, r.Role)
		}
	}
	return nil
}

func (s *state) putUser(at time.Time, u *User, fields Fields) {
	old := s.users[u.ID]
	if old == nil {
		u.Seq = s.nextSeq()
		s.userOrder.add(u.Seq, u.ID)
		fields |= Existence
	} else if old.Live() {
		s.unindex(u.ID, old.Addresses())
	}
	s.users[u.ID] = u
	if u.Live() {
		s.index(u.ID, u.Addresses())
	}
	s.book.moveUser(old, u, s.memberOf[u.ID])
	s.tell(at, s.aboutUser(Change{Kind: UserChanged, ID: u.ID, Fields: fields, User: u}, old, u))
	if old != nil {
		s.lifeChanged(at, u.ID, old.Live(), u.Live())
	}
}

func (s *state) putGroup(at time.Time, g *Group, fields Fields) {
	old := s.groups[g.ID]
	if old == nil {
		g.Seq = s.nextSeq()
		s.groupOrder.add(g.Seq, g.ID)
		s.members[g.ID] = newOrdered()
		fields |= Existence
	} else if old.Live() {
		s.unindex(g.ID, old.Addresses())
	}
	s.groups[g.ID] = g
	if g.Live() {
		s.index(g.ID, g.Addresses())
	}
	s.book.moveGroup(old, g, s.memberOf[g.ID])
	s.tell(at, s.aboutGroup(Change{Kind: GroupChanged, ID: g.ID, Fields: fields, Group: g}, old, g))
	if old == nil {
		return
	}
	s.lifeChanged(at, g.ID, old.Live(), g.Live())
	if !old.Live() && g.Live() { // a restored group shows its members anew
		for _, member := range s.members[g.ID].after(0) {
			if s.live(member) {
				s.tell(at, s.aboutMember(MemberJoined, g.ID, member, true))
			}
		}
	}
}

func (s *state) lifeChanged(at time.Time, id string, was, is bool) {
	switch {
	case was && !is:
		s.implied(at, MemberLeft, id)
	case !was && is:
		s.implied(at, MemberJoined, id)
	}
}

func (s *state) purge(at time.Time, id string) {
	if u := s.users[id]; u != nil {
		s.dropLinks(at, id)
		if u.Live() {
			s.unindex(id, u.Addresses())
		}
		delete(s.users, id)
		s.userOrder.remove(id)
		s.book.dropUser(u)
		s.tell(at, s.aboutUser(Change{Kind: UserPurged, ID: id, Fields: Existence}, u, nil))
		return
	}
	if g := s.groups[id]; g != nil {
		s.dropLinks(at, id)
		for _, member := range s.members[id].after(0) {
			delete(s.memberOf[member], id)
		}
		if g.Live() {
			s.unindex(id, g.Addresses())
		}
		delete(s.groups, id)
		delete(s.members, id)
		delete(s.roles, id)
		s.groupOrder.remove(id)
		s.book.dropGroup(g)
		s.tell(at, s.aboutGroup(Change{Kind: GroupPurged, ID: id, Fields: Existence}, g, nil))
	}
}
