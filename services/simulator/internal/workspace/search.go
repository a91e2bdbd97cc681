package workspace

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// clause is one part of a query: field, operator and value. Operators are = for the same, : for a word or, with an
// asterisk behind it, a prefix. Source: guides/search-users and guides/search-groups.
type clause struct{ field, operator, value string }

// clauses reads a query: clauses parted by spaces, all of which must hold; values may stand in single quotes.
func clauses(query string) ([]clause, error) {
	var out []clause
	for rest := strings.TrimSpace(query); rest != ""; rest = strings.TrimSpace(rest) {
		at := strings.IndexAny(rest, ":=")
		if at <= 0 || strings.ContainsAny(rest[:at], " '") {
			return nil, badSearch()
		}
		c := clause{field: rest[:at], operator: rest[at : at+1]}
		rest = rest[at+1:]
		if quoted, ok := strings.CutPrefix(rest, "'"); ok {
			value, behind, closed := strings.Cut(quoted, "'")
			if !closed {
				return nil, badSearch()
			}
			c.value, rest = value, behind
			if star, ok := strings.CutPrefix(rest, "*"); ok {
				c.value, rest = c.value+"*", star
			}
		} else {
			c.value, rest, _ = strings.Cut(rest, " ")
		}
		if c.value == "" {
			return nil, badSearch()
		}
		c.value = strings.ToLower(c.value)
		out = append(out, c)
	}
	return out, nil
}

func badSearch() error { return googleerror.Invalid("Invalid Input: query") }

// match holds texts against the clause; any of them will do.
func (c clause) match(texts ...string) bool {
	prefix, isPrefix := strings.CutSuffix(c.value, "*")
	return slices.ContainsFunc(texts, func(text string) bool {
		text = strings.ToLower(text)
		switch {
		case c.operator == "=":
			return text == c.value
		case isPrefix:
			return strings.HasPrefix(text, prefix)
		default:
			return text == c.value || slices.Contains(strings.Fields(text), c.value)
		}
	})
}

// readQuery adds what a users query asks for.
func (l *userListing) readQuery(query string) error {
	all, err := clauses(query)
	for _, c := range all {
		match := userMatch(c)
		if match == nil {
			return badSearch()
		}
		if c.field == "email" && !strings.HasSuffix(c.value, "*") {
			l.exact = c.value
		}
		l.matches = append(l.matches, match)
	}
	return err
}

// userMatch is what a clause asks of a user; nil for a field that cannot be searched.
func userMatch(c clause) func(*store.User) bool {
	texts := map[string]func(*store.User) []string{
		"email":      (*store.User).Addresses,
		"name":       func(u *store.User) []string { return []string{u.Name} },
		"givenName":  func(u *store.User) []string { return []string{u.Given} },
		"familyName": func(u *store.User) []string { return []string{u.Surname} },
		"isSuspended": func(u *store.User) []string {
			return []string{strconv.FormatBool(u.Disabled)}
		},
		"isArchived": func(u *store.User) []string {
			return []string{strconv.FormatBool(u.Archived)}
		},
	}
	get := texts[c.field]
	if get == nil {
		return nil
	}
	return func(u *store.User) bool { return c.match(get(u)...) }
}

// groupMatch is userMatch for groups.
func groupMatch(v store.View, c clause) func(*store.Group) bool {
	switch c.field {
	case "email":
		return func(g *store.Group) bool { return c.match(g.Addresses()...) }
	case "name":
		return func(g *store.Group) bool { return c.match(g.Name) }
	case "memberKey":
		id := member(v, c.value)
		return func(g *store.Group) bool { return v.IsMember(g.ID, id) }
	default:
		return nil
	}
}
