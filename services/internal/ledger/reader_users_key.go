package ledger

import (
	"strings"
	"unicode/utf8"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// keyLength is how many characters of a name it is found and sorted by.
const keyLength = 100

// nameKey is what a name is found and sorted by.
func nameKey(name string) string {
	key, n := strings.ToLower(name), 0
	for i := range key {
		if n++; n > keyLength {
			return key[:i]
		}
	}
	return key
}

// addressKey is what addresses are sorted by: the first one.
func addressKey(lines string) string {
	first, _, _ := strings.Cut(lines, "\n")
	return first
}

// sought is what a text is compared with.
type sought struct {
	text   string
	prefix bool
}

func nameSought(t search.Term) sought {
	return sought{text: nameKey(storable(t.Value)), prefix: t.Prefix}
}

func addressSought(t search.Term) sought {
	return sought{text: storable(directory.Address(t.Value)), prefix: t.Prefix}
}

// end is the first text behind all that begin with the one that is sought, in the order of bytes.
func (s sought) end() string {
	text := []rune(s.text)
	for i := len(text) - 1; i >= 0; i-- {
		switch next := text[i] + 1; {
		case next > utf8.MaxRune:
			continue
		case next == surrogates:
			text[i] = behindSurrogates
		default:
			text[i] = next
		}
		return string(text[:i+1])
	}
	return string(utf8.MaxRune)
}

// Between these there are no characters.
const (
	surrogates       = 0xD800
	behindSurrogates = 0xE000
)
