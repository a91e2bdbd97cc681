// Package googleauthtest answers as Google's three hosts do to a service account that asks for a token as somebody else,
// just far enough for tests of what is sent; signatures are real. The simulator is the faithful one.
package googleauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The service account, the admin that it acts as, and a token that our own platform gave.
const (
	ServiceAccount = "rollcall@vendor.iam.gserviceaccount.com"
	Admin          = "admin@initech.com"
	SubjectToken   = "platform-token"
)

// Refusal is an answer that is no token.
type Refusal struct {
	Status int
	Header http.Header
	Body   string
}

// Authority is an http.Handler. Tokens are "token-1", "token-2" and so on.
type Authority struct {
	Key *rsa.PrivateKey // the service account's
	// Accept decides on a request by its path, before it is looked at; nil accepts all. What it returns is written instead.
	Accept func(path string) *Refusal

	mu     sync.Mutex
	asked  []string // paths
	claims []Claims // that tokens were given for
}

// New returns an authority that serves over TLS until the test ends.
func New(t *testing.T) (*Authority, *httptest.Server) {
	t.Helper()
	a := &Authority{Key: NewKey(t)}
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	return a, server
}

// NewKey makes a key for a service account.
func NewKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Asked returns the paths of the requests so far.
func (a *Authority) Asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// Claims returns what tokens were given for.
func (a *Authority) Claims() []Claims {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.claims)
}

// ServeHTTP implements http.Handler.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	no := a.refuses(r)
	if no == nil {
		var answer any
		if answer, no = a.answer(r); no == nil {
			_ = json.NewEncoder(w).Encode(answer) // who hung up wants no token
			return
		}
	}
	for key, values := range no.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(no.Status)
	_, _ = w.Write([]byte(no.Body))
}

func (a *Authority) refuses(r *http.Request) *Refusal {
	if a.Accept == nil {
		return nil
	}
	return a.Accept(r.URL.Path)
}

func (a *Authority) answer(r *http.Request) (any, *Refusal) {
	if err := r.ParseForm(); err != nil {
		return nil, OAuth("invalid_request", "form")
	}
	switch path := r.URL.Path; {
	case path == "/v1/token":
		if r.PostForm.Get("subject_token") != SubjectToken {
			return nil, OAuth("invalid_grant", "subject_token "+r.PostForm.Get("subject_token"))
		}
		return map[string]any{
			"access_token": "federated", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": 3600,
		}, nil
	case path == "/v1/projects/-/serviceAccounts/"+ServiceAccount+":signJwt":
		return a.sign(r)
	case path == "/token":
		return a.token(r)
	}
	return nil, &Refusal{Status: http.StatusNotFound}
}

func (a *Authority) sign(r *http.Request) (any, *Refusal) {
	if r.Header.Get("Authorization") != "Bearer federated" {
		return nil, &Refusal{Status: http.StatusForbidden, Body: `{"error":{"code":403,"status":"PERMISSION_DENIED","message":"of ` + ServiceAccount + `"}}`}
	}
	var asked struct{ Payload string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, &Refusal{Status: http.StatusBadRequest}
	}
	return map[string]string{"keyId": "k", "signedJwt": Sign(a.Key, []byte(asked.Payload))}, nil
}

func (a *Authority) token(r *http.Request) (any, *Refusal) {
	if grant := r.PostForm.Get("grant_type"); grant != "assertion" && grant != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return nil, OAuth("unsupported_grant_type", grant)
	}
	claims, ok := verify(&a.Key.PublicKey, r.PostForm.Get("assertion"))
	switch {
	case !ok:
		return nil, OAuth("invalid_grant", "Invalid JWT Signature: "+r.PostForm.Get("assertion"))
	case claims.Issuer != ServiceAccount || claims.Audience != "https://oauth2.googleapis.com/token" || claims.Expires-claims.Issued > 3600:
		return nil, OAuth("invalid_grant", "claims")
	case claims.Subject != Admin:
		return nil, OAuth("invalid_grant", "Invalid email or User ID: "+claims.Subject)
	case strings.Contains(claims.Scope, "drive"):
		return nil, &Refusal{Status: http.StatusUnauthorized, Body: OAuth("unauthorized_client", claims.Scope).Body}
	}
	a.claims = append(a.claims, claims)
	return map[string]any{"access_token": "token-" + strconv.Itoa(len(a.claims)), "token_type": "Bearer", "expires_in": 3599}, nil
}

// OAuth is a refusal as the token endpoints write it.
func OAuth(code, description string) *Refusal {
	body, err := json.Marshal(map[string]string{"error": code, "error_description": description})
	if err != nil {
		panic(err) // two strings
	}
	return &Refusal{Status: http.StatusBadRequest, Body: string(body)}
}

// KeyFile is a service account's JSON key. Its token_uri leads elsewhere, as one that was tampered with would.
func KeyFile(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": ServiceAccount, "private_key_id": "k", "token_uri": "https://evil.example/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Federated is a workload identity configuration whose subject token lies in a file.
func Federated(t *testing.T, tokenFile string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.googleapis.com/v1/token",
		"credential_source": map[string]string{"file": tokenFile},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
