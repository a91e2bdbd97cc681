// Package search is the language in which people ask for users: "email:dan* AND is:licensed". It reads an expression into a
// tree and writes a tree as an expression. What finds the users that a tree asks for is another's.
package search

import (
	"strings"
)

// The most that an expression may be. A person types far less, and whoever answers counts on it.
const (
	MaxLength = 1000 // bytes
	MaxTerms  = 32
	MaxDepth  = 12 // of parentheses and NOTs
)

// Node is one part of an expression: an All, an Any, a Not or a Term. Its String is an expression that parses to it.
type Node interface {
	String() string
	rank() int // how tightly its String is bound
}

// All is what satisfies each of two or more parts, none of which is an All.
type All []Node

// Any is what satisfies one of two or more parts, none of which is an Any.
type Any []Node

// Not is what does not satisfy its part.
type Not struct{ Node Node }

// Term is one thing that is asked of a user.
type Term struct {
	Field  Field
	Value  string // without quotes and the asterisk; of Is and Reason in lower case
	Prefix bool   // what is looked at begins with Value; otherwise it is Value. Always set with Word
}

// Field is what a term looks at, as it stands before the colon.
type Field string

// The fields.
const (
	Word   Field = ""       // without a colon: name or address
	Name   Field = "name"   // as the directory displays it
	Email  Field = "email"  // any of the addresses
	ID     Field = "id"     // the provider's
	Group  Field = "group"  // by its address: the user is an effective member
	Reason Field = "reason" // of the decision
	Is     Field = "is"     // a State
)

// fields are those that can stand before a colon.
var fields = []Field{Email, Group, ID, Is, Name, Reason}

// wild are those whose value can end in an asterisk.
var wild = map[Field]bool{Name: true, Email: true}

// State is the value of a term with the field Is.
type State string

// The states.
const (
	Licensed  State = "licensed"
	Activated State = "activated" // the product has reported a first sign-in
	Active    State = "active"    // may sign in
	Suspended State = "suspended" // may not, but is in the directory: suspended or archived
	Archived  State = "archived"
	Deleted   State = "deleted"
	Guest     State = "guest"
	Held      State = "held"    // a held change names the user, or a revocation was rejected
	Waiting   State = "waiting" // for a seat
)

// States are all states, in the order of the alphabet.
var States = []State{Activated, Active, Archived, Deleted, Guest, Held, Licensed, Suspended, Waiting}

const (
	rankAny = iota
	rankAll
	rankNot
	rankTerm
)

func (All) rank() int  { return rankAll }
func (Any) rank() int  { return rankAny }
func (Not) rank() int  { return rankNot }
func (Term) rank() int { return rankTerm }

func (a All) String() string { return joined(a, " AND ", rankAll) }
func (a Any) String() string { return joined(a, " OR ", rankAny) }
func (n Not) String() string { return "NOT " + bound(n.Node, rankNot) }

func (t Term) String() string {
	text := string(t.Field)
	if t.Field != Word {
		text += ":"
	}
	if plain(t) {
		text += t.Value
	} else {
		text += `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t.Value) + `"`
	}
	if t.Prefix && t.Field != Word {
		text += "*"
	}
	return text
}

func joined(parts []Node, by string, rank int) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = bound(part, rank+1)
	}
	return strings.Join(texts, by)
}

// bound puts a part in parentheses unless it is bound as tightly as is needed.
func bound(part Node, rank int) string {
	if part.rank() < rank {
		return "(" + part.String() + ")"
	}
	return part.String()
}

// plain reports whether the value of a term reads as itself without quotes.
func plain(t Term) bool {
	if t.Value == "" || strings.ContainsFunc(t.Value, func(r rune) bool { return ends(r) || r == '*' }) {
		return false
	}
	return t.Field != Word || keyword(t.Value) == "" && !strings.Contains(t.Value, ":")
}

// Mentions reports whether any term of an expression is one that is looked for.
func Mentions(n Node, is func(Term) bool) bool {
	switch n := n.(type) {
	case All:
		return anyMentions(n, is)
	case Any:
		return anyMentions(n, is)
	case Not:
		return Mentions(n.Node, is)
	case Term:
		return is(n)
	default:
		return false
	}
}

func anyMentions(parts []Node, is func(Term) bool) bool {
	for _, part := range parts {
		if Mentions(part, is) {
			return true
		}
	}
	return false
}
