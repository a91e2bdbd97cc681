// Package googleauth is Google's sign-in as far as a service account with domain-wide delegation needs it: the token
// endpoint, and for one without a key the exchange of a foreign token and IAM's signature.
//
// Sources: developers.google.com/identity/protocols/oauth2/service-account, docs.cloud.google.com/iam/docs/reference/sts
// and …/credentials.
package googleauth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// tokenLife is what Google says of an access token: an hour, less a second.
const tokenLife = 3599 * time.Second

// Config is what a platform works with.
type Config struct {
	Tenants *store.Store
	Secret  []byte // seals access tokens
	Now     func() time.Time
	// Signers is the clock of those who sign assertions, where it is another: the libraries that do know the system's only.
	Signers func() time.Time
	Meter   *traffic.Meter
	Faults  *traffic.Faults
}

// Platform issues and verifies access tokens.
type Platform struct {
	Config
	key func() *rsa.PrivateKey // that IAM signs with for service accounts; made when it is first needed
}

// New returns a platform.
func New(cfg Config) *Platform {
	sum := sha256.Sum256(append([]byte("google "), cfg.Secret...)) // no token of the other provider is one of ours
	cfg.Secret = sum[:]
	if cfg.Signers == nil {
		cfg.Signers = cfg.Now
	}
	return &Platform{Config: cfg, key: sync.OnceValue(func() *rsa.PrivateKey {
		key, _ := rsa.GenerateKey(rand.Reader, 2048) // it fails for short keys only
		return key
	})}
}

// The paths that the platform serves. The last one ends in the service account's address, a colon and a method.
const (
	TokenPath    = "/token"
	ExchangePath = "/v1/token"
	IAMPath      = "/v1/projects/-/serviceAccounts/"
)

// Handler serves the platform's addresses.
func (p *Platform) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+TokenPath, p.serve(traffic.TokenRoute, p.token))
	mux.HandleFunc("POST "+ExchangePath, p.serve(traffic.ExchangeRoute, p.exchange))
	mux.HandleFunc("POST "+IAMPath+"{account}", p.serve(traffic.SignRoute, p.sign))
	return mux
}

// answer is what a request is answered with, and the directory id of the tenant that it counts for, if it is known.
type answer struct {
	tenant string
	body   map[string]any
}

func (p *Platform) serve(route string, f func(*http.Request) (answer, *fault)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		out, err := f(r)
		spoil, waited := p.Faults.Deal(r.Context(), traffic.Request{Tenant: out.tenant, Route: route})
		if waited != nil {
			return
		}
		if spoil.Status != 0 || spoil.Tears() {
			err = spoiled(spoil.Status)
		}
		w = spoil.Writer(w)
		for name, values := range spoil.RetryHeader() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
		if err != nil {
			p.Meter.Count(out.tenant, route, control.Counter{Requests: 1, Failed: 1})
			traffic.Tear(w)
			w.WriteHeader(err.status)
			_ = json.NewEncoder(w).Encode(err.body) // the caller is gone; there is nobody to tell
			return
		}
		p.Meter.Count(out.tenant, route, control.Counter{Requests: 1, Items: 1})
		_ = json.NewEncoder(w).Encode(out.body)
	}
}

// seal makes a token of our own that lives an hour.
func (p *Platform) seal(c signed.Claims) (string, *fault) {
	now := p.Now()
	c.IssuedAt, c.Expires = float64(now.Unix()), float64(now.Add(tokenLife).Unix())
	token, err := signed.Seal(c, p.Secret)
	if err != nil {
		return "", spoiled(http.StatusInternalServerError)
	}
	return tokenPrefix + token, nil
}

// tokenPrefix is how Google's access tokens begin.
const tokenPrefix = "ya29."
