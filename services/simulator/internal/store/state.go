package store

import (
	"maps"
	"slices"
	"time"
)

// state is one tenant in memory. It changes only through apply, live and on replay alike.
type state struct {
	info       Tenant
	version    uint64
	seq        uint64
	users      map[string]*User
	groups     map[string]*Group
	userOrder  *ordered
	groupOrder *ordered
	members    map[string]*ordered            // by group
	memberOf   map[string]map[string]struct{} // by member
	addresses  map[string][]string            // of live objects: normalized address to ids
	subs       map[string]*Subscription
	log        []Change
}

func newState() *state {
	return &state{
		users: map[string]*User{}, groups: map[string]*Group{},
		userOrder: newOrdered(), groupOrder: newOrdered(),
		members: map[string]*ordered{}, memberOf: map[string]map[string]struct{}{},
		addresses: map[string][]string{}, subs: map[string]*Subscription{},
	}
}

// live reports whether an object is there and not soft-deleted.
func (s *state) live(id string) bool {
	if u := s.users[id]; u != nil {
		return u.Live()
	}
	g := s.groups[id]
	return g != nil && g.Live()
}

func (s *state) nextSeq() uint64 { s.seq++; return s.seq }

// tell appends a change to the log.
func (s *state) tell(at time.Time, c Change) {
	s.version++
	c.Version, c.At = s.version, at
	s.log = append(s.log, c)
}

func (s *state) index(id string, addrs []string) {
	for _, a := range addrs {
		s.addresses[a] = append(s.addresses[a], id)
	}
}

func (s *state) unindex(id string, addrs []string) {
	for _, a := range addrs {
		left := slices.DeleteFunc(s.addresses[a], func(o string) bool { return o == id })
		if len(left) == 0 {
			delete(s.addresses, a)
		} else {
			s.addresses[a] = left
		}
	}
}

func (s *state) link(at time.Time, group, member string) {
	if s.members[group].has(member) {
		return
	}
	s.members[group].add(s.nextSeq(), member)
	if s.memberOf[member] == nil {
		s.memberOf[member] = map[string]struct{}{}
	}
	s.memberOf[member][group] = struct{}{}
	if s.live(member) {
		s.tell(at, Change{Kind: MemberJoined, ID: group, Member: member, MemberGroup: s.groups[member] != nil})
	}
}

func (s *state) unlink(at time.Time, group, member string, implied bool) {
	if s.members[group] == nil || !s.members[group].has(member) {
		return
	}
	s.members[group].remove(member)
	delete(s.memberOf[member], group)
	if s.live(member) {
		s.tell(at, Change{Kind: MemberLeft, ID: group, Member: member, MemberGroup: s.groups[member] != nil, Implied: implied})
	}
}

// implied tells that every link of an object came or went with the object itself.
func (s *state) implied(at time.Time, kind ChangeKind, member string) {
	for _, group := range slices.Sorted(maps.Keys(s.memberOf[member])) {
		s.tell(at, Change{Kind: kind, ID: group, Member: member, MemberGroup: s.groups[member] != nil, Implied: true})
	}
}

// dropLinks ends every membership of an object that is about to go for good.
func (s *state) dropLinks(at time.Time, member string) {
	for _, group := range slices.Sorted(maps.Keys(s.memberOf[member])) {
		s.unlink(at, group, member, true)
	}
	delete(s.memberOf, member)
}
