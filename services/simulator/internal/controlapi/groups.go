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
	s.groupRoute(mux, "DELETE", "", func(_ *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.Store.DeleteGroup(t.DirectoryID, id))
	})
	s.groupRoute(mux, "POST", "/restore", func(_ *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.Store.RestoreGroup(t.DirectoryID, id))
	})
	s.groupRoute(mux, "POST", "/purge", func(_ *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.Store.Purge(t.DirectoryID, id))
	})
	s.groupRoute(mux, "POST", "/rename", s.renameGroup)
	s.groupRoute(mux, "POST", "/aliases", s.addGroupAlias)
	s.groupRoute(mux, "POST", "/members", s.linking(s.Store.Join))
	s.groupRoute(mux, "POST", "/members/remove", s.linking(s.Store.Leave))
	s.groupRoute(mux, "GET", "/members", s.listMembers(false))
	s.groupRoute(mux, "GET", "/transitive-members", s.listMembers(true))
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
	if g.ID == "" {
		g.ID = store.NewID()
	} else if !guid.MatchString(g.ID) {
		return nil, invalid("id %q: want a GUID in lower case", g.ID)
	}
	if g.Kind == "" {
		g.Kind = directory.Microsoft365
	}
	known := []directory.GroupKind{directory.Microsoft365, directory.Security, directory.MailEnabledSecurity, directory.Distribution}
	if !slices.Contains(known, g.Kind) {
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
	return changed(g.ID)(s.Store.AddGroup(t.DirectoryID, g, body.AllowTaken))
}

func (s *Server) renameGroup(r *http.Request, t store.Tenant, id string) (any, error) {
	body, err := decodeRename(r, t)
	if err != nil {
		return nil, err
	}
	return changed(id)(s.Store.EditGroup(t.DirectoryID, id, func(g *store.Group) {
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
	return changed(id)(s.Store.EditGroup(t.DirectoryID, id, func(g *store.Group) {
		if !slices.Contains(g.Addresses(), alias) {
			g.Proxies = append(g.Proxies, "smtp:"+alias)
		}
	}))
}

// linking reads names of users and groups, finds them, and joins them to the group or parts them from it.
func (s *Server) linking(act func(tenant, group string, members []string) (store.Result, error)) func(*http.Request, store.Tenant, string) (any, error) {
	return func(r *http.Request, t store.Tenant, group string) (any, error) {
		var names []string
		if err := decode(r, &names); err != nil {
			return nil, err
		}
		ids := make([]string, len(names))
		for i, name := range names {
			id, err := s.find(t, name, func(v store.View, id string) bool { return v.User(id) != nil || v.Group(id) != nil })
			if err != nil {
				return nil, fmt.Errorf("member %w", err)
			}
			ids[i] = id
		}
		return changed(group)(act(t.DirectoryID, group, ids))
	}
}

func (s *Server) listMembers(transitive bool) func(*http.Request, store.Tenant, string) (any, error) {
	return func(_ *http.Request, t store.Tenant, group string) (any, error) {
		out := []control.Member{}
		return &out, s.Store.View(t.DirectoryID, func(v store.View) error {
			add := func(id string) {
				m := control.Member{ID: id, Kind: directory.UserMember, Direct: v.IsMember(group, id)}
				if v.Group(id) != nil {
					m.Kind = directory.GroupMember
				}
				out = append(out, m)
			}
			if transitive {
				for _, id := range v.Transitive(group) {
					add(id)
				}
				return nil
			}
			for _, id := range v.Members(group, 0) {
				add(id)
			}
			return nil
		})
	}
}

func showGroup(v store.View, g *store.Group) control.Group {
	out := control.Group{
		ID: g.ID, Name: g.Name, Address: g.Mail, Aliases: aliases(g.Proxies), Kind: g.Kind, Dynamic: g.Dynamic,
		Hidden: g.Hidden, Deleted: !g.Live(), CreatedAt: g.Created,
	}
	for range v.Members(g.ID, 0) {
		out.Members++
	}
	return out
}
