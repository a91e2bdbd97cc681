package workspace

import (
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
)

// mask is a partial response, e.g. "users(id,name/fullName),nextPageToken". A nil mask selects everything.
// Source: developers.google.com/workspace/admin/directory/v1/guides/performance, "Partial response".
type mask map[string]mask

const maxDepth = 8

// parseMask reads the fields parameter and holds it against the names that an answer can have.
func parseMask(text string, of shape) (mask, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	p := maskParser{rest: text}
	m, ok := p.list(0)
	if !ok || p.rest != "" {
		return nil, invalidMask(text)
	}
	if bad := of.unknown(m); bad != "" {
		return nil, invalidMask(bad)
	}
	return m, nil
}

func invalidMask(what string) error {
	e := googleerror.Invalid("Invalid field selection %.80s", what)
	e.Reason, e.Parameter = "invalidParameter", "fields"
	return e
}

type maskParser struct{ rest string }

// list reads paths that are parted by commas, up to a closing bracket or the end.
func (p *maskParser) list(depth int) (mask, bool) {
	out := mask{}
	for {
		if depth > maxDepth || !p.path(out, depth) {
			return nil, false
		}
		if !p.take(',') {
			return out, true
		}
	}
}

// path reads name, name/name or name(list) into a mask.
func (p *maskParser) path(into mask, depth int) bool {
	end := strings.IndexAny(p.rest, ",/()")
	if end < 0 {
		end = len(p.rest)
	}
	name := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	if name == "" || depth > maxDepth {
		return false
	}
	var below mask
	switch {
	case p.take('/'):
		below = mask{}
		if !p.path(below, depth+1) {
			return false
		}
	case p.take('('):
		var ok bool
		if below, ok = p.list(depth + 1); !ok || !p.take(')') {
			return false
		}
	}
	into.add(name, below)
	return true
}

func (p *maskParser) take(c byte) bool {
	p.rest = strings.TrimLeft(p.rest, " ")
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// add selects a name as well; what is selected in whole stays so.
func (m mask) add(name string, below mask) {
	old, there := m[name]
	if !there || below == nil {
		m[name] = below
		return
	}
	if old == nil {
		return
	}
	for n, b := range below {
		old.add(n, b)
	}
}

// apply returns the selected parts of a JSON value.
func (m mask) apply(v any) any {
	if m == nil {
		return v
	}
	if all, ok := m["*"]; ok {
		return each(v, m, all)
	}
	return each(v, m, nil)
}

// each applies the mask to an object or to each one of a list: m, and others of every name that is not in m.
func each(v any, m, others mask) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for name, value := range v {
			if below, ok := m[name]; ok {
				out[name] = below.apply(value)
			} else if _, ok := m["*"]; ok {
				out[name] = others.apply(value)
			}
		}
		return out
	case []object:
		out := make([]any, len(v))
		for i := range v {
			out[i] = m.apply(v[i])
		}
		return out
	default:
		return v
	}
}

// shape is what an answer can hold: names, and what is below those that are objects or lists of them.
type shape map[string]shape

func names(text string) shape {
	out := shape{}
	for n := range strings.FieldsSeq(text) {
		out[n] = nil
	}
	return out
}

func (s shape) with(name string, below shape) shape { s[name] = below; return s }

// unknown returns a name in the mask that the shape does not have.
func (s shape) unknown(m mask) string {
	if s == nil { // a value, or an object of anyone's making
		return ""
	}
	for name, below := range m {
		under, ok := s[name]
		if name == "*" {
			continue
		}
		if !ok {
			return name
		}
		if bad := under.unknown(below); bad != "" {
			return name + "/" + bad
		}
	}
	return ""
}

// The shapes, by the discovery document's schemas.
func userShape() shape {
	return names(`addresses agreedToTerms aliases archivalTime archived changePasswordAtNextLogin creationTime customSchemas customerId
		deletionTime emails etag externalIds gender hashFunction id ims includeInGlobalAddressList ipWhitelisted
		isAdmin isDelegatedAdmin isEnforcedIn2Sv isEnrolledIn2Sv isGuestUser isMailboxSetup keywords kind languages lastLoginTime
		locations nonEditableAliases notes orgUnitPath organizations password phones posixAccounts primaryEmail recoveryEmail
		recoveryPhone relations sshPublicKeys suspended suspensionReason suspensionTime thumbnailPhotoEtag thumbnailPhotoUrl websites`).
		with("name", names("displayName familyName fullName givenName")).
		with("guestAccountInfo", names("primaryGuestEmail"))
}

func groupShape() shape {
	return names("adminCreated aliases description directMembersCount email etag externalIds id kind name nonEditableAliases")
}

func memberShape() shape { return names("delivery_settings email etag id kind role status type") }

func listShape(name string, of shape) shape { return names("kind etag nextPageToken").with(name, of) }
