package entra

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func sortedKeys[T any](m map[uint64]T) []uint64 { return slices.Sorted(maps.Keys(m)) }

func (s *Server) listUsers(c *call) error {
	l, err := readListing(s, c, users)
	if err != nil {
		return err
	}
	var out map[string]any
	err = s.view(c, nil, func(v store.View) error {
		out = l.page(c, "users", userSource(v, l.filter, l.after), func() int { return l.count(userSource(v, l.filter, 0)) })
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}

func (s *Server) countUsers(c *call) error {
	if !c.eventual() {
		return badQuery("The request is missing the header ConsistencyLevel: eventual.")
	}
	n := 0
	err := s.view(c, nil, func(v store.View) error {
		for range userSource(v, nil, 0) {
			n++
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "text/plain")
	_, _ = c.w.Write([]byte(strconv.Itoa(n)))
	return nil
}

// getUser reads one user by id or userPrincipalName.
func (s *Server) getUser(c *call) error {
	names := c.query.selection()
	if err := users.check(names); err != nil {
		return err
	}
	var out map[string]any
	err := s.view(c, nil, func(v store.View) error {
		id := strings.ToLower(c.r.PathValue("id"))
		u := v.User(id)
		if strings.Contains(id, "@") {
			for _, at := range v.At(id) {
				if found := v.User(at); found != nil && strings.EqualFold(found.UPN, id) {
					u = found
				}
			}
		}
		if u == nil || !u.Live() {
			return noResource(c.r.PathValue("id"))
		}
		out = users.render(u, names)
		return nil
	})
	if err != nil {
		return err
	}
	out["@odata.context"] = c.context("users", names) + "/$entity"
	c.served.Items = 1
	return c.reply(http.StatusOK, out)
}

func (s *Server) listGroups(c *call) error {
	l, err := readListing(s, c, groups)
	if err != nil {
		return err
	}
	var out map[string]any
	err = s.view(c, nil, func(v store.View) error {
		out = l.page(c, "groups", groupSource(v, l.filter, l.after), func() int { return l.count(groupSource(v, l.filter, 0)) })
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}

func (s *Server) getGroup(c *call) error {
	names := c.query.selection()
	if err := groups.check(names); err != nil {
		return err
	}
	var out map[string]any
	err := s.view(c, nil, func(v store.View) error {
		g, err := liveGroup(v, c.r.PathValue("id"))
		if err != nil {
			return err
		}
		out = groups.render(g, names)
		return nil
	})
	if err != nil {
		return err
	}
	out["@odata.context"] = c.context("groups", names) + "/$entity"
	c.served.Items = 1
	return c.reply(http.StatusOK, out)
}

func liveGroup(v store.View, id string) (*store.Group, error) {
	g := v.Group(strings.ToLower(id))
	if g == nil || !g.Live() {
		return nil, noResource(id)
	}
	return g, nil
}
