package wire

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// errSyntax says nothing of what was read: bodies hold addresses, and errors of encoding/json quote numbers.
var errSyntax = errors.New("not JSON")

// decode reads one JSON value into v. Fields of a wrong kind stay empty and make odd true: encoding/json reads on behind
// them, so that the id of an odd object is known.
func decode(body []byte, v any) (odd bool, err error) {
	err = json.Unmarshal(body, v)
	if _, wrong := errors.AsType[*json.UnmarshalTypeError](err); wrong {
		return true, nil
	}
	if err != nil {
		return false, errSyntax
	}
	return false, nil
}

// digits is an int64, which Google documents as a string and has been seen to send as a number. It keeps what was sent.
type digits string

// UnmarshalJSON implements json.Unmarshaler.
func (d *digits) UnmarshalJSON(b []byte) error {
	switch {
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		*d = digits(s)
		return err
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*d = digits(b)
	}
	return nil
}

// ValidID reports whether an id fits into subjects and keys. Google's are digits and small letters.
func ValidID(id string) bool { return event.ValidToken(id) }

// addresses returns own and then the others, normalized, each once.
func addresses(own string, others ...[]string) []string {
	return directory.Addresses(append([]string{own}, slices.Concat(others...)...)...)
}

// Opaque returns s where it can be a token of Google's that means nothing to us: printable ASCII without what addresses and
// markup need, at most 256 characters; else "".
func Opaque(s string) string {
	if len(s) > 256 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`@<>"'\`, r) }) {
		return ""
	}
	return s
}
