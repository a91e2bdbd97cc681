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

func (s *Server) userRoutes(mux *http.ServeMux) {
	s.tenantRoute(mux, "GET", "/users", func(_ *http.Request, t store.Tenant) (any, error) {
		out := []control.User{}
		return &out, s.Store.View(t.DirectoryID, func(v store.View) error {
			for u := range v.Users(0) {
				out = append(out, showUser(u))
			}
			return nil
		})
	})
	s.tenantRoute(mux, "POST", "/users", s.addUser)
	s.userRoute(mux, "GET", "", func(_ *http.Request, t store.Tenant, id string) (any, error) {
		var out control.User
		return &out, s.Store.View(t.DirectoryID, func(v store.View) error { out = showUser(v.User(id)); return nil })
	})
	for name, act := range userActs {
		s.userRoute(mux, "POST", "/"+name, func(r *http.Request, t store.Tenant, id string) (any, error) {
			if slices.Contains(googleActs, name) && !t.Workspace() {
				return nil, invalid("%s: only users of Google Workspace can be archived", name)
			}
			return changed(id)(act(s.as(r), t.DirectoryID, id))
		})
	}
	s.userRoute(mux, "DELETE", "", func(r *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.as(r).DeleteUser(t.DirectoryID, id))
	})
	s.userRoute(mux, "POST", "/rename", s.renameUser)
	s.userRoute(mux, "POST", "/aliases", func(r *http.Request, t store.Tenant, id string) (any, error) {
		alias, err := decodeAlias(r, t)
		if err != nil {
			return nil, err
		}
		return changed(id)(s.as(r).EditUser(t.DirectoryID, id, func(u *store.User) {
			if !slices.Contains(u.Addresses(), alias) {
				u.Proxies = append(u.Proxies, "smtp:"+alias)
			}
		}))
	})
	s.userRoute(mux, "DELETE", "/aliases/{alias}", func(r *http.Request, t store.Tenant, id string) (any, error) {
		return changed(id)(s.as(r).EditUser(t.DirectoryID, id, func(u *store.User) { u.Proxies = without(u.Proxies, r) }))
	})
}

// googleActs are those of userActs that Entra ID does not have.
var googleActs = []string{"archive", "unarchive"}

// userActs are what can be done to a user without saying more.
var userActs = map[string]func(st *store.Store, tenant, id string) (store.Result, error){
	"restore":   (*store.Store).RestoreUser,
	"purge":     (*store.Store).Purge,
	"suspend":   editing(func(u *store.User) { u.Disabled = true }),
	"unsuspend": editing(func(u *store.User) { u.Disabled = false }),
	"archive":   editing(func(u *store.User) { u.Archived = true }),
	"unarchive": editing(func(u *store.User) { u.Archived = false }),
}

func editing(edit func(*store.User)) func(st *store.Store, tenant, id string) (store.Result, error) {
	return func(st *store.Store, tenant, id string) (store.Result, error) { return st.EditUser(tenant, id, edit) }
}

// without is a list of addresses without the alias that the request names.
func without(proxies []string, r *http.Request) []string {
	gone := "smtp:" + directory.Address(r.PathValue("alias"))
	return slices.DeleteFunc(slices.Clone(proxies), func(p string) bool { return p == gone })
}

func changed(id string) func(store.Result, error) (any, error) {
	return func(r store.Result, err error) (any, error) {
		r.ID = id
		return change(r), err
	}
}

// userRoute is tenantRoute below /users/{user}, with the user found by id or address.
func (s *Server) userRoute(mux *http.ServeMux, method, path string, f func(*http.Request, store.Tenant, string) (any, error)) {
	s.tenantRoute(mux, method, "/users/{user}"+path, func(r *http.Request, t store.Tenant) (any, error) {
		id, err := s.find(t, r.PathValue("user"), func(v store.View, id string) bool { return v.User(id) != nil })
		if err != nil {
			return nil, fmt.Errorf("user %w", err)
		}
		return f(r, t, id)
	})
}

// find returns the id of the one object that is named by id or address and is of the kind wanted.
func (s *Server) find(t store.Tenant, name string, is func(store.View, string) bool) (string, error) {
	var found []string
	err := s.Store.View(t.DirectoryID, func(v store.View) error {
		if id := strings.ToLower(name); is(v, id) {
			found = []string{id}
			return nil
		}
		for _, id := range v.At(name) {
			if is(v, id) {
				found = append(found, id)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", fmt.Errorf("%q: %w", name, store.ErrNotFound)
	case len(found) > 1:
		return "", invalid("%q: %d have this address; name it by id", name, len(found))
	}
	return found[0], nil
}

func (s *Server) addUser(r *http.Request, t store.Tenant) (any, error) {
	var body control.NewUser
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	u, err := makeUser(t, body)
	if err != nil {
		return nil, err
	}
	return changed(u.ID)(s.as(r).AddUsers(t.DirectoryID, []*store.User{u}))
}

// makeUser makes an account. A guest keeps the address that it has at home as its mail and gets a sign-in name of the
// tenant's, e.g. ann_fabrikam.com#EXT#@contoso.com.
func makeUser(t store.Tenant, n control.NewUser) (*store.User, error) {
	u := &store.User{ID: n.ID, Name: n.Name, Guest: n.Guest, Disabled: n.Suspended, Archived: n.Archived}
	kind := kindOf(t.Provider)
	if n.Archived && !t.Workspace() {
		return nil, invalid("archived: only users of Google Workspace can be")
	}
	if u.ID == "" {
		u.ID = kind.newUser()
	} else if !kind.userID.MatchString(u.ID) {
		return nil, invalid("id %q: want %s", u.ID, kind.userWant)
	}
	address := directory.Address(n.Address)
	if n.Guest {
		if directory.Domain(address) == "" {
			return nil, invalid("address %q", n.Address)
		}
		u.UPN = strings.ReplaceAll(address, "@", "_") + kind.guestMark + t.Domains[0]
	} else {
		var err error
		if u.UPN, err = validAddress(t, address); err != nil {
			return nil, err
		}
	}
	u.Mail = address
	u.Proxies = []string{"SMTP:" + address}
	for _, alias := range n.Aliases {
		a, err := validAddress(t, alias)
		if err != nil {
			return nil, err
		}
		u.Proxies = append(u.Proxies, "smtp:"+a)
	}
	local, _, _ := strings.Cut(address, "@")
	if u.Name == "" {
		u.Name = local
	}
	u.Given, u.Surname, _ = strings.Cut(u.Name, " ")
	return u, nil
}

func (s *Server) renameUser(r *http.Request, t store.Tenant, id string) (any, error) {
	body, err := decodeRename(r, t)
	if err != nil {
		return nil, err
	}
	return changed(id)(s.as(r).EditUser(t.DirectoryID, id, func(u *store.User) {
		if body.Name != "" {
			u.Name = body.Name
			u.Given, u.Surname, _ = strings.Cut(u.Name, " ")
		}
		if body.Address != "" {
			u.Proxies = moved(u.Proxies, body)
			u.UPN, u.Mail = body.Address, body.Address
		}
	}))
}

func decodeRename(r *http.Request, t store.Tenant) (control.Rename, error) {
	var body control.Rename
	err := decode(r, &body)
	if err == nil && body.Address != "" {
		body.Address, err = validAddress(t, body.Address)
	}
	if err == nil && body.Address == "" && body.Name == "" {
		err = invalid("rename: want an address or a name")
	}
	return body, err
}

func decodeAlias(r *http.Request, t store.Tenant) (string, error) {
	var alias string
	if err := decode(r, &alias); err != nil {
		return "", err
	}
	return validAddress(t, alias)
}

// moved makes the new address primary; the old primary one becomes an alias unless it is dropped.
func moved(proxies []string, to control.Rename) []string {
	out := []string{"SMTP:" + to.Address}
	for _, p := range proxies {
		a := directory.Address(p)
		if a == to.Address || to.DropOld && strings.HasPrefix(p, "SMTP:") {
			continue
		}
		out = append(out, "smtp:"+a)
	}
	return out
}

func showUser(u *store.User) control.User {
	out := control.User{
		ID: u.ID, Name: u.Name, Address: u.UPN, Mail: u.Mail, Status: directory.Active, Guest: u.Guest, CreatedAt: u.Created,
	}
	switch {
	case !u.Live():
		out.Status = directory.Deleted
	case u.Disabled:
		out.Status = directory.Suspended
	case u.Archived:
		out.Status = directory.Archived
	}
	out.Aliases = aliases(u.Proxies)
	return out
}

func aliases(proxies []string) []string {
	var out []string
	for _, p := range proxies {
		if strings.HasPrefix(p, "smtp:") {
			out = append(out, directory.Address(p))
		}
	}
	return out
}
