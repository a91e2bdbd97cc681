package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds nesting. Graph's bodies are about six deep.
const maxDepth = 64

// scanner walks JSON once, strictly, without building it. It exists because a notification is on the way of every
// change: encoding/json passes over each body four times when every item has to survive its neighbours' faults.
// It accepts exactly what json.Valid accepts, up to maxDepth; a fuzz test holds it to that.
type scanner struct {
	b     []byte
	i     int
	depth int
}

// fail says where, and never what: bodies hold addresses and secrets.
func (s *scanner) fail(what string) error { return fmt.Errorf("offset %d: %s", s.i, what) }

// next skips white space and returns the byte that begins the next token, 0 at the end.
func (s *scanner) next() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// end reports an error where anything but white space is left.
func (s *scanner) end() error {
	if s.next(); s.i < len(s.b) {
		return s.fail("more than one value")
	}
	return nil
}

// object calls field for each key with the scanner before the value, which field must consume.
func (s *scanner) object(field func(key []byte) error) error {
	if s.next() != '{' {
		return s.fail("want an object")
	}
	return s.list('}', func() error {
		key, err := s.token()
		if err != nil {
			return err
		}
		if s.next() != ':' {
			return s.fail("want a colon")
		}
		s.i++
		return field(inner(key))
	})
}

// array calls item before each element, which item must consume.
func (s *scanner) array(item func() error) error {
	if s.next() != '[' {
		return s.fail("want an array")
	}
	return s.list(']', item)
}

// list walks what stands between an opening byte, which is next, and its closing one.
func (s *scanner) list(closing byte, one func() error) error {
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested too deeply")
	}
	s.i++
	if s.next() == closing {
		s.i++
		s.depth--
		return nil
	}
	for {
		if err := one(); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
		case closing:
			s.i++
			s.depth--
			return nil
		default:
			return s.fail("want a comma or an end")
		}
	}
}

// skip consumes one value of any kind.
func (s *scanner) skip() error {
	switch c := s.next(); {
	case c == '{':
		return s.object(func([]byte) error { return s.skip() })
	case c == '[':
		return s.array(s.skip)
	case c == '"':
		_, err := s.token()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	default:
		for _, word := range []string{"true", "false", "null"} {
			if s.word(word) {
				return nil
			}
		}
		return s.fail("want a value")
	}
}

// word consumes a literal if it is next.
func (s *scanner) word(w string) bool {
	if s.next(); !bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		return false
	}
	s.i += len(w)
	return true
}

// token consumes a string and returns it with its quotes.
func (s *scanner) token() ([]byte, error) {
	if s.next() != '"' {
		return nil, s.fail("want a string")
	}
	start := s.i
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start:s.i], nil
		case c < ' ':
			return nil, s.fail("control character in a string")
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		}
	}
	return nil, s.fail("string without an end")
}

// escape stands on a backslash and moves to the last byte of the escape.
func (s *scanner) escape() error {
	if s.i++; s.i >= len(s.b) {
		return s.fail("string without an end")
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			if s.i++; s.i >= len(s.b) || !isHex(s.b[s.i]) {
				return s.fail("bad escape")
			}
		}
		return nil
	}
	return s.fail("bad escape")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// number consumes a number as the grammar has it. Nothing here needs its value.
func (s *scanner) number() error {
	if s.b[s.i] == '-' {
		s.i++
	}
	if s.at('0') {
		s.i++
	} else if !s.digits() {
		return s.fail("bad number")
	}
	if s.at('.') {
		if s.i++; !s.digits() {
			return s.fail("bad number")
		}
	}
	if s.at('e') || s.at('E') {
		if s.i++; s.at('+') || s.at('-') {
			s.i++
		}
		if !s.digits() {
			return s.fail("bad number")
		}
	}
	return nil
}

func (s *scanner) at(c byte) bool { return s.i < len(s.b) && s.b[s.i] == c }

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

// inner returns the text of a string token without copying it where it can.
func inner(token []byte) []byte {
	if bytes.IndexByte(token, '\\') < 0 {
		return token[1 : len(token)-1]
	}
	return []byte(unquote(token))
}

// unquote returns the text of a string token.
func unquote(token []byte) string {
	raw := token[1 : len(token)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		if utf8.Valid(raw) {
			return string(raw)
		}
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	var text string
	if json.Unmarshal(token, &text) != nil {
		return "" // unreachable: token has been read by the grammar
	}
	return text
}
