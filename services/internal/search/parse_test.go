package search_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/search"
)

func is(s search.State) search.Term { return search.Term{Field: search.Is, Value: string(s)} }

func word(s string) search.Term { return search.Term{Value: s, Prefix: true} }

func TestParse(t *testing.T) {
	t.Parallel()
	dan := search.Term{Field: search.Email, Value: "dan", Prefix: true}
	for expression, want := range map[string]search.Node{
		"":                               nil,
		"  \t":                           nil,
		"email:dan* AND is:licensed":     search.All{dan, is(search.Licensed)},
		"EMAIL:dan* and IS:Licensed":     search.All{dan, is(search.Licensed)},
		"email:dan* is:licensed":         search.All{dan, is(search.Licensed)},
		"email:dan@contoso.com":          search.Term{Field: search.Email, Value: "dan@contoso.com"},
		"is:activated":                   is(search.Activated),
		"dana":                           word("dana"),
		"dana*":                          word("dana"),
		`"dana s"`:                       word("dana s"),
		`name:"Dana S"*`:                 search.Term{Field: search.Name, Value: "Dana S", Prefix: true},
		`name:"a \"b\" \\ * \c"`:         search.Term{Field: search.Name, Value: `a "b" \ * \c`},
		`"AND"`:                          word("AND"),
		`android`:                        word("android"),
		"group:team@contoso.com":         search.Term{Field: search.Group, Value: "team@contoso.com"},
		"reason:Not-A-Member":            search.Term{Field: search.Reason, Value: "not-a-member"},
		"id:a:b":                         search.Term{Field: search.ID, Value: "a:b"},
		"a b OR c":                       search.Any{search.All{word("a"), word("b")}, word("c")},
		"a (b OR c)":                     search.All{word("a"), search.Any{word("b"), word("c")}},
		"(a)(b)":                         search.All{word("a"), word("b")},
		"a AND (b AND c)":                search.All{word("a"), word("b"), word("c")},
		"a OR (b OR (c))":                search.Any{word("a"), word("b"), word("c")},
		"NOT is:guest":                   search.Not{Node: is(search.Guest)},
		"not not a b":                    search.All{search.Not{Node: search.Not{Node: word("a")}}, word("b")},
		"NOT (a OR b)":                   search.Not{Node: search.Any{word("a"), word("b")}},
		"is:suspended or is:held or a b": search.Any{is(search.Suspended), is(search.Held), search.All{word("a"), word("b")}},
	} {
		got, err := search.Parse(expression)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", expression, err, diff)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"is:licenced":    `at character 4: found "licenced", want one of activated, active, archived, deleted, guest, held, licensed, suspended, waiting`,
		"ü is:x":         `at character 6: found "x", want one of activated, active, archived, deleted, guest, held, licensed, suspended, waiting`,
		"mail:a":         `at character 1: found "mail:", want one of email, group, id, is, name, reason, or quotes around what has a colon`,
		":a":             `at character 1: found ":", want a field before the colon: one of email, group, id, is, name, reason`,
		"a AND":          `at character 6: found the end, want a word, a field such as email:, NOT or (`,
		"a OR OR b":      `at character 6: found "OR", want a word, a field such as email:, NOT or (`,
		"AND a":          `at character 1: found "AND", want a word, a field such as email:, NOT or (`,
		"(a":             `at character 3: found the end, want the ) of the ( at character 1`,
		"a)":             `at character 2: found ")", want AND, OR or the end`,
		"()":             `at character 2: found ")", want a word, a field such as email:, NOT or (`,
		`name:"a`:        `at character 8: found the end, want the end of the quotes that begin at character 6`,
		"email:":         `at character 7: found "", want something to look for`,
		"*":              `at character 1: found "*", want something to look for`,
		"em*il":          `at character 4: found "i", want a space, or the end: a * can only be the last of a term, and quotes are around all of a value`,
		`a"b"`:           `at character 2: found "\"", want a space, or the end: a * can only be the last of a term, and quotes are around all of a value`,
		"group:a*":       `at character 7: found "a*", want no * here: group: takes a whole value`,
		"is:licensed*":   `at character 4: found "licensed*", want no * here: is: takes a whole value`,
		"NOT":            `at character 4: found the end, want a word, a field such as email:, NOT or (`,
		"a AND NOT OR b": `at character 11: found "OR", want a word, a field such as email:, NOT or (`,

		strings.Repeat("a", search.MaxLength+1):       `at character 1: found 1001 bytes, want at most 1000`,
		strings.Repeat("a ", search.MaxTerms+1):       `at character 65: found "a", want at most 32 terms`,
		strings.Repeat("(", search.MaxDepth+1):        `at character 14: found the end, want at most 12 parentheses and NOTs around a term`,
		strings.Repeat("NOT ", search.MaxDepth+1):     `at character 53: found the end, want at most 12 parentheses and NOTs around a term`,
		"a (b OR " + strings.Repeat("NOT (", 5) + "c": `at character 35: found the end, want the ) of the ( at character 33`,
	} {
		n, err := search.Parse(expression)
		var e *search.Error
		if !errors.As(err, &e) || err.Error() != want || n != nil {
			t.Errorf("%s: %v, %v\nwant %s", expression, n, err, want)
		}
	}
}
