package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
)

// start sends a browser to an issuer, with what has to come back.
func (s *SignIn) start(w http.ResponseWriter, r *http.Request) {
	configured, ok := s.deps.Access.Now(r.Context()).Issuer(r.PathValue("issuer"))
	if !ok {
		s.refuse(w, r, http.StatusNotFound, refusal{Why: "unknown-issuer", Text: "There is no such way to sign in."})
		return
	}
	found, err := s.deps.Issuers.Find(r.Context(), configured.Issuer, configured.CAFile)
	if err != nil {
		s.silent(w, r, configured, err)
		return
	}
	a := session.Attempt{
		Issuer: configured.ID, Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: access.OwnPath(r.URL.Query().Get("next")),
	}
	state, err := s.deps.Sessions.BeginAttempt(w, r, a)
	if err != nil {
		s.unavailable(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	client := s.client(configured, found, "")
	http.Redirect(w, r, client.AuthCodeURL(state, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), http.StatusSeeOther) //nolint:gosec // to the issuer of the access file
}

// client is us, for an issuer.
func (s *SignIn) client(configured accessfile.Issuer, found *issuer.Issuer, secret string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: configured.ClientID, ClientSecret: secret, Endpoint: found.Provider.Endpoint(),
		RedirectURL: s.cfg.PublicURL + "/sign-in/" + configured.ID + "/callback",
		Scopes:      []string{oidc.ScopeOpenID, "profile", "email"},
	}
}

// silent answers where an issuer does not.
func (s *SignIn) silent(w http.ResponseWriter, r *http.Request, configured accessfile.Issuer, err error) {
	w.Header().Set("Retry-After", "15")
	s.refuse(w, r, http.StatusBadGateway, refusal{
		Why: "issuer-silent", Issuer: configured.ID, Err: err,
		Text: configured.Name + " does not answer as it should, so that nobody can sign in with it at the moment. Please try again later.",
	})
}

// again is what to tell somebody whose sign-in went wrong in a way that a new one may mend.
const again = "This sign-in cannot be finished: it was begun in another browser, took longer than ten minutes, or was finished already. Please begin again."

// callback is where an issuer sends a browser back to.
func (s *SignIn) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	a, err := s.deps.Sessions.TakeAttempt(r, query.Get("state"))
	if errors.Is(err, session.ErrNoAttempt) {
		s.refuse(w, r, http.StatusBadRequest, refusal{Why: "state", Text: again})
		return
	}
	if err != nil {
		s.unavailable(w, r, err)
		return
	}
	configured, ok := s.deps.Access.Now(r.Context()).Issuer(a.Issuer)
	if !ok || a.Issuer != r.PathValue("issuer") {
		s.refuse(w, r, http.StatusBadRequest, refusal{Why: "another-issuer", Text: again})
		return
	}
	if said := query.Get("error"); said != "" {
		s.declined(w, r, configured, said)
		return
	}
	who, token, refused := s.identify(r, configured, a)
	if refused != nil {
		refused.Issuer = configured.ID
		s.refuse(w, r, http.StatusForbidden, *refused)
		return
	}
	p, ok := s.admit(w, r, configured, who)
	if !ok {
		return
	}
	s.deps.Sessions.KeepHint(w, token)
	s.begin(w, r, who, p, a.Next)
}

// declined answers where the issuer did not sign somebody in. What it says is of a list: the rest could be anybody's words.
func (s *SignIn) declined(w http.ResponseWriter, r *http.Request, configured accessfile.Issuer, said string) {
	f := refusal{Why: "issuer-declined", Issuer: configured.ID, Text: configured.Name + " did not sign you in. Please try again."}
	switch said {
	case "access_denied":
		f.Text = "You did not sign in with " + configured.Name + ", or it does not let you."
	case "interaction_required", "login_required", "consent_required", "account_selection_required":
		f.Text = configured.Name + " wants to ask you something first. Please try again."
	}
	s.refuse(w, r, http.StatusForbidden, f)
}

// admit returns what somebody may do whom the access file lets in. It refuses everybody else.
func (s *SignIn) admit(w http.ResponseWriter, r *http.Request, configured accessfile.Issuer, who session.Identity) (p access.Principal, ok bool) {
	if !configured.Admits(who) {
		s.refuse(w, r, http.StatusForbidden, refusal{
			Why: "organization", Issuer: configured.ID, Principal: idOf(who),
			Text: "You have signed in with " + configured.Name + ", but not as somebody of an organization that may come in here.",
		})
		return p, false
	}
	if p, ok = s.principal(r.Context(), who); !ok {
		s.refuse(w, r, http.StatusForbidden, refusal{
			Why: "not-let-in", Issuer: configured.ID, Principal: idOf(who), Subject: who.Subject,
			Text: "You have signed in with " + configured.Name + ", but nobody has let you in here yet.",
		})
	}
	return p, ok
}

// claims are what an issuer says of somebody.
type claims struct {
	Subject  string `json:"sub"`
	ObjectID string `json:"oid"`
	TenantID string `json:"tid"`
	Domain   string `json:"hd"`
	Email    string `json:"email"`
	Verified any    `json:"email_verified"` // true, and nothing else, says that the address is theirs
	Name     string `json:"name"`
	Party    string `json:"azp"`
}

// identify redeems the code that a browser has brought, and returns who the issuer says it is of, by which ID token.
func (s *SignIn) identify(r *http.Request, configured accessfile.Issuer, a session.Attempt) (session.Identity, string, *refusal) {
	found, err := s.deps.Issuers.Find(r.Context(), configured.Issuer, configured.CAFile)
	if err != nil {
		return session.Identity{}, "", refusedToken("issuer-silent", configured, err)
	}
	if iss := r.URL.Query().Get("iss"); iss != "" && !found.AnyTenant() && iss != found.URL { // RFC 9207
		return session.Identity{}, "", refusedToken("another-issuer", configured, nil)
	}
	token, err := s.redeem(found.Context(r.Context()), configured, found, r.URL.Query().Get("code"), a.Verifier)
	if err != nil {
		return session.Identity{}, "", refusedToken("code", configured, err)
	}
	c, err := s.verify(found.Context(r.Context()), configured, found, token, a.Nonce)
	if err != nil {
		return session.Identity{}, "", refusedToken("token", configured, err)
	}
	who := session.Identity{Issuer: configured.ID, Subject: c.Subject, Name: short(c.Name), Domain: short(c.Domain), TenantID: short(c.TenantID)}
	if configured.SubjectClaim == "oid" {
		who.Subject = c.ObjectID
	}
	if verified, ok := c.Verified.(bool); ok && verified {
		who.Email = short(c.Email)
	}
	if who.Subject == "" || len(who.Subject) > 255 {
		return session.Identity{}, "", refusedToken("subject", configured, nil)
	}
	return who, token, nil
}

// refusedToken is why nobody is signed in though an issuer was asked. The person can do nothing about it but try again.
func refusedToken(why string, configured accessfile.Issuer, err error) *refusal {
	return &refusal{
		Why: why, Err: err,
		Text: "What " + configured.Name + " answered does not prove who you are, so that you are not signed in. Please try again; if it happens again, tell whoever runs Rollcall.",
	}
}

// redeem gives the issuer a code for a token of an identity.
func (s *SignIn) redeem(ctx context.Context, configured accessfile.Issuer, found *issuer.Issuer, code, verifier string) (string, error) {
	if code == "" {
		return "", errors.New("there is no code")
	}
	secret, err := os.ReadFile(configured.ClientSecretFile) // now, so that a new one needs no restart
	if err != nil {
		return "", fmt.Errorf("read the client's secret: %w", err)
	}
	tokens, err := s.client(configured, found, strings.TrimSpace(string(secret))).Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return "", fmt.Errorf("the issuer answers %d %s", refused.Response.StatusCode, known(refused.ErrorCode))
	}
	if err != nil {
		return "", issuer.Plain(err)
	}
	id, ok := tokens.Extra("id_token").(string)
	if !ok {
		return "", errors.New("the issuer answers without an ID token")
	}
	return id, nil
}

// known is an error code of RFC 6749; of others only that there was one.
func known(code string) string {
	switch code {
	case "", "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return code
	}
	return "another error"
}

// verify returns what an ID token says, if the issuer has made it, now, for us and for this attempt.
func (s *SignIn) verify(ctx context.Context, configured accessfile.Issuer, found *issuer.Issuer, token, nonce string) (claims, error) {
	verifier := found.Provider.Verifier(&oidc.Config{
		ClientID: configured.ClientID, SupportedSigningAlgs: issuer.Algorithms, Now: s.deps.Clock.Now, SkipIssuerCheck: found.AnyTenant(),
	})
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return claims{}, issuer.Plain(err)
	}
	var c claims
	if err := verified.Claims(&c); err != nil {
		return claims{}, issuer.Plain(err)
	}
	switch {
	case found.AnyTenant() && (c.TenantID == "" || verified.Issuer != found.Of(c.TenantID)):
		return claims{}, errors.New("it is of another issuer")
	case subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(nonce)) != 1:
		return claims{}, errors.New("it is of another sign-in")
	case c.Party != "" && c.Party != configured.ClientID, len(verified.Audience) > 1 && c.Party == "":
		return claims{}, errors.New("it is for another client")
	}
	return c, nil
}

// short is a text of an issuer, as far as we keep it.
func short(s string) string {
	if len(s) > 255 {
		return ""
	}
	return s
}
