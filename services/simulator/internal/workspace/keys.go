package workspace

import (
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// testDomain is behind the customer's first domain in the alias that Google gives to everyone.
const testDomain = ".test-google-a.com"

// address is a key as an address, and whether it is one.
func address(key string) (string, bool) {
	return strings.TrimSuffix(directory.Address(key), testDomain), strings.Contains(key, "@")
}

// foreign reports whether an address is of somebody else's domain.
func (c *call) foreign(address string) bool {
	return !slices.Contains(c.tenant().Domains, directory.Domain(address))
}

// user finds the live user that a key names: an id, the primary address or an alias.
func (c *call) user(v store.View, key string) (*store.User, error) {
	ids := []string{key}
	a, isAddress := address(key)
	if isAddress {
		ids = v.At(a)
	}
	for _, id := range ids {
		if u := v.User(id); u != nil && u.Live() {
			return u, nil
		}
		if v.Group(id) != nil {
			return nil, googleerror.WrongType("userKey")
		}
		if u := v.User(id); u != nil && !isAddress && v.Restorable(u, c.now) {
			return nil, googleerror.UserDeleted()
		}
	}
	if isAddress && c.foreign(a) || v.Outsider(key) != nil {
		return nil, googleerror.NotAuthorized()
	}
	return nil, googleerror.NotFound("userKey")
}

// group finds the group that a key names. A user's address is refused like that of somebody else.
func (c *call) group(v store.View, key string) (*store.Group, error) {
	ids := []string{key}
	a, isAddress := address(key)
	if isAddress {
		ids = v.At(a)
	}
	for _, id := range ids {
		if g := v.Group(id); g != nil && g.Live() {
			return g, nil
		}
		if u := v.User(id); u != nil && u.Live() && isAddress {
			return nil, googleerror.NotAuthorized()
		}
	}
	if isAddress && c.foreign(a) || v.Outsider(key) != nil {
		return nil, googleerror.NotAuthorized()
	}
	return nil, googleerror.NotFound("groupKey")
}

// member returns the id of whom a key of a member means, or the key itself.
func member(v store.View, key string) string {
	a, isAddress := address(key)
	if !isAddress {
		return key
	}
	if ids := v.At(a); len(ids) > 0 {
		return ids[0]
	}
	if o := v.Outsider(a); o != nil {
		return o.ID
	}
	return key
}
