// Package issuer speaks with those that sign people and machines in: it finds out where they are reached, and with which keys
// they sign.
package issuer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Algorithms are those that a token may be signed by: none of them with a secret that we would have to share, or with nothing.
var Algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

const (
	timeout     = 10 * time.Second
	maxAnswer   = 1 << 20          // bytes
	goodFor     = time.Hour        // until what was found out is looked up again
	failedFor   = 15 * time.Second // until an issuer that does not answer is asked again
	anyTenantID = "{tenantid}"     // in the issuer that Entra tells where people of several tenants sign in
)

// Issuer is one that has been found. It is safe for concurrent use.
type Issuer struct {
	URL      string // what its tokens name, with {tenantid} where that is the tenant of whoever signs in
	Provider *oidc.Provider
	Keys     *Keys // with which it signs
	// EndSession is where it signs people out whom we have signed out; empty where it does not.
	EndSession string
	jwks       string
	client     *http.Client
}

// Context makes what is done with it speak to the issuer as the access file says: with its CA, in a bounded time.
func (i *Issuer) Context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, i.client)
}

// Of is what the tokens of a person of an Entra tenant name as their issuer.
func (i *Issuer) Of(tenantID string) string { return strings.ReplaceAll(i.URL, anyTenantID, tenantID) }

// AnyTenant reports whether people of several tenants of Entra sign in there.
func (i *Issuer) AnyTenant() bool { return strings.Contains(i.URL, anyTenantID) }

// Finder finds issuers, and remembers them.
type Finder struct {
	clock clock.Clock

	mu    sync.Mutex
	known map[place]*found
}

// place is where an issuer is, and by which CA it is known.
type place struct{ url, caFile string }

// found is what is known of a place.
type found struct {
	mu     sync.Mutex // one asks for all
	issuer *Issuer    // the last that was found, if any
	err    error      // of the last look
	until  time.Time
}

// NewFinder makes a Finder.
func NewFinder(c clock.Clock) *Finder { return &Finder{clock: c, known: map[place]*found{}} }

// Find returns the issuer at a URL, whose certificate is of a CA in caFile or of one that the system knows. Only URLs of the
// access file are to be asked for: each is remembered.
func (f *Finder) Find(ctx context.Context, issuerURL, caFile string) (*Issuer, error) {
	p := f.at(place{issuerURL, caFile})
	p.mu.Lock()
	defer p.mu.Unlock()
	now := f.clock.Now()
	if now.Before(p.until) {
		return p.answer()
	}
	i, err := discover(context.WithoutCancel(ctx), issuerURL, caFile, f.clock) // others wait for it too
	if p.err = err; err != nil {
		p.until = now.Add(failedFor)
	} else {
		p.issuer, p.until = i, now.Add(goodFor)
	}
	return p.answer()
}

// answer is the issuer, also where it does not answer any more: what it said once holds for long.
func (p *found) answer() (*Issuer, error) {
	if p.issuer != nil {
		return p.issuer, nil
	}
	return nil, p.err
}

func (f *Finder) at(p place) *found {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known[p] == nil {
		f.known[p] = &found{}
	}
	return f.known[p]
}

func discover(ctx context.Context, issuerURL, caFile string, c clock.Clock) (*Issuer, error) {
	client, err := newClient(caFile)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, client)
	expected := anyTenant(issuerURL)
	if expected != issuerURL {
		ctx = oidc.InsecureIssuerURLContext(ctx, expected) // compared below, and with each token's tenant
	}
	provider, err := oidc.NewProvider(ctx, issuerURL)
	if err != nil {
		return nil, fmt.Errorf("find out about the issuer: %w", Plain(err))
	}
	var said struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
		End    string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&said); err != nil || said.Issuer != expected {
		return nil, errors.New("the issuer says that it is another one")
	}
	for _, endpoint := range []string{provider.Endpoint().AuthURL, provider.Endpoint().TokenURL, said.JWKS} {
		if !speakable(endpoint, issuerURL) {
			return nil, errors.New("the issuer names an address without https")
		}
	}
	i := &Issuer{URL: expected, Provider: provider, jwks: said.JWKS, client: client}
	if speakable(said.End, issuerURL) { // nobody signs in by it: one that is of no use is left alone
		i.EndSession = said.End
	}
	i.Keys = newKeys(i, c)
	return i, nil
}

// AnyTenant reports whether a URL is Entra's for people of several tenants: each of them has an issuer of its own.
func AnyTenant(issuerURL string) bool { return anyTenant(issuerURL) != issuerURL }

// anyTenant is what the issuer at a URL says that it is: itself, but for Entra where people of several tenants sign in.
func anyTenant(issuerURL string) string {
	u, err := url.Parse(issuerURL)
	if err != nil {
		return issuerURL
	}
	for _, path := range []string{"/common/v2.0", "/organizations/v2.0"} {
		if u.Path == path {
			return strings.TrimSuffix(issuerURL, path) + "/" + anyTenantID + "/v2.0"
		}
	}
	return issuerURL
}

// speakable reports whether secrets may be sent to an address: by https, or by http to this machine from an issuer on it. An
// endpoint that is not named is not used.
func speakable(endpoint, issuerURL string) bool {
	if endpoint == "" {
		return true
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(issuerURL, "http:") && loopback(u.Hostname())
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

func newClient(caFile string) (*http.Client, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("read the issuer's ca_file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("the issuer's ca_file holds no certificate")
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{
		Transport: bounded{transport}, Timeout: timeout,
		// Whoever is redirected would be sent the client's secret.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// bounded reads no more of an answer than an issuer has to say.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

// quoted is what an error of a library repeats of what it was given.
var quoted = regexp.MustCompile(`(?s)".*"|\[.*\]`)

// Plain is an error of a library, for the log: on one line, without what it repeats of a token or an answer.
func Plain(err error) error {
	text, _, _ := strings.Cut(quoted.ReplaceAllString(err.Error(), "…"), "\n")
	if len(text) > 200 {
		text = text[:200]
	}
	return errors.New(text)
}
