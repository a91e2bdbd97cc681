package controlapi

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func (s *Server) tenantRoutes(mux *http.ServeMux) {
	route(mux, "GET /control/tenants", func(*http.Request) (any, error) {
		out := []control.Tenant{}
		for _, t := range s.Store.Tenants() {
			out = append(out, showTenant(t))
		}
		return out, nil
	})
	route(mux, "PUT /control/tenants/{tenant}", s.putTenant)
	s.tenantRoute(mux, "PUT", "/permissions", func(r *http.Request, t store.Tenant) (any, error) {
		var permissions []string
		if err := decode(r, &permissions); err != nil {
			return nil, err
		}
		return done, s.Store.EditTenant(t.DirectoryID, func(t *store.Tenant) { t.App.Permissions = permissions })
	})
	s.tenantRoute(mux, "PUT", "/scopes", s.putScopes)
	s.tenantRoute(mux, "PUT", "/admins", s.putAdmins)
	s.tenantRoute(mux, "POST", "/expire-delta-tokens", func(_ *http.Request, t store.Tenant) (any, error) {
		return done, s.Store.EditTenant(t.DirectoryID, func(t *store.Tenant) { t.TokenGeneration++ })
	})
	s.tenantRoute(mux, "POST", "/generate", s.generate)
	s.tenantRoute(mux, "GET", "/changes", s.changes)
}

var (
	slug   = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	domain = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

func (s *Server) putTenant(r *http.Request) (any, error) {
	var body control.Tenant
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	body.ID = r.PathValue("tenant")
	if body.DirectoryID == "" {
		if known, ok := s.Store.Tenant(body.ID); ok && known.ID == body.ID {
			body.DirectoryID = known.DirectoryID
		} else {
			body.DirectoryID = kindOf(body.Provider).directory("tenant " + body.ID)
		}
	}
	t, err := readTenant(body)
	if err != nil {
		return nil, err
	}
	if err := s.Store.PutTenant(t); err != nil {
		return nil, err
	}
	if err := s.ensureAdmins(t); err != nil {
		return nil, err
	}
	return showTenant(t), s.trail(t)
}

func readTenant(body control.Tenant) (store.Tenant, error) {
	t := store.Tenant{ID: body.ID, Provider: body.Provider, DirectoryID: body.DirectoryID, Name: body.Name}
	if t.Provider == directory.Entra {
		t.Provider = ""
	}
	kind := kindOf(t.Provider)
	switch {
	case t.Provider != "" && !t.Workspace():
		return t, invalid("provider %q", body.Provider)
	case !slug.MatchString(body.ID):
		return t, invalid("tenant id %q: want 1 to 40 of a-z, 0-9 and hyphen", body.ID)
	case !kind.directoryID.MatchString(body.DirectoryID):
		return t, invalid("directory id %q: want %s", body.DirectoryID, kind.directoryWant)
	case len(body.Domains) == 0:
		return t, invalid("domains: want at least one")
	}
	for _, d := range body.Domains {
		if d = strings.ToLower(d); !domain.MatchString(d) {
			return t, invalid("domain %q", d)
		}
		t.Domains = append(t.Domains, d)
	}
	for _, f := range body.App.Federated {
		t.App.Federated = append(t.App.Federated, store.Federated(f))
	}
	if t.Workspace() {
		return t, readServiceAccount(&t, body.App)
	}
	if body.App.ClientID == "" {
		return t, invalid("app: want a client id")
	}
	t.App.ClientID, t.App.Secret, t.App.Certificate = body.App.ClientID, body.App.Secret, body.App.Certificate
	if t.App.Permissions = body.App.Permissions; t.App.Permissions == nil {
		t.App.Permissions = control.DefaultPermissions()
	}
	t.App.Asks, t.App.Redirects, t.App.Unconsented = t.App.Permissions, body.App.Redirects, body.App.Unconsented
	return t, nil
}

func showTenant(t store.Tenant) control.Tenant {
	out := control.Tenant{ID: t.ID, Provider: t.Provider, DirectoryID: t.DirectoryID, Name: t.Name, Domains: t.Domains}
	out.App = control.App{
		ClientID: t.App.ClientID, Certificate: t.App.Certificate, Permissions: t.App.Permissions,
		Redirects: t.App.Redirects, Unconsented: t.App.Unconsented,
		ServiceAccount: t.App.ServiceAccount, PublicKey: t.App.PublicKey, Scopes: t.App.Scopes,
	}
	for _, a := range t.App.Admins {
		out.App.Admins = append(out.App.Admins, control.Admin(a))
	}
	for _, f := range t.App.Federated {
		out.App.Federated = append(out.App.Federated, control.Federated(f))
	}
	return out
}

// validAddress normalizes an address and checks that its domain is one of the tenant's.
func validAddress(t store.Tenant, raw string) (string, error) {
	a := directory.Address(raw)
	local, _, ok := strings.Cut(a, "@")
	if !ok || local == "" || strings.ContainsAny(a, " \t\r\n") {
		return "", invalid("address %q", raw)
	}
	for _, d := range t.Domains {
		if directory.Domain(a) == d {
			return a, nil
		}
	}
	return "", invalid("address %q: its domain is not verified in the tenant", raw)
}
