package search

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Error says where an expression cannot be read, and what could stand there.
type Error struct {
	Position int // in characters, from 1 on; one behind the last for the end
	Found    string
	Want     string
}

// Error is a sentence for whoever has typed the expression.
func (e *Error) Error() string {
	return fmt.Sprintf("at character %d: found %s, want %s", e.Position, e.Found, e.Want)
}

// Parse reads an expression. An empty one asks for everybody and is nil. Every error is an *Error.
//
//	expression = and { OR and }
//	and        = not { [AND] not }
//	not        = { NOT } ( "(" expression ")" | term )
//	term       = [ field ":" ] ( value | quoted ) [ "*" ]
func Parse(expression string) (Node, error) {
	if len(expression) > MaxLength {
		return nil, &Error{Position: 1, Found: fmt.Sprintf("%d bytes", len(expression)), Want: fmt.Sprintf("at most %d", MaxLength)}
	}
	p := parser{scanner: scanner{text: []rune(strings.ToValidUTF8(expression, "\uFFFD"))}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.next.kind == end {
		return nil, nil //nolint:nilnil // an empty expression is one
	}
	n, err := p.any(0)
	if err != nil {
		return nil, err
	}
	if p.next.kind != end {
		return nil, p.refuse("AND, OR or the end")
	}
	return n, nil
}

// parser looks one token ahead.
type parser struct {
	scanner
	next  token
	terms int
}

func (p *parser) advance() (err error) {
	p.next, err = p.token()
	return err
}

func (p *parser) refuse(want string) error {
	return &Error{Position: p.next.at + 1, Found: p.next.shown(), Want: want}
}

func (p *parser) any(depth int) (Node, error) {
	var parts Any
	for {
		part, err := p.all(depth)
		if err != nil {
			return nil, err
		}
		if inner, same := part.(Any); same {
			parts = append(parts, inner...)
		} else {
			parts = append(parts, part)
		}
		if p.next.kind != or {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) all(depth int) (Node, error) {
	var parts All
	for {
		part, err := p.not(depth)
		if err != nil {
			return nil, err
		}
		if inner, same := part.(All); same {
			parts = append(parts, inner...)
		} else {
			parts = append(parts, part)
		}
		if p.next.kind == and {
			if err := p.advance(); err != nil {
				return nil, err
			}
		} else if p.next.kind != term && p.next.kind != not && p.next.kind != open {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) not(depth int) (Node, error) {
	if depth > MaxDepth {
		return nil, p.refuse(fmt.Sprintf("at most %d parentheses and NOTs around a term", MaxDepth))
	}
	here := p.next
	if here.kind != not && here.kind != open && here.kind != term {
		return nil, p.refuse("a word, a field such as email:, NOT or (")
	}
	if here.kind == term {
		if p.terms++; p.terms > MaxTerms {
			return nil, p.refuse(fmt.Sprintf("at most %d terms", MaxTerms))
		}
		return here.term, p.advance()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if here.kind == not {
		part, err := p.not(depth + 1)
		return Not{Node: part}, err
	}
	part, err := p.any(depth + 1)
	if err != nil {
		return nil, err
	}
	if p.next.kind != closed {
		return nil, p.refuse(fmt.Sprintf("the ) of the ( at character %d", here.at+1))
	}
	return part, p.advance()
}

// check refuses a term whose value its field cannot have, and makes the value what it is compared as.
func (t *token) check() error {
	refuse := func(want string) error { return &Error{Position: t.value + 1, Found: t.shown(), Want: want} }
	v := &t.term
	if !slices.Contains(fields, v.Field) && v.Field != Word {
		return &Error{Position: t.at + 1, Found: quote(string(v.Field) + ":"), Want: "one of " + list(fields) + ", or quotes around what has a colon"}
	}
	if strings.TrimSpace(v.Value) == "" {
		return refuse("something to look for")
	}
	if v.Prefix && !wild[v.Field] && v.Field != Word {
		return refuse(fmt.Sprintf("no * here: %s: takes a whole value", v.Field))
	}
	switch v.Field {
	case Word:
		v.Prefix = true
	case Is, Reason:
		v.Value = strings.ToLower(v.Value)
	case Name, Email, ID, Group:
	}
	if v.Field == Is && !slices.Contains(States, State(v.Value)) {
		return refuse("one of " + list(States))
	}
	return nil
}

func list[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return strings.Join(texts, ", ")
}

func keyword(s string) kind {
	switch strings.ToUpper(s) {
	case "AND":
		return and
	case "OR":
		return or
	case "NOT":
		return not
	default:
		return ""
	}
}

// ends reports whether a character cannot be in a value without quotes.
func ends(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == '(' || r == ')' || r == '"'
}
