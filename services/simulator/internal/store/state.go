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

	// Workspace's.
	outsiders  map[string]*Outsider
	outsiderAt map[string]string            // address to id
	roles      map[string]map[string]string // by group and member; members without one are MEMBER
	book       *book                        // nil for Entra
	via        Via                          // of the record that is being applied
	first      uint64                       // version of that record's first change
}

func newState() *state {
	return &state{
		users: map[string]*User{}, groups: map[string]*Group{},
		userOrder: newOrdered(), groupOrder: newOrdered(),
		members: map[string]*ordered{}, memberOf: map[string]map[string]struct{}{},
		addresses: map[string][]string{}, subs: map[string]*Subscription{},
		outsiders: map[string]*Outsider{}, outsiderAt: map[string]string{}, roles: map[string]map[string]string{},
	}
}

func (s *state) setInfo(t Tenant) {
	s.info = t
	if s.workspace() && s.book == nil {
		s.book = newBook()
	}
}

// live reports whether an object is there and not soft-deleted.
func (s *state) live(id string) bool {
	if u := s.users[id]; u != nil {
		return u.Live()
	}
	if g := s.groups[id]; g != nil {
		return g.Live()
	}
	return s.outsiders[id] != nil || s.workspace() && id == s.info.DirectoryID
}

func (s *state) nextSeq() uint64 { s.seq++; return s.seq }

// tell appends a change to the log.
func (s *state) tell(at time.Time, c Change) {
	s.version++
	c.Version, c.First, c.At = s.version, s.first, at
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

func (s *state) link(at time.Time, group, member, role string) {
	if s.members[group].has(member) {
		return
	}
	s.members[group].add(s.nextSeq(), member)
	if s.memberOf[member] == nil {
		s.memberOf[member] = map[string]struct{}{}
	}
	s.memberOf[member][group] = struct{}{}
	s.setRole(group, member, role)
	s.book.enrol(group, s.place(member))
	if s.live(member) {
		s.tell(at, s.aboutMember(MemberJoined, group, member, false))
	}
}

func (s *state) unlink(at time.Time, group, member string, implied bool) {
	if s.members[group] == nil || !s.members[group].has(member) {
		return
	}
	gone := s.aboutMember(MemberLeft, group, member, implied)
	s.members[group].remove(member)
	delete(s.memberOf[member], group)
	delete(s.roles[group], member)
	s.book.strike(group, s.place(member))
	if s.live(member) {
		s.tell(at, gone)
	}
}

// implied tells that every link of an object came or went with the object itself.
func (s *state) implied(at time.Time, kind ChangeKind, member string) {
	for _, group := range slices.Sorted(maps.Keys(s.memberOf[member])) {
		s.tell(at, s.aboutMember(kind, group, member, true))
	}
}

// dropLinks ends every membership of an object that is about to go for good.
func (s *state) dropLinks(at time.Time, member string) {
	for _, group := range slices.Sorted(maps.Keys(s.memberOf[member])) {
		s.unlink(at, group, member, true)
	}
	delete(s.memberOf, member)
}
