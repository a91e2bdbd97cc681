package googleauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// Caller is whom a request to one of the admin APIs acts as.
type Caller struct {
	Tenant store.Tenant // zero when a service account acts for itself
	Admin  string       // user id
	Scopes []string     // of the token, as far as they are still delegated
	rights []string     // privileges; nil for none
	super  bool
}

// Caller reads the bearer token of a request. What was withdrawn since the token was issued counts at once: the
// delegation, the admin's account and the admin's privileges. Errors are *googleerror.Error.
func (p *Platform) Caller(r *http.Request) (Caller, error) {
	claims, ok := p.open(bearer(r), useAPI)
	if !ok {
		return Caller{}, googleerror.Credentials()
	}
	c := Caller{Admin: claims.Subject}
	for s := range strings.FieldsSeq(claims.Scope) {
		c.Scopes = append(c.Scopes, s)
	}
	if claims.Tenant == "" {
		return c, nil
	}
	tenant, known := p.Tenants.Tenant(claims.Tenant)
	if !known || tenant.App.ClientID != claims.App {
		return Caller{}, googleerror.Credentials()
	}
	c.Tenant = tenant
	c.Scopes = slices.DeleteFunc(c.Scopes, func(s string) bool { return !slices.Contains(tenant.App.Scopes, s) })
	active := false
	err := p.Tenants.View(tenant.DirectoryID, func(v store.View) error {
		u := v.User(claims.Subject)
		if active = u != nil && u.Live() && !u.Disabled; active {
			c.rights, c.super = privileges(tenant, u)
		}
		return nil
	})
	if err != nil || !active {
		return Caller{Tenant: tenant}, googleerror.Credentials()
	}
	return c, nil
}

// May checks that the caller has one of the scopes and the admin the privilege. Errors are *googleerror.Error.
func (c Caller) May(privilege string, scopes ...string) error {
	switch {
	case !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(c.Scopes, s) }):
		return googleerror.Scopes()
	case !c.Privileged(privilege):
		return googleerror.NotAuthorized()
	}
	return nil
}

// Privileged reports whether the admin has a privilege.
func (c Caller) Privileged(privilege string) bool {
	return c.super || slices.Contains(c.rights, privilege)
}

// privileges are those of a user, which may be an admin under any of its addresses.
func privileges(t store.Tenant, u *store.User) (rights []string, super bool) {
	for _, a := range t.App.Admins {
		if slices.Contains(u.Addresses(), a.Address) {
			return a.Privileges, a.Privileges == nil
		}
	}
	return nil, false
}

// open reads a token that was sealed here for a use and has not expired.
func (p *Platform) open(token, use string) (signed.Claims, bool) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return signed.Claims{}, false
	}
	t, err := signed.Parse(text)
	if err != nil || !t.Sealed(p.Secret) || t.Claims.Use != use || p.Now().Unix() >= int64(t.Claims.Expires) {
		return signed.Claims{}, false
	}
	return t.Claims, true
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// SuperAdmin is a caller who acts as a super admin, by user id, with the scopes.
func SuperAdmin(t store.Tenant, admin string, scopes ...string) Caller {
	return Caller{Tenant: t, Admin: admin, Scopes: scopes, super: true}
}
