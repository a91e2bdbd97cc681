package controlapi

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

var numeric = regexp.MustCompile(`^[0-9]{5,25}$`)

// readServiceAccount reads the app of a Workspace customer.
func readServiceAccount(t *store.Tenant, app control.App) error {
	t.App.ServiceAccount = directory.Address(app.ServiceAccount)
	t.App.ClientID, t.App.PublicKey, t.App.CallerToken = app.ClientID, app.PublicKey, app.CallerToken
	if t.App.ClientID == "" {
		sum := sha256.Sum256([]byte("service account " + t.App.ServiceAccount))
		t.App.ClientID = fmt.Sprintf("1%020d", binary.BigEndian.Uint64(sum[:8]))
	}
	switch {
	case directory.Domain(t.App.ServiceAccount) == "":
		return invalid("service account %q: want an address", app.ServiceAccount)
	case !numeric.MatchString(t.App.ClientID):
		return invalid("client id %q: want the service account's numeric id", app.ClientID)
	case app.PublicKey != "" && signed.ReadPublicKey(app.PublicKey) == nil:
		return invalid("public key: want a PEM block with a public key or a certificate")
	}
	if t.App.Scopes = app.Scopes; t.App.Scopes == nil {
		t.App.Scopes = control.DefaultScopes()
	}
	if app.Admins == nil {
		app.Admins = []control.Admin{{Address: "admin@" + t.Domains[0]}}
	}
	var err error
	t.App.Admins, err = readAdmins(*t, app.Admins)
	return err
}

func readAdmins(t store.Tenant, admins []control.Admin) ([]store.Admin, error) {
	out := []store.Admin{}
	for _, a := range admins {
		address, err := validAddress(t, a.Address)
		if err != nil {
			return nil, fmt.Errorf("admin: %w", err)
		}
		out = append(out, store.Admin{Address: address, Privileges: a.Privileges})
	}
	return out, nil
}

// ensureAdmins makes users for those admins of a Workspace customer whose address nobody has.
func (s *Server) ensureAdmins(t store.Tenant) error {
	for _, a := range t.App.Admins {
		var taken bool
		err := s.Store.View(t.DirectoryID, func(v store.View) error { taken = len(v.At(a.Address)) > 0; return nil })
		if err != nil {
			return err
		}
		if taken {
			continue
		}
		local, _, _ := strings.Cut(a.Address, "@")
		u, err := makeUser(t, control.NewUser{Address: a.Address, Name: strings.ToUpper(local[:1]) + local[1:] + " Admin"})
		if err == nil {
			_, err = s.Store.AddUsers(t.DirectoryID, []*store.User{u})
		}
		if err != nil {
			return fmt.Errorf("admin: %w", err)
		}
	}
	return nil
}

func (s *Server) putScopes(r *http.Request, t store.Tenant) (any, error) {
	var scopes []string
	if err := decode(r, &scopes); err != nil {
		return nil, err
	}
	return done, s.Store.EditTenant(t.DirectoryID, func(t *store.Tenant) { t.App.Scopes = scopes })
}

func (s *Server) putAdmins(r *http.Request, t store.Tenant) (any, error) {
	var body []control.Admin
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if !t.Workspace() {
		return nil, invalid("admins: the tenant is no Workspace customer")
	}
	admins, err := readAdmins(t, body)
	if err != nil {
		return nil, err
	}
	if err := s.Store.EditTenant(t.DirectoryID, func(t *store.Tenant) { t.App.Admins = admins }); err != nil {
		return nil, err
	}
	t.App.Admins = admins
	return done, s.ensureAdmins(t)
}
