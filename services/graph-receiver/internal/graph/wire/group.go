package wire

import (
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// GroupProperties is the $select that the readers of groups need.
const GroupProperties = "id,displayName,mail,proxyAddresses,groupTypes,mailEnabled,securityEnabled"

type groupFields struct {
	id, name, mail string
	proxies, types []string
	mailed, secure flag
	removed, wrong bool
}

// groupFields reads one group. Something that is no object comes back without an id.
func (s *scanner) groupFields() (groupFields, error) {
	var g groupFields
	if s.next() != '{' {
		return g, s.skip()
	}
	err := s.object(func(key []byte) error {
		ok := true
		var err error
		switch string(key) {
		case "id":
			ok, err = s.text(&g.id)
		case "displayName":
			ok, err = s.text(&g.name)
		case "mail":
			ok, err = s.text(&g.mail)
		case "proxyAddresses":
			ok, err = s.texts(&g.proxies)
		case "groupTypes":
			ok, err = s.texts(&g.types)
		case "mailEnabled":
			ok, err = s.boolean(&g.mailed)
		case "securityEnabled":
			ok, err = s.boolean(&g.secure)
		case "@removed":
			ok, err = s.removed(&g.removed)
		default:
			err = s.skip()
		}
		g.wrong = g.wrong || !ok
		return err
	})
	return g, err
}

// complete reports whether the group may be taken for what it is. Every group has both flags, so one without them is
// partial, and its missing addresses may be there.
func (g *groupFields) complete() bool {
	return !g.wrong && (g.removed || g.mailed != unset && g.secure != unset)
}

func (g *groupFields) group() directory.Group {
	if g.removed {
		return directory.Group{ID: g.id, Deleted: true}
	}
	return directory.Group{ID: g.id, Name: g.name, Kind: g.kind(), Addresses: addresses(g.proxies, g.mail)}
}

// kind follows the table of Graph's group types. A Microsoft 365 group may be security-enabled as well.
func (g *groupFields) kind() directory.GroupKind {
	switch unified := slices.ContainsFunc(g.types, func(t string) bool { return strings.EqualFold(t, "Unified") }); {
	case unified:
		return directory.Microsoft365
	case g.mailed == yes && g.secure == yes:
		return directory.MailEnabledSecurity
	case g.mailed == yes:
		return directory.Distribution
	}
	return directory.Security
}
