package entra

import (
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// property is one property of a resource: how it is read, and which change of the object it shows.
type property[T any] struct {
	tracks store.Fields
	get    func(T) any // string, bool, []string, a time as string, or nil
}

// schema is one resource type. Properties with a nil getter are known to Graph but always null here.
type schema[T any] struct {
	name     string // e.g. user
	props    map[string]property[T]
	standard []string // what is told without $select
}

// odataType is what @odata.type says, e.g. #microsoft.graph.user.
func (s schema[T]) odataType() string { return "#microsoft.graph." + s.name }

// check returns Graph's error when a name is no property. Besides, extra names are allowed.
func (s schema[T]) check(names []string, extra ...string) error {
	for _, n := range names {
		if _, ok := s.props[n]; !ok && !slices.Contains(extra, n) {
			return badQuery("Parsing OData Select and Expand failed: Could not find a property named '%.60s' on type 'microsoft.graph.%s'.", n, s.name)
		}
	}
	return nil
}

// render makes the JSON object with the named properties, or the standard ones when names is nil. id is always there.
func (s schema[T]) render(obj T, names []string) map[string]any {
	if names == nil {
		names = s.standard
	}
	out := map[string]any{"id": s.props["id"].get(obj)}
	for _, n := range names {
		if p, ok := s.props[n]; ok {
			out[n] = p.value(obj)
		}
	}
	return out
}

func (p property[T]) value(obj T) any {
	if p.get == nil {
		return nil
	}
	return p.get(obj)
}

// tracked is the set of changes that a delta query for the names sees.
func (s schema[T]) tracked(names []string) store.Fields {
	if names == nil {
		names = s.standard
	}
	f := store.Existence
	for _, n := range names {
		f |= s.props[n].tracks
	}
	return f
}

// changed keeps the names whose value the fields may have changed.
func (s schema[T]) changed(names []string, fields store.Fields) []string {
	if names == nil {
		names = s.standard
	}
	out := []string{} // not nil: nil means all
	for _, n := range names {
		if fields&store.Existence != 0 || s.props[n].tracks&fields != 0 {
			out = append(out, n)
		}
	}
	return out
}

// lookup reads a property for a filter, which may be written in any case.
func (s schema[T]) lookup(obj T) func(string) any {
	return func(name string) any { return s.props[name].value(obj) }
}

// find returns the property's proper name.
func (s schema[T]) find(name string) (string, bool) {
	if _, ok := s.props[name]; ok {
		return name, true
	}
	for n := range s.props {
		if strings.EqualFold(n, name) {
			return n, true
		}
	}
	return "", false
}

func (s schema[T]) unknown(names ...string) schema[T] {
	for _, n := range names {
		s.props[n] = property[T]{}
	}
	return s
}
