package wire

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// MemberFields is the fields parameter that the reader of one member needs, MembersFields that of pages of them. Roles make
// no difference: owners and managers are members.
const (
	MemberFields  = "id,type"
	MembersFields = envelope + "members(" + MemberFields + ")"
)

type member struct {
	ID   string `json:"id"`
	Type string `json:"type"`

	odd bool
}

func readMember(raw json.RawMessage) member {
	var m member
	odd, err := decode(raw, &m)
	m.odd = odd || err != nil
	return m
}

// kind follows the Members reference. External members come as USER or GROUP. One without a type is reported as a user: ids
// are unique among all objects, so that of a group licenses nobody as a user.
func (m member) kind() directory.MemberKind {
	switch {
	case m.Type == "" || strings.EqualFold(m.Type, "USER") || strings.EqualFold(m.Type, "EXTERNAL"):
		return directory.UserMember
	case strings.EqualFold(m.Type, "GROUP"):
		return directory.GroupMember
	case strings.EqualFold(m.Type, "CUSTOMER"):
		return directory.CustomerMember
	}
	return directory.OtherMember
}

func (m member) directory(groupID string) directory.Membership {
	link := directory.Membership{GroupID: groupID, Kind: m.kind(), ID: m.ID, Present: true}
	if link.Kind == directory.CustomerMember {
		link.ID = "" // Google names the customer itself
	}
	return link
}

// Members reads a page of a group's members.
func Members(body []byte, groupID string) (Page, error) {
	pick := func(c collection) []json.RawMessage { return c.Links }
	return readPage(body, pick, func(p *Page, raw json.RawMessage) {
		m := readMember(raw)
		link := m.directory(groupID)
		if link.Kind == directory.CustomerMember && !m.odd {
			p.Observations = append(p.Observations, directory.Observation{Membership: &link})
			return
		}
		p.file(m.ID, !m.odd, directory.Observation{Membership: &link})
	})
}

// Member reads a single membership.
func Member(body []byte, groupID string) (directory.Membership, error) {
	m := readMember(body)
	switch {
	case m.odd:
		return directory.Membership{}, errors.New("a field is of a wrong kind")
	case !ValidID(m.ID) && m.kind() != directory.CustomerMember:
		return directory.Membership{}, errors.New("no id")
	}
	return m.directory(groupID), nil
}
