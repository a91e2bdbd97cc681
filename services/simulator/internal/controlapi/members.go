package controlapi

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func (s *Server) memberRoutes(mux *http.ServeMux) {
	s.groupRoute(mux, "POST", "/members", s.linking((*store.Store).Join, s.admitted))
	s.groupRoute(mux, "POST", "/members/remove", s.linking((*store.Store).Leave, s.known))
	s.groupRoute(mux, "POST", "/members/new", s.addMember)
	s.groupRoute(mux, "PUT", "/members/{member}/role", s.setRole)
	s.groupRoute(mux, "GET", "/members", s.listMembers(false))
	s.groupRoute(mux, "GET", "/transitive-members", s.listMembers(true))
}

// linking reads names of members, finds them, and joins them to the group or parts them from it.
func (s *Server) linking(
	act func(st *store.Store, tenant, group string, members []string) (store.Result, error),
	find func(store.Tenant, control.NewMember) (string, error),
) func(*http.Request, store.Tenant, string) (any, error) {
	return func(r *http.Request, t store.Tenant, group string) (any, error) {
		var names []string
		if err := decode(r, &names); err != nil {
			return nil, err
		}
		ids := make([]string, len(names))
		for i, name := range names {
			id, err := find(t, control.NewMember{Member: name})
			if err != nil {
				return nil, fmt.Errorf("member %w", err)
			}
			ids[i] = id
		}
		return changed(group)(act(s.as(r), t.DirectoryID, group, ids))
	}
}

// known returns the id of whom a name means: a user or a group and, in a Workspace tenant, also an outsider or everyone.
func (s *Server) known(t store.Tenant, m control.NewMember) (string, error) {
	if t.Workspace() && (m.Member == control.WholeCustomer || m.Member == t.DirectoryID) {
		return t.DirectoryID, nil
	}
	id, err := s.find(t, m.Member, func(v store.View, id string) bool { return v.User(id) != nil || v.Group(id) != nil })
	if !t.Workspace() || !errors.Is(err, store.ErrNotFound) {
		return id, err
	}
	_ = s.Store.View(t.DirectoryID, func(v store.View) error { // the tenant is there: it was found
		if o := v.Outsider(m.Member); o != nil {
			id, err = o.ID, nil
		}
		return nil
	})
	return id, err
}

// admitted is known; an address on somebody else's domain that is not known yet becomes an outsider.
func (s *Server) admitted(t store.Tenant, m control.NewMember) (string, error) {
	id, err := s.known(t, m)
	address := directory.Address(m.Member)
	local, foreign, ok := strings.Cut(address, "@")
	if !t.Workspace() || !errors.Is(err, store.ErrNotFound) || !ok || local == "" || !domain.MatchString(foreign) || slices.Contains(t.Domains, foreign) {
		return id, err
	}
	o := s.outsider(address, m.Kind)
	return o.ID, s.Store.AddOutsiders(t.DirectoryID, []*store.Outsider{o})
}

// outsider is whom an address of another domain means: who has it in the simulated customer of that domain, or someone
// whose id is the same for all.
func (s *Server) outsider(address string, kind directory.MemberKind) *store.Outsider {
	o := &store.Outsider{Address: address, Kind: directory.UserMember}
	if home, ok := s.Store.Tenant(directory.Domain(address)); ok && home.Workspace() {
		_ = s.Store.View(home.DirectoryID, func(v store.View) error { // it was found just now
			for _, id := range v.At(address) {
				if o.ID = id; v.Group(id) != nil {
					o.Kind = directory.GroupMember
				}
			}
			return nil
		})
	}
	if o.ID != "" {
		return o
	}
	sum := sha256.Sum256([]byte(address))
	if kind == directory.GroupMember {
		o.ID, o.Kind = store.WorkspaceGroupID([14]byte(sum[:14])), kind
	} else {
		o.ID = store.WorkspaceUserID([8]byte(sum[:8]))
	}
	return o
}

var roles = []string{"", control.RoleOwner, control.RoleManager, control.RoleMember}

func roleOf(t store.Tenant, role string) (string, error) {
	switch {
	case !t.Workspace() || !slices.Contains(roles, role):
		return "", invalid("role %q", role)
	case role == control.RoleMember:
		return "", nil
	}
	return role, nil
}

func (s *Server) addMember(r *http.Request, t store.Tenant, group string) (any, error) {
	var body control.NewMember
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	role, err := roleOf(t, body.Role)
	if err != nil {
		return nil, err
	}
	if body.Kind != "" && body.Kind != directory.UserMember && body.Kind != directory.GroupMember {
		return nil, invalid("kind %q: of an external member it is user or group", body.Kind)
	}
	id, err := s.admitted(t, body)
	if err != nil {
		return nil, fmt.Errorf("member %w", err)
	}
	return changed(group)(s.as(r).JoinAs(t.DirectoryID, group, role, []string{id}))
}

func (s *Server) setRole(r *http.Request, t store.Tenant, group string) (any, error) {
	var body string
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	role, err := roleOf(t, body)
	if err != nil {
		return nil, err
	}
	id, err := s.known(t, control.NewMember{Member: r.PathValue("member")})
	if err != nil {
		return nil, fmt.Errorf("member %w", err)
	}
	return changed(group)(s.as(r).SetRole(t.DirectoryID, group, id, role))
}

func (s *Server) listMembers(transitive bool) func(*http.Request, store.Tenant, string) (any, error) {
	return func(_ *http.Request, t store.Tenant, group string) (any, error) {
		out := []control.Member{}
		return &out, s.Store.View(t.DirectoryID, func(v store.View) error {
			if transitive {
				for _, id := range v.Transitive(group) {
					out = append(out, showMember(v, group, id))
				}
				return nil
			}
			for _, id := range v.Members(group, 0) {
				out = append(out, showMember(v, group, id))
			}
			return nil
		})
	}
}

func showMember(v store.View, group, id string) control.Member {
	m := control.Member{ID: id, Kind: directory.UserMember, Direct: v.IsMember(group, id)}
	switch {
	case v.Tenant().Workspace():
		known := v.Describe(group, id)
		m.Kind, m.Address, m.External = known.Kind, known.Address, known.External
		if m.Direct {
			m.Role = known.Role
		}
	case v.Group(id) != nil:
		m.Kind = directory.GroupMember
	}
	return m
}
