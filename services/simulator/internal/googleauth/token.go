package googleauth

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// assertionGrants are the word of RFC 7523 and that of the draft before it, which google.golang.org/api/impersonate sends.
var assertionGrants = []string{"urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion"}

// audiences are what an assertion may be meant for, beside the address that it is sent to.
var audiences = []string{"https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token", "https://accounts.google.com/o/oauth2/token"}

// token answers POST /token: an assertion of a service account for an access token that acts as the admin in its sub.
func (p *Platform) token(r *http.Request) (answer, *fault) {
	_ = r.ParseForm() // what cannot be read is missing
	if grant := r.PostForm.Get("grant_type"); !slices.Contains(assertionGrants, grant) {
		return answer{}, oauth(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: "+firstOf(grant))
	}
	assertion, err := signed.Parse(r.PostForm.Get("assertion"))
	if err != nil {
		return answer{}, invalidGrant("Bad Request")
	}
	c := assertion.Claims
	delegates := p.delegates(c.Issuer)
	out := answer{}
	tenant, admin, subjectFault := p.subject(delegates, c.Subject)
	out.tenant = tenant.DirectoryID
	if f := p.checkAssertion(assertion, delegates, "https://"+r.Host+TokenPath); f != nil {
		return out, f
	}
	scopes := strings.Fields(c.Scope)
	switch {
	case len(scopes) == 0:
		return out, oauth(http.StatusBadRequest, "invalid_scope", "Empty or missing scope not allowed.")
	case subjectFault != nil:
		return out, subjectFault
	case admin != "" && !delegated(tenant, scopes):
		return out, unauthorizedClient()
	}
	token, f := p.seal(signed.Claims{Use: useAPI, App: tenant.App.ClientID, Tenant: tenant.DirectoryID, Subject: admin, Scope: c.Scope})
	if f != nil {
		return out, f
	}
	out.body = map[string]any{"access_token": token, "expires_in": int(tokenLife.Seconds()), "token_type": "Bearer"}
	return out, nil
}

func firstOf(text string) string { return text[:min(len(text), 80)] }

// delegates are the customers that know a service account, by its address.
func (p *Platform) delegates(account string) []store.Tenant {
	var out []store.Tenant
	for _, t := range p.Tenants.Tenants() {
		if t.Workspace() && account != "" && t.App.ServiceAccount == directory.Address(account) {
			out = append(out, t)
		}
	}
	return out
}

// checkAssertion verifies who signed, and that the assertion is meant for us and for now.
func (p *Platform) checkAssertion(a *signed.Token, delegates []store.Tenant, address string) *fault {
	now, c := p.Signers(), a.Claims
	life := time.Duration(c.Expires-c.IssuedAt) * time.Second
	switch {
	case len(delegates) == 0:
		return invalidGrant("Invalid grant: account not found")
	case !p.signedByAccount(a, delegates):
		return invalidGrant("Invalid JWT Signature.")
	case !a.Current(now), life <= 0, life > time.Hour, time.Unix(int64(c.IssuedAt), 0).After(now.Add(5 * time.Minute)):
		return invalidGrant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case !slices.ContainsFunc(c.Audience, func(aud string) bool { return aud == address || slices.Contains(audiences, aud) }):
		return invalidGrant("Invalid JWT: Failed audience check. The right audience is " + audiences[0])
	}
	return nil
}

// signedByAccount accepts the keys that any tenant has registered for the account, and IAM's.
func (p *Platform) signedByAccount(a *signed.Token, delegates []store.Tenant) bool {
	if a.Header.Alg != "RS256" {
		return false
	}
	if a.Header.KeyName == keyName {
		return a.SignedBy(&p.key().PublicKey)
	}
	return slices.ContainsFunc(delegates, func(t store.Tenant) bool {
		return t.App.PublicKey != "" && a.SignedBy(signed.ReadPublicKey(t.App.PublicKey))
	})
}

// subject finds whom an assertion wants to act as. Without one the service account acts for itself, in no customer.
func (p *Platform) subject(delegates []store.Tenant, sub string) (store.Tenant, string, *fault) {
	if sub == "" {
		return store.Tenant{}, "", nil
	}
	address := directory.Address(sub)
	home, ok := p.Tenants.Tenant(directory.Domain(address))
	if !ok || !home.Workspace() {
		return store.Tenant{}, "", invalidGrant("Invalid email or User ID")
	}
	user := p.user(home, address)
	switch {
	case user == nil:
		return home, "", invalidGrant("Invalid email or User ID")
	case user.Disabled:
		return home, "", invalidGrant("Account has been suspended")
	case !slices.ContainsFunc(delegates, func(t store.Tenant) bool { return t.DirectoryID == home.DirectoryID }):
		return home, "", unauthorizedClient()
	}
	return home, user.ID, nil
}

// user finds a live user of a customer by any of its addresses.
func (p *Platform) user(t store.Tenant, address string) (found *store.User) {
	_ = p.Tenants.View(t.DirectoryID, func(v store.View) error { // it was found just now
		for _, id := range v.At(address) {
			if u := v.User(id); u != nil {
				found = u
			}
		}
		return nil
	})
	return found
}

// delegated reports whether the customer's admin has granted every one of the scopes.
func delegated(t store.Tenant, scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(t.App.Scopes, s) })
}
