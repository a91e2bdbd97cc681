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
	opSubscribe   op = "subscribe"
	opUnsubscribe op = "unsubscribe"
)

// apply makes a record true. It must do the same for the same record on the same state, whenever it runs.
func (s *state) apply(r record) error {
	switch r.Op {
	case opTenant:
		s.info = *r.Info
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
	case opJoin, opLeave:
		if s.members[r.Group] == nil {
			return fmt.Errorf("%s of group %s: %w", r.Op, r.Group, ErrNotFound)
		}
		for _, id := range r.IDs {
			if r.Op == opJoin {
				s.link(r.At, r.Group, id)
			} else {
				s.unlink(r.At, r.Group, id, false)
			}
		}
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
	s.tell(at, Change{Kind: UserChanged, ID: u.ID, Fields: fields})
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
	s.tell(at, Change{Kind: GroupChanged, ID: g.ID, Fields: fields})
	if old == nil {
		return
	}
	s.lifeChanged(at, g.ID, old.Live(), g.Live())
	if !old.Live() && g.Live() { // a restored group shows its members anew
		for _, member := range s.members[g.ID].after(0) {
			if s.live(member) {
				s.tell(at, Change{Kind: MemberJoined, ID: g.ID, Member: member, MemberGroup: s.groups[member] != nil, Implied: true})
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
		s.tell(at, Change{Kind: UserPurged, ID: id, Fields: Existence})
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
		s.groupOrder.remove(id)
		s.tell(at, Change{Kind: GroupPurged, ID: id, Fields: Existence})
	}
}
