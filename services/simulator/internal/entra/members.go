package entra

import (
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// memberListing is a request for a page of a group's members, checked.
type memberListing struct {
	names      []string
	cast       string // user, group or "" for all
	after      uint64
	size       int
	transitive bool
	limited    bool // the app may see members' ids only
}

// members answers GET /groups/{id}/members and /transitiveMembers, with or without a cast.
// Source: learn.microsoft.com/graph/api/group-list-members and group-list-transitivemembers.
func (s *Server) members(transitive bool) handler {
	return func(c *call) error {
		l, err := s.readMembers(c)
		if err != nil {
			return err
		}
		l.transitive = transitive
		var out map[string]any
		err = s.view(c, nil, func(v store.View) error {
			g, err := liveGroup(v, c.r.PathValue("id"))
			if err != nil {
				return err
			}
			if g.Hidden && !allowed(c.tenant.App.Permissions, readHidden) {
				out = map[string]any{"@odata.context": c.context("directoryObjects", l.names), "value": []any{}}
				return nil
			}
			out = l.page(c, v, g.ID)
			return nil
		})
		if err != nil {
			return err
		}
		return c.reply(http.StatusOK, out)
	}
}

func (s *Server) readMembers(c *call) (memberListing, error) {
	l := memberListing{names: c.query.selection(), limited: !allowed(c.tenant.App.Permissions, readUsers)}
	if err := c.query.refuse("expand", "orderby", "search", "skip", "filter"); err != nil {
		return l, err
	}
	if cast := c.r.PathValue("cast"); cast != "" {
		l.cast = strings.TrimPrefix(cast, "microsoft.graph.")
		if l.cast != users.name && l.cast != groups.name {
			return l, badQuery("Resource not found for the segment '%.60s'.", cast)
		}
		if !c.eventual() || !c.counts() {
			return l, unsupportedQuery("Unsupported Query. An OData cast needs the header ConsistencyLevel: eventual and $count=true.")
		}
	}
	for _, n := range l.names {
		if users.check([]string{n}) != nil && groups.check([]string{n}) != nil {
			return l, badQuery("Parsing OData Select and Expand failed: Could not find a property named '%.60s' on type 'microsoft.graph.directoryObject'.", n)
		}
	}
	var err error
	if l.size, err = c.query.top(s.pageSize(listPage)); err != nil {
		return l, err
	}
	l.size = c.shortened(l.size)
	if c.query.has("skiptoken") {
		if l.after, err = strconv.ParseUint(c.query.get("skiptoken"), 16, 64); err != nil {
			return l, &apiError{status: http.StatusBadRequest, code: "Directory_ExpiredPageToken", message: "The specified page token value is not valid."}
		}
	}
	return l, nil
}

// source yields the ids behind l.after with the number that a page token may carry.
func (l memberListing) source(v store.View, group string, after uint64) iter.Seq2[uint64, string] {
	if !l.transitive {
		return v.Members(group, after)
	}
	return func(yield func(uint64, string) bool) {
		for i, id := range v.Transitive(group) {
			if n := uint64(i + 1); n > after && !yield(n, id) {
				return
			}
		}
	}
}

func (l memberListing) wants(v store.View, id string) bool {
	switch l.cast {
	case users.name:
		return v.User(id) != nil
	case groups.name:
		return v.Group(id) != nil
	}
	return true
}

func (l memberListing) page(c *call, v store.View, group string) map[string]any {
	values := []any{}
	entity := "directoryObjects"
	if l.cast != "" {
		entity = l.cast + "s"
	}
	out := map[string]any{"@odata.context": c.context(entity, l.names)}
	var last uint64
	for n, id := range l.source(v, group, l.after) {
		if !l.wants(v, id) {
			continue
		}
		if len(values) == l.size {
			out["@odata.nextLink"] = c.next(strconv.FormatUint(last, 16))
			break
		}
		values = append(values, l.render(v, id))
		last = n
	}
	if c.counts() && c.eventual() && l.after == 0 {
		count := 0
		for _, id := range l.source(v, group, 0) {
			if l.wants(v, id) {
				count++
			}
		}
		out["@odata.count"] = count
	}
	out["value"] = values
	c.served.Items += len(values)
	return out
}

// render shows a member. An app that may not read the member's type gets its type and id, and null for the rest.
func (l memberListing) render(v store.View, id string) map[string]any {
	var out map[string]any
	if u := v.User(id); u != nil {
		out = users.render(u, l.names)
		if l.limited {
			for name := range out {
				out[name] = nil
			}
			out["id"] = u.ID
		}
		out["@odata.type"] = users.odataType()
		return out
	}
	out = groups.render(v.Group(id), l.names)
	out["@odata.type"] = groups.odataType()
	return out
}
