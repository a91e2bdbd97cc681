package entra

import (
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// listing is a request for a page of users or groups, checked.
type listing[T any] struct {
	schema schema[T]
	names  []string // $select
	filter filter   // nil for all
	after  uint64   // sequence number of the last object of the page before
	size   int
}

// readListing checks the options of a list.
func readListing[T any](s *Server, c *call, schema schema[T]) (listing[T], error) {
	l := listing[T]{schema: schema, names: c.query.selection()}
	err := c.query.refuse("expand", "orderby", "search", "skip", "deltatoken")
	if err == nil {
		err = schema.check(l.names)
	}
	if err == nil {
		l.size, err = c.query.top(s.pageSize(listPage))
		l.size = c.shortened(l.size)
	}
	if err == nil && c.query.has("filter") {
		l.filter, err = c.filter(schema.find)
	}
	if err == nil && c.query.has("skiptoken") {
		if l.after, err = strconv.ParseUint(c.query.get("skiptoken"), 16, 64); err != nil {
			err = &apiError{status: http.StatusBadRequest, code: "Directory_ExpiredPageToken", message: "The specified page token value is not valid."}
		}
	}
	return l, err
}

// filter reads $filter and checks that the request may use it.
func (c *call) filter(find func(string) (string, bool)) (filter, error) {
	f, err := parseFilter(c.query.get("filter"), find)
	if err != nil {
		return nil, err
	}
	if f.advanced() && !(c.eventual() && c.counts()) {
		return nil, unsupportedQuery("Unsupported Query. The filter needs the header ConsistencyLevel: eventual and $count=true.")
	}
	return f, nil
}

func (l listing[T]) matches(obj T) bool {
	return l.filter == nil || l.filter.match(l.schema.lookup(obj))
}

// page answers one page of all, which yields the live objects behind l.after.
func (l listing[T]) page(c *call, entity string, all iter.Seq2[uint64, T], count func() int) map[string]any {
	values := []any{}
	out := map[string]any{"@odata.context": c.context(entity, l.names)}
	var last uint64
	for seq, obj := range all {
		if !l.matches(obj) {
			continue
		}
		if len(values) == l.size {
			out["@odata.nextLink"] = c.next(strconv.FormatUint(last, 16))
			break
		}
		values = append(values, l.schema.render(obj, l.names))
		last = seq
	}
	if c.counts() && c.eventual() && l.after == 0 {
		out["@odata.count"] = count()
	}
	out["value"] = values
	c.served.Items += len(values)
	return out
}

func (l listing[T]) count(all iter.Seq2[uint64, T]) int {
	n := 0
	for _, obj := range all {
		if l.matches(obj) {
			n++
		}
	}
	return n
}

// context is what @odata.context says of a collection with the selected properties.
func (c *call) context(entity string, names []string) string {
	out := c.base() + "/$metadata#" + entity
	if names != nil {
		out += "(" + strings.Join(names, ",") + ")"
	}
	return out
}

// userSource yields live users behind a sequence number: those at the filter's addresses, when it names some, or all.
func userSource(v store.View, f filter, after uint64) iter.Seq2[uint64, *store.User] {
	return func(yield func(uint64, *store.User) bool) {
		source := v.Users(after)
		if values, ok := candidates(f); ok {
			source = picked(v, values, after, v.User, func(u *store.User) uint64 { return u.Seq })
		}
		for u := range source {
			if u.Live() && !yield(u.Seq, u) {
				return
			}
		}
	}
}

// groupSource is userSource for groups.
func groupSource(v store.View, f filter, after uint64) iter.Seq2[uint64, *store.Group] {
	return func(yield func(uint64, *store.Group) bool) {
		source := v.Groups(after)
		if values, ok := candidates(f); ok {
			source = picked(v, values, after, v.Group, func(g *store.Group) uint64 { return g.Seq })
		}
		for g := range source {
			if g.Live() && !yield(g.Seq, g) {
				return
			}
		}
	}
}

func candidates(f filter) ([]string, bool) {
	if f == nil {
		return nil, false
	}
	return f.equals()
}

// picked yields the objects with the ids or addresses, once each, in the order of their sequence numbers.
func picked[T comparable](v store.View, values []string, after uint64, byID func(string) T, seq func(T) uint64) iter.Seq[T] {
	var none T
	bySeq := map[uint64]T{}
	for _, value := range values {
		for _, id := range append([]string{strings.ToLower(value)}, v.At(value)...) {
			if obj := byID(id); obj != none && seq(obj) > after {
				bySeq[seq(obj)] = obj
			}
		}
	}
	return func(yield func(T) bool) {
		for _, k := range sortedKeys(bySeq) {
			if !yield(bySeq[k]) {
				return
			}
		}
	}
}
