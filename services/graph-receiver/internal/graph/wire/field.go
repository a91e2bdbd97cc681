package wire

// text reads a string into dst; null leaves it as it is. ok is false for a value of another kind, which is passed over.
// A value equal to what dst holds is not copied: the items of one body mostly share their subscription and tenant.
func (s *scanner) text(dst *string) (ok bool, err error) {
	switch {
	case s.next() == '"':
		token, err := s.token()
		if err != nil {
			return false, err
		}
		if inner := token[1 : len(token)-1]; string(inner) != *dst {
			*dst = unquote(token)
		}
		return true, nil
	case s.word("null"):
		return true, nil
	}
	return false, s.skip()
}

// flag is a JSON boolean that may be missing or null.
type flag int8

const (
	unset flag = iota
	yes
	no
)

// boolean reads true, false or null; ok is false for a value of another kind, which is passed over.
func (s *scanner) boolean(dst *flag) (ok bool, err error) {
	switch {
	case s.word("true"):
		*dst = yes
	case s.word("false"):
		*dst = no
	case s.word("null"):
		*dst = unset
	default:
		return false, s.skip()
	}
	return true, nil
}

// texts reads an array of strings; null is none. ok is false where it, or one of its elements, is of another kind.
func (s *scanner) texts(dst *[]string) (ok bool, err error) {
	if s.word("null") {
		return true, nil
	}
	if s.next() != '[' {
		return false, s.skip()
	}
	ok = true
	err = s.array(func() error {
		var one string
		good, err := s.text(&one)
		if good && err == nil {
			*dst = append(*dst, one)
		}
		ok = ok && good
		return err
	})
	return ok, err
}

// removed reads an @removed annotation: an object in delta pages, a string in notifications. Either reason, "changed"
// (can be restored) or "deleted" (for good), ends what it stands on. ok is false for any other kind.
func (s *scanner) removed(dst *bool) (ok bool, err error) {
	switch {
	case s.word("null"), s.word("false"):
		return true, nil
	case s.next() == '{', s.next() == '"':
		*dst = true
		return true, s.skip()
	}
	return false, s.skip()
}

// ValidID reports whether an id fits into subjects and keys: the alphabet that pkg/event asks of a token. Entra's are GUIDs.
func ValidID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return id != "" && len(id) <= 128
}
