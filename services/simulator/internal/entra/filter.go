package entra

import (
	"slices"
	"strings"
)

// filter is a parsed $filter. lookup gives a property's value: a string, a bool, a []string or nil.
type filter interface {
	match(lookup func(string) any) bool
	// advanced reports whether it needs ConsistencyLevel: eventual.
	advanced() bool
	// equals lists values of which at least one is the id or an address of every object that matches; false when that
	// cannot be said, and all objects have to be looked at.
	equals() ([]string, bool)
}

type (
	both   struct{ left, right filter }
	either struct{ left, right filter }
	negate struct{ inner filter }
	// test compares a property, or with some set each of a property's elements.
	test struct {
		prop   string
		op     string // eq, ne, startswith, endswith or in
		values []any  // string, bool or nil; one of them, but for in
		some   bool
	}
)

func (f both) match(l func(string) any) bool   { return f.left.match(l) && f.right.match(l) }
func (f both) advanced() bool                  { return f.left.advanced() || f.right.advanced() }
func (f either) match(l func(string) any) bool { return f.left.match(l) || f.right.match(l) }
func (f either) advanced() bool                { return f.left.advanced() || f.right.advanced() }
func (f negate) match(l func(string) any) bool { return !f.inner.match(l) }
func (f negate) advanced() bool                { return true }
func (f negate) equals() ([]string, bool)      { return nil, false }

func (f both) equals() ([]string, bool) {
	if values, ok := f.left.equals(); ok {
		return values, true
	}
	return f.right.equals()
}

func (f either) equals() ([]string, bool) {
	left, ok := f.left.equals()
	if !ok {
		return nil, false
	}
	right, ok := f.right.equals()
	return append(left, right...), ok
}

func (f test) advanced() bool { return f.op == "ne" || f.op == "endswith" }

func (f test) equals() ([]string, bool) {
	if f.op != "eq" && f.op != "in" || !slices.Contains([]string{"id", "mail", "userPrincipalName", "proxyAddresses"}, f.prop) {
		return nil, false
	}
	var out []string
	for _, v := range f.values {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

func (f test) match(lookup func(string) any) bool {
	value := lookup(f.prop)
	if !f.some {
		return f.holds(value)
	}
	elements, _ := value.([]string)
	return slices.ContainsFunc(elements, func(e string) bool { return f.holds(e) })
}

func (f test) holds(value any) bool {
	switch f.op {
	case "eq", "in":
		return slices.ContainsFunc(f.values, func(want any) bool { return f.same(value, want) })
	case "ne":
		return !f.same(value, f.values[0])
	}
	have, ok := value.(string)
	want, _ := f.values[0].(string)
	if !ok {
		return false
	}
	have, want = strings.ToLower(have), strings.ToLower(want)
	if f.op == "startswith" {
		return strings.HasPrefix(have, want)
	}
	return strings.HasSuffix(have, want)
}

// same compares as the directory does: strings without regard to case. The prefix of a proxy address keeps its case,
// the stricter of the readings that Microsoft's texts allow: "SMTP:" is the primary address, "smtp:" any other.
func (f test) same(have, want any) bool {
	h, ok := have.(string)
	if !ok {
		return have == want
	}
	w, ok := want.(string)
	if !ok {
		return false
	}
	if f.prop == "proxyAddresses" {
		hp, _, _ := strings.Cut(h, ":")
		wp, _, _ := strings.Cut(w, ":")
		if hp != wp {
			return false
		}
	}
	return strings.ToLower(h) == strings.ToLower(w) //nolint:staticcheck // as addresses are looked up, which folding is not
}
