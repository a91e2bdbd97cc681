package identity

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// consentRequest is what a browser brings to the page of admin consent, once it is found to be in order.
// Source: learn.microsoft.com/entra/identity-platform/v2-admin-consent.
type consentRequest struct {
	Tenant                           store.Tenant
	ClientID, Scope, Redirect, State string
	Account                          string   // of the admin who is signed in there
	Asks                             []string // permissions
}

// known reports whether the tenant's directory knows the app by now.
func (p *Platform) known(app store.App) bool {
	if app.Unconsented {
		return false
	}
	return app.ConsentedAt.IsZero() || p.Settings == nil || p.Now().Sub(app.ConsentedAt) >= p.Settings().ConsentLag
}

// readConsent checks a request as the platform does before it shows anything. A request that names another place than the
// registered ones to send the browser back to goes nowhere.
func (p *Platform) readConsent(r *http.Request) (consentRequest, *fault) {
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<10)
	_ = r.ParseForm() // what cannot be read is missing
	tenant, known := p.Tenants.Tenant(r.PathValue("tenant"))
	c := consentRequest{
		Tenant: tenant, ClientID: r.Form.Get("client_id"), Scope: r.Form.Get("scope"), Redirect: r.Form.Get("redirect_uri"), State: r.Form.Get("state"),
		Asks: tenant.App.Asks,
	}
	switch {
	case !known || tenant.Workspace():
		return c, unknownTenant(r.PathValue("tenant"))
	case c.ClientID == "":
		return c, missing("client_id")
	case c.ClientID != tenant.App.ClientID:
		return c, unknownApp(c.ClientID, tenant.DirectoryID)
	case !slices.Contains(tenant.App.Redirects, c.Redirect):
		return c, badRedirect(c.Redirect, c.ClientID)
	case c.Scope == "":
		return c, missing("scope")
	}
	c.Account = "admin@" + tenant.Domains[0]
	return c, nil
}

func badRedirect(redirect, clientID string) *fault {
	return &fault{http.StatusBadRequest, "invalid_request", 50011, fmt.Sprintf("The redirect URI '%.200s' specified in the request does not match the redirect URIs configured for the application '%s'.", redirect, clientID)}
}

//go:embed consent.html
var consentPage string

var consentTemplate = template.Must(template.New("consent").Parse(consentPage))

// askConsent shows the page on which the tenant's admin, who is taken to be signed in there, accepts or does not.
func (p *Platform) askConsent(w http.ResponseWriter, r *http.Request) {
	c, refused := p.readConsent(r)
	p.showConsent(w, c, refused)
}

func (p *Platform) showConsent(w http.ResponseWriter, c consentRequest, refused *fault) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	shown := struct {
		consentRequest
		Fault string
	}{consentRequest: c}
	if refused != nil {
		shown.Fault = fmt.Sprintf("AADSTS%d: %s", refused.code, refused.message)
		w.WriteHeader(refused.status)
	}
	_ = consentTemplate.Execute(w, shown) // the browser is gone; there is nobody to tell
}

// answerConsent grants what the app asks for, or not, and sends the browser back. admin_consent is True in both cases: whoever
// reads it looks at error first.
func (p *Platform) answerConsent(w http.ResponseWriter, r *http.Request) {
	c, refused := p.readConsent(r)
	if refused != nil {
		p.showConsent(w, c, refused)
		return
	}
	back := url.Values{"admin_consent": {"True"}, "state": {c.State}}
	if r.PostForm.Get("decision") == "accept" {
		err := p.Tenants.EditTenant(c.Tenant.DirectoryID, func(t *store.Tenant) {
			if t.App.Unconsented {
				t.App.ConsentedAt = p.Now()
			}
			t.App.Unconsented, t.App.Permissions = false, c.Asks
		})
		if err != nil {
			http.Error(w, "keep the consent", http.StatusInternalServerError)
			return
		}
		back.Set("tenant", c.Tenant.DirectoryID)
		back.Set("scope", c.Scope)
	} else {
		back.Set("error", "consent_required")
		back.Set("error_description", "AADSTS65004: The resource owner or authorization server denied the request.")
	}
	http.Redirect(w, r, c.Redirect+"?"+back.Encode(), http.StatusFound)
}
