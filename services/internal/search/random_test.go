package search_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// drawNode draws a tree as Parse makes them.
func drawNode(t *rapid.T, depth int) search.Node {
	switch kind := rapid.IntRange(0, 6).Draw(t, "kind"); {
	case depth == 0 || kind < 3:
		return drawTerm(t)
	case kind == 3:
		return search.Not{Node: drawNode(t, depth-1)}
	case kind == 4:
		return search.Any(drawParts(t, depth, func(n search.Node) bool { _, same := n.(search.Any); return same }))
	default:
		return search.All(drawParts(t, depth, func(n search.Node) bool { _, same := n.(search.All); return same }))
	}
}

func drawParts(t *rapid.T, depth int, same func(search.Node) bool) (parts []search.Node) {
	for range rapid.IntRange(2, 3).Draw(t, "parts") {
		n := drawNode(t, depth-1)
		for same(n) {
			n = drawTerm(t)
		}
		parts = append(parts, n)
	}
	return parts
}

func drawTerm(t *rapid.T) search.Term {
	text := rapid.OneOf(
		rapid.SampledFrom([]string{"and", "Or", "NOT", "a:b", "(", `"`, `\`, `\"`, "a*", "*", "a b", "\t", "ü", "\u2028x", "is:x"}),
		rapid.StringN(1, 4, -1),
	).Filter(func(s string) bool { _, err := search.Parse("id:" + search.Term{Value: s}.String()); return err == nil })
	switch f := rapid.SampledFrom([]search.Field{search.Word, search.Name, search.Email, search.ID, search.Group, search.Is}).Draw(t, "field"); f {
	case search.Word:
		return word(text.Draw(t, "word"))
	case search.Is:
		return is(rapid.SampledFrom(search.States).Draw(t, "state"))
	case search.Name, search.Email:
		return search.Term{Field: f, Value: text.Draw(t, "value"), Prefix: rapid.Bool().Draw(t, "prefix")}
	default:
		return search.Term{Field: f, Value: text.Draw(t, "value")}
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawNode(t, 3)
		text := want.String()
		if len(text) > search.MaxLength {
			t.Skip()
		}
		got, err := search.Parse(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%s: %v\n%s", text, err, diff)
		}
	})
}

// Whatever is typed is read or refused, and what was read is written so that it means the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"email:dan* AND is:licensed", `NOT (a OR name:"b \" c"*)`, "((", "a:b:c", `"`, "\xff(", "is:LICENSED", "reason:\u0130"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := search.Parse(s)
		if err != nil || n == nil {
			return
		}
		text := n.String()
		if len(text) > search.MaxLength {
			return // parentheses and quotes that it did without
		}
		again, err := search.Parse(text)
		if diff := cmp.Diff(n, again); diff != "" || err != nil {
			t.Errorf("%q was read as %q: %v\n%s", s, text, err, diff)
		}
	})
}

func TestMentions(t *testing.T) {
	t.Parallel()
	deleted := func(t search.Term) bool { return t == is(search.Deleted) }
	for expression, want := range map[string]bool{
		"": false, "is:deleted": true, "deleted": false, "a AND NOT is:deleted": true, "a OR (b AND is:deleted)": true, "a OR NOT b": false,
	} {
		n, err := search.Parse(expression)
		if got := search.Mentions(n, deleted); got != want || err != nil {
			t.Errorf("%s: %v, %v", expression, got, err)
		}
	}
}
