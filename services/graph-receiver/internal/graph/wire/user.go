package wire

import (
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// UserProperties is the $select that the readers of users need.
const UserProperties = "id,displayName,userPrincipalName,mail,proxyAddresses,accountEnabled,userType"

type userFields struct {
	id, name, upn, mail, userType string
	proxies                       []string
	enabled                       flag
	removed, wrong                bool
}

// userFields reads one user. Something that is no object comes back without an id.
func (s *scanner) userFields() (userFields, error) {
	var u userFields
	if s.next() != '{' {
		return u, s.skip()
	}
	err := s.object(func(key []byte) error {
		ok := true
		var err error
		switch string(key) {
		case "id":
			ok, err = s.text(&u.id)
		case "displayName":
			ok, err = s.text(&u.name)
		case "userPrincipalName":
			ok, err = s.text(&u.upn)
		case "mail":
			ok, err = s.text(&u.mail)
		case "proxyAddresses":
			ok, err = s.texts(&u.proxies)
		case "accountEnabled":
			ok, err = s.boolean(&u.enabled)
		case "userType":
			ok, err = s.text(&u.userType)
		case "@removed":
			ok, err = s.removed(&u.removed)
		default:
			err = s.skip()
		}
		u.wrong = u.wrong || !ok
		return err
	})
	return u, err
}

// complete reports whether the user may be taken for what it is. Graph leaves out properties that are empty, and all of
// those that it will not show: a user without accountEnabled or a sign-in name, which every user has, is a partial one.
func (u *userFields) complete() bool {
	return !u.wrong && (u.removed || u.enabled != unset && u.upn != "")
}

func (u *userFields) user() directory.User {
	if u.removed {
		return directory.User{ID: u.id, Status: directory.Deleted}
	}
	status := directory.Active
	if u.enabled == no {
		status = directory.Suspended
	}
	return directory.User{
		ID: u.id, Name: u.name, Status: status, Guest: u.guest(),
		Addresses: addresses(u.proxies, u.upn, u.mail),
	}
}

// guest follows userType, which an admin may change in either direction. Accounts from before 2014 have none: there the
// sign-in name tells who came by invitation.
func (u *userFields) guest() bool {
	if u.userType != "" {
		return strings.EqualFold(u.userType, "Guest")
	}
	return strings.Contains(strings.ToLower(u.upn), "#ext#@")
}

// addresses returns own and then the smtp ones of proxyAddresses, normalized, each once. A proxy address of another kind
// (sip:, x500:, eum:) is no e-mail address.
func addresses(proxies []string, own ...string) []string {
	for _, p := range proxies {
		if kind, _, found := strings.Cut(p, ":"); !found || strings.EqualFold(strings.TrimSpace(kind), "smtp") {
			own = append(own, p)
		}
	}
	return directory.Addresses(own...)
}
