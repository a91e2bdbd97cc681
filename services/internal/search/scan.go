package search

import (
	"fmt"
	"strings"
)

// kind is what a token is.
type kind string

const (
	end    kind = "the end"
	open   kind = "("
	closed kind = ")"
	and    kind = "AND"
	or     kind = "OR"
	not    kind = "NOT"
	term   kind = "a term"
)

// token is one piece of an expression.
type token struct {
	kind  kind
	at    int // where it begins
	value int // where its value does, of a term
	text  string
	term  Term
}

func (t token) shown() string {
	if t.kind == end {
		return string(end)
	}
	return quote(t.text)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// scanner cuts an expression into tokens.
type scanner struct {
	text []rune
	at   int
}

func (s *scanner) token() (token, error) {
	for s.at < len(s.text) && blank(s.text[s.at]) {
		s.at++
	}
	begin := s.at
	if begin == len(s.text) {
		return token{kind: end, at: begin}, nil
	}
	switch s.text[begin] {
	case '(':
		s.at++
		return token{kind: open, at: begin, text: "("}, nil
	case ')':
		s.at++
		return token{kind: closed, at: begin, text: ")"}, nil
	}
	return s.term(begin)
}

// blank are the characters between tokens: those that end a value and are no token.
func blank(r rune) bool { return ends(r) && r != '(' && r != ')' && r != '"' }

func (s *scanner) term(begin int) (t token, err error) {
	t = token{kind: term, at: begin, value: begin}
	named := false
	for s.at < len(s.text) && !ends(s.text[s.at]) && !named {
		if s.text[s.at] == ':' {
			t.term.Field = Field(strings.ToLower(string(s.text[begin:s.at])))
			if t.term.Field == Word {
				t.text = ":"
				return t, &Error{Position: begin + 1, Found: t.shown(), Want: "a field before the colon: one of " + list(fields)}
			}
			t.value = s.at + 1
			named = true // what follows is the value, whatever is in it
		}
		s.at++
	}
	if named || s.at == begin {
		return t, s.rest(&t)
	}
	t.text = string(s.text[begin:s.at])
	if k := keyword(t.text); k != "" {
		t.kind = k
		return t, nil
	}
	s.at = begin
	return t, s.rest(&t)
}

// rest reads the value of a term, with quotes or without, and the asterisk behind it.
func (s *scanner) rest(t *token) error {
	if s.at < len(s.text) && s.text[s.at] == '"' {
		if err := s.quoted(t); err != nil {
			return err
		}
	} else {
		s.plain(t)
	}
	if s.at < len(s.text) && s.text[s.at] == '*' {
		t.term.Prefix = true
		s.at++
	}
	t.text = string(s.text[t.value:s.at])
	if s.at < len(s.text) && (!ends(s.text[s.at]) || s.text[s.at] == '"') {
		return &Error{Position: s.at + 1, Found: quote(string(s.text[s.at])), Want: "a space, or the end: a * can only be the last of a term, and quotes are around all of a value"}
	}
	return t.check()
}

func (s *scanner) plain(t *token) {
	begin := s.at
	for s.at < len(s.text) && !ends(s.text[s.at]) && s.text[s.at] != '*' {
		s.at++
	}
	t.term.Value = string(s.text[begin:s.at])
}

// quoted reads what is in quotes, in which a backslash lets quotes and backslashes be themselves.
func (s *scanner) quoted(t *token) error {
	begin := s.at
	var value []rune
	for s.at++; s.at < len(s.text); s.at++ {
		switch r := s.text[s.at]; {
		case r == '"':
			s.at++
			t.term.Value = string(value)
			return nil
		case r == '\\' && s.at+1 < len(s.text) && (s.text[s.at+1] == '"' || s.text[s.at+1] == '\\'):
			s.at++
			value = append(value, s.text[s.at])
		default:
			value = append(value, r)
		}
	}
	return &Error{Position: s.at + 1, Found: string(end), Want: fmt.Sprintf("the end of the quotes that begin at character %d", begin+1)}
}
