// Package oidctest is an OpenID Connect issuer for tests: it signs in whoever it is told to, over HTTP, with real codes, keys and
// checks, and gives wrong answers on demand.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// Client is an application that people sign in to, or a machine.
type Client struct {
	ID, Secret string
	Redirects  []string       // where people may be sent back to
	LoggedOut  []string       // and where after they were signed out; none: the issuer signs nobody out
	Machine    map[string]any // of client credentials: what its tokens say beside iss, iat and exp
}

// Faults are what an issuer does wrong. Each is called with what it is about to say.
type Faults struct {
	Discovery func(map[string]any)
	Authorize func(url.Values)                 // what is sent back with a browser
	Claims    func(map[string]any)             // of an ID token
	Token     func(signed string) string       // the signed ID token
	Answer    func(w http.ResponseWriter) bool // in place of the token endpoint's answer; true where it has answered
}

// Server is a running issuer. It is safe for concurrent use.
type Server struct {
	URL string // the issuer's

	tb      testing.TB
	mu      sync.Mutex
	now     func() time.Time
	clients map[string]Client
	person  map[string]any // the claims of whoever signs in next
	codes   map[string]code
	keys    []jose.JSONWebKey // the last signs
	faults  Faults
	asked   map[string]int // requests by path
	out     []string       // subjects of those who were signed out
}

// code is one that was given to a browser.
type code struct {
	client, redirect, challenge, nonce string
	person                             map[string]any
}

// Start starts an issuer on a loopback address, which ends with the test. now is its time; nil is the machine's.
func Start(tb testing.TB, now func() time.Time) *Server {
	tb.Helper()
	if now == nil {
		now = time.Now
	}
	s := &Server{tb: tb, now: now, clients: map[string]Client{}, codes: map[string]code{}, asked: map[string]int{}}
	s.RotateKey()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery(s.issuer))
	mux.HandleFunc("GET /organizations/v2.0/.well-known/openid-configuration", s.discovery(func() string { return s.Of("{tenantid}") }))
	mux.HandleFunc("GET /keys", s.publish)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /logout", s.logout)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.Path]++
		s.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Register makes a client known, and returns the path of a file with its secret.
func (s *Server) Register(c Client) (secretFile string) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.ID] = c
	secretFile = filepath.Join(s.tb.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte(c.Secret+"\n"), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	return secretFile
}

// SignIn makes everybody who comes from now on the one with these claims: sub, email, email_verified and so on.
func (s *Server) SignIn(claims map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person = maps.Clone(claims)
}

// Fail makes the issuer do wrong from now on; none of the faults ends it.
func (s *Server) Fail(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Asked is how often a path was asked for.
func (s *Server) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// RotateKey makes a new key that signs from now on. The one before it is still published, those before that are not.
func (s *Server) RotateKey() {
	s.tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys[max(0, len(s.keys)-1):], jose.JSONWebKey{Key: private, KeyID: rand.Text(), Algorithm: string(jose.ES256), Use: "sig"})
}

// Sign returns a token that says what claims say, signed with the issuer's key. iss, iat and exp are added where they are missing.
func (s *Server) Sign(claims map[string]any) string {
	s.tb.Helper()
	s.mu.Lock()
	key := s.keys[len(s.keys)-1]
	now := s.now()
	s.mu.Unlock()
	all := map[string]any{"iss": s.URL, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	maps.Copy(all, claims)
	return SignWith(s.tb, jose.ES256, key, all)
}

// SignWith returns a token signed with any key.
func SignWith(tb testing.TB, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	tb.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		tb.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		tb.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func (s *Server) issuer() string { return s.URL }

// Organizations is the issuer as Entra has one for people of any tenant; Of is what their tokens name.
func (s *Server) Organizations() string { return s.URL + "/organizations/v2.0" }

// Of is the issuer of people of a tenant.
func (s *Server) Of(tenant string) string { return s.URL + "/" + tenant + "/v2.0" }

func (s *Server) discovery(issuer func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { s.discovered(w, issuer()) }
}

func (s *Server) discovered(w http.ResponseWriter, issuer string) {
	said := map[string]any{
		"issuer": issuer, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"}, "code_challenge_methods_supported": []string{"S256"},
	}
	if s.signsOut() {
		said["end_session_endpoint"] = s.URL + "/logout"
	}
	if f := s.failing().Discovery; f != nil {
		f(said)
	}
	write(w, http.StatusOK, said)
}

func (s *Server) publish(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := jose.JSONWebKeySet{}
	for _, key := range s.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	write(w, http.StatusOK, set)
}

// authorize sends a browser back with a code for whoever is to sign in, without asking.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	c, known := s.clients[q.Get("client_id")]
	given := rand.Text()
	s.codes[given] = code{client: c.ID, redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), nonce: q.Get("nonce"), person: s.person}
	s.mu.Unlock()
	if !known || !slices.Contains(c.Redirects, q.Get("redirect_uri")) || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "this is no request to sign in: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	back := url.Values{"code": {given}, "state": {q.Get("state")}, "iss": {s.URL}}
	if f := s.failing().Authorize; f != nil {
		f(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
}

// token redeems a code once, for the client that it was given to, or gives a machine its token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	c, ok := s.authenticate(r)
	if !ok {
		write(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	if f := s.failing().Answer; f != nil && f(w) {
		return
	}
	if r.PostFormValue("grant_type") == "client_credentials" && c.Machine != nil {
		write(w, http.StatusOK, map[string]any{"access_token": s.Sign(c.Machine), "token_type": "Bearer", "expires_in": 300})
		return
	}
	s.mu.Lock()
	given, ok := s.codes[r.PostFormValue("code")]
	delete(s.codes, r.PostFormValue("code"))
	s.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || given.client != c.ID || given.redirect != r.PostFormValue("redirect_uri") ||
		given.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
		write(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "the code is no good"})
		return
	}
	claims := map[string]any{"aud": c.ID, "nonce": given.nonce}
	maps.Copy(claims, given.person)
	if f := s.failing().Claims; f != nil {
		f(claims)
	}
	signed := s.Sign(claims)
	if f := s.failing().Token; f != nil {
		signed = f(signed)
	}
	write(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 300, "id_token": signed})
}

func (s *Server) authenticate(r *http.Request) (Client, bool) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.clients[id]
	return c, known && subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 1
}

func (s *Server) failing() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
