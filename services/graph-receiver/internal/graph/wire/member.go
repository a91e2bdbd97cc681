package wire

import (
	"cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Members reads a page of a group's member list. A member without a kind is reported as a user: ids are unique among all
// objects of a directory, so that of a device or a group licenses nobody as a user.
func Members(body []byte, groupID string) (Page, error) {
	return readPage(body, func(s *scanner, p *Page) error {
		m, err := s.memberFields()
		if err != nil {
			return err
		}
		p.add(m.id, !m.wrong, func() directory.Observation {
			link := m.membership(groupID)
			return directory.Observation{Membership: &link}
		})
		return nil
	})
}

// MemberChanges reads a page of a groups delta query that selects members.
//
// A big group comes in slices, over pages and also twice on one; a group without members@delta says nothing of them.
// Deleted groups are observed as such, without a word on their members. Where the page says that a member was added and
// that it was removed, their order is not told, so neither is observed; nor is a member without a kind, which may be a
// nested group. Both come back as Unclear, the latter with Kind "".
func MemberChanges(body []byte) (Page, error) {
	changes := memberChanges{seen: map[link]int{}}
	p, err := readPage(body, changes.group)
	if err != nil {
		return Page{}, err
	}
	for _, m := range changes.list {
		switch {
		case m.unclear:
			p.Unclear = append(p.Unclear, m.Membership)
		default:
			link := m.Membership
			p.Observations = append(p.Observations, directory.Observation{Membership: &link})
		}
	}
	return p, nil
}

type link struct{ group, member string }

type memberChange struct {
	directory.Membership
	unclear bool
}

// memberChanges folds what one page says of each membership.
type memberChanges struct {
	list []memberChange
	seen map[link]int // where in list
}

func (c *memberChanges) group(s *scanner, p *Page) error {
	g, err := s.memberGroup()
	switch {
	case err != nil:
		return err
	case !ValidID(g.id):
		p.Nameless++
	case g.removed:
		p.Observations = append(p.Observations, directory.Observation{Group: &directory.Group{ID: g.id, Deleted: true}})
	case g.wrong:
		c.list = append(c.list, memberChange{directory.Membership{GroupID: g.id}, true})
	}
	if ValidID(g.id) && !g.removed {
		for _, m := range g.members {
			c.add(g.id, m)
		}
	}
	return nil
}

func (c *memberChanges) add(groupID string, m memberFields) {
	change := memberChange{m.membership(groupID), m.wrong}
	if m.odataType == "" {
		change.Kind, change.unclear = "", true
	}
	if !ValidID(m.id) {
		change.ID, change.unclear = "", true
	}
	at, again := c.seen[link{groupID, change.ID}]
	if !again {
		c.seen[link{groupID, change.ID}] = len(c.list)
		c.list = append(c.list, change)
		return
	}
	first := &c.list[at]
	if first.Membership != change.Membership || change.unclear {
		first.unclear = true
	}
	first.Kind = cmp.Or(first.Kind, change.Kind)
}

// groupMembers is a group of a delta page with its slice of member changes.
type groupMembers struct {
	id             string
	members        []memberFields
	removed, wrong bool
}

func (s *scanner) memberGroup() (groupMembers, error) {
	var g groupMembers
	if s.next() != '{' {
		return g, s.skip()
	}
	err := s.object(func(key []byte) error {
		ok := true
		var err error
		switch string(key) {
		case "id":
			ok, err = s.text(&g.id)
		case "@removed":
			ok, err = s.removed(&g.removed)
		case "members@delta":
			ok, err = s.memberList(&g.members)
		default:
			err = s.skip()
		}
		g.wrong = g.wrong || !ok
		return err
	})
	return g, err
}

func (s *scanner) memberList(dst *[]memberFields) (ok bool, err error) {
	if s.word("null") {
		return true, nil
	}
	if s.next() != '[' {
		return false, s.skip()
	}
	return true, s.array(func() error {
		m, err := s.memberFields()
		*dst = append(*dst, m)
		return err
	})
}

type memberFields struct {
	id, odataType  string
	removed, wrong bool
}

func (s *scanner) memberFields() (memberFields, error) {
	var m memberFields
	if s.next() != '{' {
		m.wrong = true
		return m, s.skip()
	}
	err := s.object(func(key []byte) error {
		ok := true
		var err error
		switch string(key) {
		case "id":
			ok, err = s.text(&m.id)
		case "@odata.type":
			ok, err = s.text(&m.odataType)
		case "@removed":
			ok, err = s.removed(&m.removed)
		default:
			err = s.skip()
		}
		m.wrong = m.wrong || !ok
		return err
	})
	return m, err
}

func (m memberFields) membership(groupID string) directory.Membership {
	kind := directory.OtherMember
	switch {
	case m.odataType == "", kindWord(m.odataType) == "user":
		kind = directory.UserMember
	case kindWord(m.odataType) == "group":
		kind = directory.GroupMember
	}
	return directory.Membership{GroupID: groupID, Kind: kind, ID: m.id, Present: !m.removed}
}
