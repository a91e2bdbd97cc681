package workspace

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// listGroups answers groups.list.
func (s *Server) listGroups(c *call) error {
	size, err := s.pageSize(c, maxGroups, maxGroups, false)
	if err != nil {
		return err
	}
	from, err := s.pageToken(c)
	if err != nil {
		return err
	}
	l, err := readGroupListing(c)
	if err != nil {
		return err
	}
	out, page := object{"kind": "admin#directory#groups"}, []object{}
	err = s.view(c, func(v store.View) error {
		source, err := l.source(c, v, from.place())
		if err != nil {
			return err
		}
		var last *store.Group
		for g := range source {
			if len(page) == size {
				out["nextPageToken"] = s.next(from.List, "", store.Place{Address: last.Mail, ID: last.ID})
				break
			}
			page, last = append(page, group(c.tenant(), v, g)), g
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.items = len(page); c.items > 0 {
		out["groups"] = page
	}
	return c.reply(listShape("groups", groupShape()), tagged(out))
}

// groupListing is what a request lists.
type groupListing struct {
	domain, userKey string
	descending      bool
	query           []clause
}

func readGroupListing(c *call) (groupListing, error) {
	l := groupListing{domain: strings.ToLower(c.query.Get("domain")), userKey: c.query.Get("userKey")}
	customer := c.query.Get("customer")
	switch {
	case customer == "" && l.domain == "" && l.userKey == "", customer != "" && l.userKey != "":
		return l, &googleerror.Error{Status: 400, Reason: "badRequest", Message: "Bad Request"}
	case l.domain != "" && !slices.Contains(c.tenant().Domains, l.domain):
		return l, &googleerror.Error{Status: 404, Reason: "notFound", Message: "Domain not found."}
	}
	if err := c.customer(); err != nil {
		return l, err
	}
	for name, allowed := range map[string][]string{"orderBy": {"email"}, "sortOrder": {"ASCENDING", "DESCENDING"}} {
		if value := c.query.Get(name); value != "" && !slices.Contains(allowed, value) {
			return l, googleerror.InvalidParameter(name, value)
		}
	}
	l.descending = c.query.Get("orderBy") != "" && c.query.Get("sortOrder") == "DESCENDING"
	var err error
	l.query, err = clauses(c.query.Get("query"))
	return l, err
}

// source yields the groups behind a place that the request wants.
func (l groupListing) source(c *call, v store.View, from store.Place) (iter.Seq[*store.Group], error) {
	all := v.GroupsByAddress(from, l.descending)
	if l.userKey != "" {
		of, err := l.ofMember(c, v)
		if err != nil {
			return nil, err
		}
		all = behind(of, from, l.descending)
	}
	var matches []func(*store.Group) bool
	for _, part := range l.query {
		match := groupMatch(v, part)
		if match == nil {
			return nil, badSearch()
		}
		matches = append(matches, match)
	}
	return func(yield func(*store.Group) bool) {
		for g := range all {
			if l.domain != "" && directory.Domain(g.Mail) != l.domain {
				continue
			}
			if slices.ContainsFunc(matches, func(match func(*store.Group) bool) bool { return !match(g) }) {
				continue
			}
			if !yield(g) {
				return
			}
		}
	}, nil
}

// ofMember returns the groups that the user, or group, with the key is a direct member of.
func (l groupListing) ofMember(c *call, v store.View) ([]*store.Group, error) {
	id := member(v, l.userKey)
	if u, g := v.User(id), v.Group(id); (u == nil || !u.Live()) && g == nil && v.Outsider(id) == nil {
		_, err := c.user(v, l.userKey)
		return nil, err
	}
	var out []*store.Group
	for _, g := range v.GroupsOf(id) {
		out = append(out, v.Group(g))
	}
	return out, nil
}

func behind(groups []*store.Group, from store.Place, descending bool) iter.Seq[*store.Group] {
	compare := func(a, b *store.Group) int {
		return cmp.Or(strings.Compare(a.Mail, b.Mail), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(groups, compare)
	if descending {
		slices.Reverse(groups)
	}
	last := &store.Group{Mail: from.Address, ID: from.ID}
	return func(yield func(*store.Group) bool) {
		for _, g := range groups {
			passed := from.ID != "" && (compare(g, last) <= 0) != descending
			if from.ID != "" && g.ID == from.ID || passed {
				continue
			}
			if !yield(g) {
				return
			}
		}
	}
}

// getGroup answers groups.get.
func (s *Server) getGroup(c *call) error {
	var out object
	err := s.view(c, func(v store.View) error {
		g, err := c.group(v, c.r.PathValue("groupKey"))
		if err == nil {
			out = group(c.tenant(), v, g)
		}
		return err
	})
	if err != nil {
		return err
	}
	c.items = 1
	return c.reply(groupShape(), out)
}
