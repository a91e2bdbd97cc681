// Package identity is the Microsoft identity platform as far as an application without a user needs it: the client
// credentials grant with a secret, a certificate or a federated token, the page on which an admin consents to the
// application, and the discovery documents.
package identity

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// tokenLife is what the platform says of an application's token: an hour, less a second.
const tokenLife = 3599 * time.Second

// GraphAudience is the audience of the tokens that Graph takes.
const GraphAudience = "https://graph.microsoft.com"

// Config is what a platform works with.
type Config struct {
	Tenants *store.Store
	Secret  []byte // signs access tokens
	Now     func() time.Time
	Meter   *traffic.Meter
	Faults  *traffic.Faults
	// Settings are those in force.
	Settings func() control.Settings
}

// Platform issues and verifies access tokens.
type Platform struct{ Config }

// New returns a platform.
func New(cfg Config) *Platform { return &Platform{cfg} }

// Handler serves the platform's addresses.
func (p *Platform) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", p.token)
	mux.HandleFunc("GET /{tenant}/v2.0/adminconsent", p.askConsent)
	mux.HandleFunc("POST /{tenant}/v2.0/adminconsent", p.answerConsent)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", p.configuration)
	mux.HandleFunc("GET /common/discovery/instance", p.instance)
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"keys": []any{}}) // nobody but Graph can verify an access token
	})
	return mux
}

func (p *Platform) token(w http.ResponseWriter, r *http.Request) {
	tenant, known := p.Tenants.Tenant(r.PathValue("tenant"))
	spoil, waited := p.Faults.Deal(r.Context(), traffic.Request{Tenant: tenant.DirectoryID, Route: traffic.TokenRoute})
	if waited != nil {
		return
	}
	if spoil.Status != 0 || spoil.Tears() {
		p.Meter.Count(tenant.DirectoryID, traffic.TokenRoute, control.Counter{Requests: 1, Failed: 1})
		traffic.Tear(spoil.Writer(w))
		for name, values := range spoil.RetryHeader() {
			w.Header()[name] = values
		}
		(&fault{status: spoil.Status, kind: "temporarily_unavailable", code: 90033, message: "A transient error has occurred. Please try again."}).write(w, p.Now())
		return
	}
	err := unknownTenant(r.PathValue("tenant"))
	if known {
		err = p.authenticate(r, tenant)
	}
	if err != nil {
		p.Meter.Count(tenant.DirectoryID, traffic.TokenRoute, control.Counter{Requests: 1, Failed: 1})
		err.write(w, p.Now())
		return
	}
	now := p.Now()
	token, mintErr := signed.Seal(signed.Claims{
		Issuer: "https://sts.windows.net/" + tenant.DirectoryID + "/", Audience: signed.Audience{GraphAudience},
		Tenant: tenant.DirectoryID, App: tenant.App.ClientID, Roles: tenant.App.Permissions, Version: "1.0",
		IssuedAt: float64(now.Unix()), NotBefore: float64(now.Unix()), Expires: float64(now.Add(tokenLife).Unix()),
	}, p.Secret)
	if mintErr != nil {
		http.Error(w, "mint a token", http.StatusInternalServerError)
		return
	}
	p.Meter.Count(tenant.DirectoryID, traffic.TokenRoute, control.Counter{Requests: 1, Items: 1})
	w.Header().Set("Cache-Control", "no-store, no-cache")
	seconds := int(tokenLife.Seconds())
	writeJSON(w, map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token})
}

// authenticate checks a token request against the tenant's app.
func (p *Platform) authenticate(r *http.Request, tenant store.Tenant) *fault {
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<10)
	_ = r.ParseForm() // what cannot be read is missing
	form := r.PostForm
	for _, name := range []string{"grant_type", "client_id", "scope"} {
		if form.Get(name) == "" {
			return missing(name)
		}
	}
	if form.Get("grant_type") != "client_credentials" {
		return badGrant(form.Get("grant_type"))
	}
	if !validScope(form.Get("scope")) {
		return badScope(form.Get("scope"))
	}
	app := tenant.App
	switch {
	case form.Get("client_id") != app.ClientID, !p.known(app):
		return unknownApp(form.Get("client_id"), tenant.DirectoryID)
	case form.Get("client_assertion_type") == assertionType && form.Get("client_assertion") != "":
		return checkAssertion(app, form.Get("client_assertion"), base(r)+r.URL.Path, p.Now())
	case form.Get("client_secret") == "":
		return noCredential()
	case app.Secret == "" || subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(app.Secret)) != 1:
		return badSecret(app.ClientID)
	}
	return nil
}

// validScope accepts one resource's /.default, beside the OpenID scopes that MSAL adds by itself.
func validScope(scope string) bool {
	found := false
	for _, s := range strings.Fields(scope) {
		switch {
		case strings.HasSuffix(s, "/.default"):
			found = true
		case s != "openid" && s != "offline_access" && s != "profile":
			return false
		}
	}
	return found
}

// What Verify finds wrong with a token. Graph words its answer accordingly.
var (
	ErrMalformed = errors.New("the access token is malformed")
	ErrExpired   = errors.New("the access token has expired")
	ErrForeign   = errors.New("the access token was not issued here")
)

// Verify reads an access token that was issued here: the tenant's directory id and the app's client id.
func (p *Platform) Verify(token string) (tenant, app string, err error) {
	t, err := signed.Parse(token)
	if err != nil {
		return "", "", ErrMalformed
	}
	if !t.Sealed(p.Secret) {
		return "", "", ErrForeign
	}
	if p.Now().Unix() >= int64(t.Claims.Expires) {
		return "", "", ErrExpired
	}
	return t.Claims.Tenant, t.Claims.App, nil
}

func base(r *http.Request) string { return "https://" + r.Host }

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}
