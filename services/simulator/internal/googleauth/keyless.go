package googleauth

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessType    = "urn:ietf:params:oauth:token-type:access_token"
	keyName       = "simulated-google-managed-key"
)

// What tokens of our own are for.
const (
	useAPI    = "api"    // the admin APIs
	useCaller = "caller" // IAM: Subject is a service account that the holder may sign as
)

// exchange answers POST /v1/token: a token of a registered issuer and subject for one that IAM takes.
func (p *Platform) exchange(r *http.Request) (answer, *fault) {
	_ = r.ParseForm() // what cannot be read is missing
	form := r.PostForm
	if form.Get("grant_type") != exchangeGrant {
		return answer{}, oauth(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant type")
	}
	if form.Get("audience") == "" || form.Get("subject_token") == "" || form.Get("subject_token_type") == "" {
		return answer{}, oauth(http.StatusBadRequest, "invalid_request", "Required parameter is missing: audience, subject_token or subject_token_type")
	}
	subject, err := signed.Parse(form.Get("subject_token"))
	if err != nil {
		return answer{}, invalidGrant("Error code invalid_grant: ID Token is malformed.")
	}
	if !subject.Current(p.Signers()) {
		return answer{}, invalidGrant("ID Token issued at " + time.Unix(int64(subject.Claims.IssuedAt), 0).UTC().Format(time.RFC3339) + " is stale to sign-in.")
	}
	for _, t := range p.Tenants.Tenants() {
		if t.Workspace() && slices.ContainsFunc(t.App.Federated, func(f store.Federated) bool { return trusts(f, subject, form.Get("audience")) }) {
			token, f := p.seal(signed.Claims{Use: useCaller, Subject: t.App.ServiceAccount})
			return answer{tenant: t.DirectoryID, body: map[string]any{
				"access_token": token, "issued_token_type": accessType, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()),
			}}, f
		}
	}
	return answer{}, invalidGrant("The issuer, subject, audience or signature of the ID Token does not match a provider of the workload identity pool.")
}

// trusts reports whether a token is of a federated identity, and meant for the audience of its provider: the token
// names it as its own audience, with or without https:, unless the registration leaves it open.
func trusts(f store.Federated, token *signed.Token, audience string) bool {
	if f.Issuer != token.Claims.Issuer || f.Subject != token.Claims.Subject {
		return false
	}
	if f.PublicKey != "" && !token.SignedBy(signed.ReadPublicKey(f.PublicKey)) {
		return false
	}
	return f.Audience == "" || f.Audience == audience
}

// sign answers IAM's methods of a service account: signJwt, and generateAccessToken for its own access token.
func (p *Platform) sign(r *http.Request) (answer, *fault) {
	account, method, _ := strings.Cut(r.PathValue("account"), ":")
	account = directory.Address(account)
	out := answer{}
	for _, t := range p.delegates(account) {
		out.tenant = t.DirectoryID
	}
	caller, known := p.caller(r, account)
	switch {
	case !known:
		return out, unauthenticated()
	case caller != account && method == "signJwt":
		return out, permissionDenied("iam.serviceAccounts.signJwt")
	case caller != account:
		return out, permissionDenied("iam.serviceAccounts.getAccessToken")
	case method == "signJwt":
		return p.signJWT(r, out)
	case method != "generateAccessToken":
		return out, iam(http.StatusNotFound, "NOT_FOUND", "Method not found.")
	}
	token, f := p.seal(signed.Claims{Use: useCaller, Subject: account})
	out.body = map[string]any{"accessToken": token, "expireTime": p.Now().Add(tokenLife).UTC().Format(time.RFC3339)}
	return out, f
}

func (p *Platform) signJWT(r *http.Request, out answer) (answer, *fault) {
	var body struct {
		Payload string `json:"payload"`
	}
	var claims map[string]any
	if json.NewDecoder(r.Body).Decode(&body) != nil || json.Unmarshal([]byte(body.Payload), &claims) != nil {
		return out, iam(http.StatusBadRequest, "INVALID_ARGUMENT", "Request contains an invalid argument.")
	}
	token, err := signed.Sign(body.Payload, keyName, p.key())
	if err != nil {
		return out, spoiled(http.StatusInternalServerError)
	}
	out.body = map[string]any{"keyId": keyName, "signedJwt": token}
	return out, nil
}

// caller finds the service account that the request's bearer may sign as: with a plain configured token, the one that is
// asked for.
func (p *Platform) caller(r *http.Request, account string) (string, bool) {
	token := bearer(r)
	for _, t := range p.Tenants.Tenants() {
		configured := t.App.CallerToken
		if t.Workspace() && configured != "" && subtle.ConstantTimeCompare([]byte(configured), []byte(token)) == 1 {
			if t.App.ServiceAccount == account {
				return account, true
			}
		}
	}
	claims, ok := p.open(token, useCaller)
	return claims.Subject, ok
}
