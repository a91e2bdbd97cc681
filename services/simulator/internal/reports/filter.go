package reports

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
)

// filter says which activities are asked for by what happened in them.
type filter struct {
	event     string // empty for any
	address   string // of the actor's machine; empty for any
	relations []relation
}

// relation is one part of the parameter filters: an event's parameter, an operator and a value.
type relation struct{ name, operator, value string }

var relations = regexp.MustCompile(`^([^=<>,]+)(==|<>|<=|>=|<|>)(.*)$`)

// readFilter reads the three parameters that filter by event. A parameter of an event that is named twice counts as it is
// named last.
func readFilter(event, filters, address string) (filter, error) {
	f := filter{event: event, address: address}
	if filters == "" {
		return f, nil
	}
	for part := range strings.SplitSeq(filters, ",") {
		m := relations.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return filter{}, googleerror.InvalidParameter("filters", filters)
		}
		f.relations = append(without(f.relations, m[1]), relation{name: m[1], operator: m[2], value: m[3]})
	}
	return f, nil
}

func without(all []relation, name string) []relation {
	var out []relation
	for _, r := range all {
		if r.name != name {
			out = append(out, r)
		}
	}
	return out
}

// match returns the name of the first event that is asked for. All events of the activity are told then.
func (f filter) match(a activity) (string, bool) {
	if f.address != "" && f.address != actorAddress {
		return "", false
	}
	for _, e := range a.events {
		if (f.event == "" || f.event == e.Name) && f.holds(e) {
			return e.Name, true
		}
	}
	return "", false
}

// holds reports whether every relation is true of the event. One about a parameter that the event has not is false.
func (f filter) holds(e event) bool {
	for _, r := range f.relations {
		found := false
		for _, p := range e.Parameters {
			found = found || p.Name == r.name && r.holds(p)
		}
		if !found {
			return false
		}
	}
	return true
}

func (r relation) holds(p parameter) bool {
	order := strings.Compare(p.Value, r.value)
	if n, err := strconv.ParseInt(p.IntValue, 10, 64); err == nil {
		want, err := strconv.ParseInt(r.value, 10, 64)
		if err != nil {
			return false
		}
		order = cmp.Compare(n, want)
	}
	switch r.operator {
	case "==":
		return order == 0
	case "<>":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}
