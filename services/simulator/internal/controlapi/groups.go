package controlapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func (s *Server) groupRoutes(mux *http.ServeMux) {
	s.tenantRoute(mux, "GET", "/groups", func(_ *http.Request, t store.Tenant) (any, error) {
		out := []control.Group{}
		return &out, s.Store.View(t.DirectoryID, func(v store.View) error {
			for g := range v.Groups(0) {
				out = append(out, showGroup(v, g))
			}
			return nil
		})
	})
	s.tenantRoute(mux, "POST", "/groups", s.addGroup)
	s.groupRoute(mux, "GET", "", func(_ *http.Request, t store.Tenant, id string) (any, error) {
		var out control.Group
		return &out, s.Store.View(t.DirectoryID, func(v store.View) error { out = showGroup(v, v.Group(id)); return nil })
	})
	s.groupRoute(mux, "DELETE", "", func(r *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.as(r).DeleteGroup(t.DirectoryID, id))
	})
	s.groupRoute(mux, "POST", "/restore", func(r *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.as(r).RestoreGroup(t.DirectoryID, id))
	})
	s.groupRoute(mux, "POST", "/purge", func(r *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.as(r).Purge(t.DirectoryID, id))
	})
	s.groupRoute(mux, "POST", "/rename", s.renameGroup)
	s.groupRoute(mux, "POST", "/aliases", s.addGroupAlias)
	s.groupRoute(mux, "DELETE", "/aliases/{alias}", func(r *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.as(r).EditGroup(t.DirectoryID, id, func(g *store.Group) { g.Proxies = without(g.Proxies, r) }))
	})
	s.memberRoutes(mux)
}

// groupRoute is tenantRoute below /groups/{group}, with the group found by id or address.
func (s *Server) groupRoute(mux *http.ServeMux, method, path string, f func(*http.Request, store.Tenant, string) (any, error)) {
	s.tenantRoute(mux, method, "/groups/{group}"+path, func(r *http.Request, t store.Tenant) (any, error) {
		id, err := s.find(t, r.PathValue("group"), func(v store.View, id string) bool { return v.Group(id) != nil })
		if err != nil {
			return nil, fmt.Errorf("group %w", err)
		}
		return f(r, t, id)
	})
}

func (s *Server) addGroup(r *http.Request, t store.Tenant) (any, error) {
	var body control.NewGroup
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	g := &store.Group{ID: body.ID, Name: body.Name, Kind: body.Kind, Dynamic: body.Dynamic, Hidden: body.Hidden}
	kind := kindOf(t.Provider)
	if g.ID == "" {
		g.ID = kind.newGroup()
	} else if !kind.groupID.MatchString(g.ID) {
		return nil, invalid("id %q: want %s", g.ID, kind.groupWant)
	}
	if g.Kind == "" {
		g.Kind = kind.groups[0]
	}
	if !slices.Contains(kind.groups, g.Kind) {
		return nil, invalid("kind %q", g.Kind)
	}
	if body.Address != "" {
		address, err := validAddress(t, body.Address)
		if err != nil {
			return nil, err
		}
		g.Mail, g.Proxies = address, []string{"SMTP:" + address}
	}
	for _, alias := range body.Aliases {
		a, err := validAddress(t, alias)
		if err != nil {
			return nil, err
		}
		g.Proxies = append(g.Proxies, "smtp:"+a)
	}
	if g.Name == "" {
		g.Name, _, _ = strings.Cut(g.Mail, "@")
	}
	return changed(g.ID)(s.as(r).AddGroup(t.DirectoryID, g, body.AllowTaken))
}

func (s *Server) renameGroup(r *http.Request, t store.Tenant, id string) (any, error) {
	body, err := decodeRename(r, t)
	if err != nil {
		return nil, err
	}
	return changed(id)(s.as(r).EditGroup(t.DirectoryID, id, func(g *store.Group) {
		if body.Name != "" {
			g.Name = body.Name
		}
		if body.Address != "" && g.Kind != directory.Security {
			g.Proxies = moved(g.Proxies, body)
			g.Mail = body.Address
		}
	}))
}

func (s *Server) addGroupAlias(r *http.Request, t store.Tenant, id string) (any, error) {
	alias, err := decodeAlias(r, t)
	if err != nil {
		return nil, err
	}
	return changed(id)(s.as(r).EditGroup(t.DirectoryID, id, func(g *store.Group) {
		if !slices.Contains(g.Addresses(), alias) {
			g.Proxies = append(g.Proxies, "smtp:"+alias)
		}
	}))
}

// describe is a group without the number of its members.
func describe(g *store.Group) control.Group {
	return control.Group{
		ID: g.ID, Name: g.Name, Address: g.Mail, Aliases: aliases(g.Proxies), Kind: g.Kind, Dynamic: g.Dynamic,
		Hidden: g.Hidden, Deleted: !g.Live(), CreatedAt: g.Created,
	}
}

func showGroup(v store.View, g *store.Group) control.Group {
	out := describe(g)
	for range v.Members(g.ID, 0) {
		out.Members++
	}
	return out
}
