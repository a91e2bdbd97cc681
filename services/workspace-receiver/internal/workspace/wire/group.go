package wire

import (
	"encoding/json"
	"errors"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// GroupFields is the fields parameter that the reader of one group needs, GroupsFields that of pages of them.
const (
	GroupFields  = "id,email,name,aliases,nonEditableAliases"
	GroupsFields = envelope + "groups(" + GroupFields + ")"
)

// group is one group as Google sends it. Every group has an address, so one without it is partial.
type group struct {
	ID          string   `json:"id"`
	Email       string   `json:"email"`
	Name        string   `json:"name"`
	Aliases     []string `json:"aliases"`
	NonEditable []string `json:"nonEditableAliases"`

	odd bool
}

func readGroup(raw json.RawMessage) group {
	var g group
	odd, err := decode(raw, &g)
	g.odd = odd || err != nil
	return g
}

func (g group) complete() bool { return !g.odd && g.Email != "" }

func (g group) directory() directory.Group {
	return directory.Group{
		ID: g.ID, Name: g.Name, Kind: directory.WorkspaceGroup, Addresses: addresses(g.Email, g.Aliases, g.NonEditable),
	}
}

// Groups reads a page of groups.
func Groups(body []byte) (Page, error) {
	pick := func(c collection) []json.RawMessage { return c.Group }
	return readPage(body, pick, func(p *Page, raw json.RawMessage) {
		g := readGroup(raw)
		seen := g.directory()
		p.file(g.ID, g.complete(), directory.Observation{Group: &seen})
	})
}

// Group reads a single group.
func Group(body []byte) (directory.Group, error) {
	g := readGroup(body)
	switch {
	case !ValidID(g.ID):
		return directory.Group{}, errors.New("no id")
	case !g.complete():
		return directory.Group{}, errors.New("email is missing, or a field is of a wrong kind")
	}
	return g.directory(), nil
}
