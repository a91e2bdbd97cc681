package entra

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// maxFilterIDs is how many objects a delta query may be confined to.
// Source: learn.microsoft.com/graph/api/group-delta.
const maxFilterIDs = 50

// round is one request of a delta query under way.
type round struct {
	deltaToken
	view    store.View
	size    int // objects on a page
	members int // members on a page
	minimal bool
	values  []any
	linked  int // members in values
}

func (s *Server) usersDelta(c *call) error {
	return s.delta(c, "users", users.find, func(names []string) error { return users.check(names) })
}

func (s *Server) groupsDelta(c *call) error {
	return s.delta(c, "groups", groups.find, func(names []string) error { return groups.check(names, "members") })
}

// delta answers one page. Sources: learn.microsoft.com/graph/delta-query-overview, api/user-delta, api/group-delta.
func (s *Server) delta(c *call, resource string, find func(string) (string, bool), check func([]string) error) error {
	if err := c.query.refuse("expand", "top", "orderby", "search", "skip", "count"); err != nil {
		return err
	}
	token, err := s.readDelta(c, resource, find)
	if err != nil {
		return err
	}
	if err := check(token.Select); err != nil {
		return err
	}
	r := round{deltaToken: token, size: c.shortened(s.pageSize(deltaPage)), members: s.pageSize(deltaPageMember), values: []any{}}
	r.minimal = strings.Contains(c.r.Header.Get("Prefer"), "return=minimal") && c.query.has("deltatoken")
	out := map[string]any{"@odata.context": c.context(resource, token.Select)}
	err = s.view(c, token.shownBy, func(v store.View) error {
		if token.Issued != 0 && (token.stale(v, s.now()) || c.spoil.Kind == control.Expired) {
			return gone(restart(c, resource, token))
		}
		r.view = v
		if c.short && c.spoil.Choice%2 == 0 {
			r.size = 0
		}
		kind := s.step(c, &r)
		c.more = kind == "next"
		out["@odata."+kind+"Link"] = r.link(c)
		return nil
	})
	if err != nil {
		return err
	}
	if r.minimal {
		c.w.Header().Set("Preference-Applied", "return=minimal")
	}
	out["value"] = r.values
	c.served.Items, c.served.Members = len(r.values), r.linked
	return c.reply(http.StatusOK, out)
}

// step reads one page into r.values, moves r's token on, and says which link leads on: "next" or "delta".
func (s *Server) step(c *call, r *round) string {
	now := r.view.VersionAt(s.now().Add(-s.Settings().DeltaLag))
	fresh := r.Issued == 0
	r.Issued, r.Generation = s.now().Unix(), r.view.Tenant().TokenGeneration
	switch {
	case fresh && c.query.get("deltatoken") == "latest":
		r.From, r.Phase = now, phaseEnded
		return "delta"
	case fresh:
		r.From = now
	case r.Phase == phaseEnded:
		r.Phase, r.To, r.Offset = phaseRound, max(now, r.From), 0
	}
	more := false
	switch {
	case r.Phase == phaseRound:
		more = r.changes()
	case r.Resource == "users":
		more = r.initialUsers()
	default:
		more = r.initialGroups()
	}
	if more {
		r.Page++
		return "next"
	}
	if r.Phase == phaseRound {
		r.From = r.To
	}
	r.Phase, r.To, r.Offset, r.Page, r.Seq, r.Group, r.Member = phaseEnded, 0, 0, 0, 0, "", 0
	return "delta"
}

// readDelta makes a token of the request: the one in it, or a fresh one of its options.
func (s *Server) readDelta(c *call, resource string, find func(string) (string, bool)) (deltaToken, error) {
	if c.query.get("skiptoken") != "" || (c.query.get("deltatoken") != "" && c.query.get("deltatoken") != "latest") {
		return continued(c, resource)
	}
	t := deltaToken{Tenant: c.tenant.DirectoryID, Resource: resource, Phase: phaseInitial, Select: c.query.selection()}
	if !c.query.has("filter") {
		return t, nil
	}
	f, err := parseFilter(c.query.get("filter"), find)
	if err != nil {
		return t, err
	}
	ids, ok := onlyIDs(f)
	if !ok {
		return t, unsupportedQuery("The only filter that delta supports is on id.")
	}
	if t.IDs = distinct(ids); len(ids) > maxFilterIDs {
		return t, badRequest("The filter names %d objects; at most %d are supported.", len(ids), maxFilterIDs)
	}
	return t, nil
}

func continued(c *call, resource string) (deltaToken, error) {
	raw, want := c.query.get("skiptoken"), "skiptoken"
	if raw == "" {
		raw, want = c.query.get("deltatoken"), "deltatoken"
	}
	t, err := parseDeltaToken(raw)
	if err != nil || t.Resource != resource || t.Tenant != c.tenant.DirectoryID || (want == "deltatoken") != (t.Phase == phaseEnded) {
		return t, badRequest("Badly formed token.")
	}
	if c.query.has("filter") || c.query.has("select") {
		return t, badRequest("The query options are in the token and must not be given again.")
	}
	return t, nil
}

// link is the address that goes on from the token.
func (r *round) link(c *call) string {
	name := "$skiptoken"
	if r.Phase == phaseEnded {
		name = "$deltatoken"
	}
	return c.base() + "/" + r.Resource + "/delta?" + name + "=" + r.String()
}

// restart is the address that starts a query over with the options of the token.
func restart(c *call, resource string, t deltaToken) string {
	values := url.Values{"$deltatoken": {""}}
	if t.Select != nil {
		values.Set("$select", strings.Join(t.Select, ","))
	}
	if len(t.IDs) > 0 {
		values.Set("$filter", "id eq '"+strings.Join(t.IDs, "' or id eq '")+"'")
	}
	return c.base() + "/" + resource + "/delta?" + encode(values)
}
