package workspace

import (
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// Page sizes. Source: the discovery document.
const (
	usersPage, maxUsers = 100, 500
	maxGroups           = 200 // also of members, and what a page of either has unless it is asked for fewer
)

func showDeleted(q url.Values) bool { return strings.EqualFold(q.Get("showDeleted"), "true") }

// listUsers answers users.list.
func (s *Server) listUsers(c *call) error {
	size, err := s.pageSize(c, usersPage, maxUsers, true)
	if err != nil {
		return err
	}
	from, err := s.pageToken(c)
	if err != nil {
		return err
	}
	l, err := readUserListing(c)
	if err != nil {
		return err
	}
	out := object{"kind": "admin#directory#users"}
	page := []object{}
	err = s.view(c, func(v store.View) error {
		var last *store.User
		for u := range l.source(v, s, from) {
			if !l.wants(u) {
				continue
			}
			if len(page) == size {
				out["nextPageToken"] = s.next(from.List, l.name(last), store.Place{Address: last.UPN, ID: last.ID})
				break
			}
			page, last = append(page, user(c.tenant(), u)), u
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.items = len(page); c.items > 0 {
		out["users"] = page
	}
	return c.reply(listShape("users", userShape()), tagged(out))
}

// userListing is what a request lists.
type userListing struct {
	domain     string // empty for all
	deleted    bool
	descending bool
	order      string // email, givenName or familyName
	exact      string // the only address that can match, or ""
	matches    []func(*store.User) bool
}

func readUserListing(c *call) (userListing, error) {
	l := userListing{domain: strings.ToLower(c.query.Get("domain")), deleted: showDeleted(c.query), order: "email"}
	switch {
	case c.query.Get("customer") == "" && l.domain == "":
		return l, &googleerror.Error{Status: 400, Reason: "badRequest", Message: "Bad Request"}
	case l.domain != "" && !slices.Contains(c.tenant().Domains, l.domain):
		return l, &googleerror.Error{Status: 404, Reason: "notFound", Message: "Domain not found."}
	}
	if err := c.customer(); err != nil {
		return l, err
	}
	for name, allowed := range map[string][]string{
		"orderBy": {"email", "givenName", "familyName"}, "sortOrder": {"ASCENDING", "DESCENDING"},
		"projection": {"basic", "custom", "full"}, "viewType": {"admin_view", "domain_public"},
	} {
		if value := c.query.Get(name); value != "" && !slices.Contains(allowed, value) {
			return l, googleerror.InvalidParameter(name, value)
		}
	}
	if order := c.query.Get("orderBy"); order != "" {
		l.order, l.descending = order, c.query.Get("sortOrder") == "DESCENDING"
	}
	return l, l.readQuery(c.query.Get("query"))
}

func (l *userListing) wants(u *store.User) bool {
	if l.domain != "" && directory.Domain(u.UPN) != l.domain {
		return false
	}
	return !slices.ContainsFunc(l.matches, func(match func(*store.User) bool) bool { return !match(u) })
}

// name is what an entry is ordered by beside its address.
func (l *userListing) name(u *store.User) string {
	switch l.order {
	case "givenName":
		return strings.ToLower(u.Given)
	case "familyName":
		return strings.ToLower(u.Surname)
	default:
		return ""
	}
}

// source yields the users behind a token. By address it reads on from there; by name it has to sort them all.
func (l *userListing) source(v store.View, s *Server, from pageToken) iter.Seq[*store.User] {
	switch {
	case l.order != "email":
		return l.byName(v, s, from)
	case l.deleted:
		return v.DeletedUsers(from.place(), l.descending, s.Clock.Now())
	case l.exact != "":
		return func(yield func(*store.User) bool) {
			for _, id := range v.At(l.exact) {
				if u := v.User(id); u != nil && from.ID == "" && !yield(u) {
					return
				}
			}
		}
	default:
		return v.UsersByAddress(from.place(), l.descending)
	}
}

func (l *userListing) byName(v store.View, s *Server, from pageToken) iter.Seq[*store.User] {
	all := v.UsersByAddress(store.Place{}, false)
	if l.deleted {
		all = v.DeletedUsers(store.Place{}, false, s.Clock.Now())
	}
	sorted := slices.SortedStableFunc(all, func(a, b *store.User) int { return strings.Compare(l.name(a), l.name(b)) })
	if l.descending {
		slices.Reverse(sorted)
	}
	behind := func(u *store.User) bool {
		here, there := l.name(u)+"\x00"+u.UPN+"\x00"+u.ID, from.Name+"\x00"+from.Address+"\x00"+from.ID
		if l.descending {
			return here < there
		}
		return here > there
	}
	if from.ID == "" {
		return slices.Values(sorted)
	}
	return func(yield func(*store.User) bool) {
		for _, u := range sorted {
			if behind(u) && !yield(u) {
				return
			}
		}
	}
}

// getUser answers users.get.
func (s *Server) getUser(c *call) error {
	var out object
	err := s.view(c, func(v store.View) error {
		u, err := c.user(v, c.r.PathValue("userKey"))
		if err == nil {
			out = user(c.tenant(), u)
		}
		return err
	})
	if err != nil {
		return err
	}
	c.items = 1
	return c.reply(userShape(), out)
}
