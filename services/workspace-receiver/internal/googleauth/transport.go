package googleauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// The hosts that have a part in a token.
const (
	oauthHost = "oauth2.googleapis.com"
	iamHost   = "iamcredentials.googleapis.com"
	stsHost   = "sts.googleapis.com"
)

// transport records what was asked and answered, and leads to the authority.
func transport(authority string, next http.RoundTripper) (http.RoundTripper, error) {
	if authority == "" {
		return remote.Recorder{Next: next}, nil
	}
	base, err := remote.Base(authority)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	return remote.Recorder{Next: rerouted{base, next}}, nil
}

// rerouted sends what is for Google's hosts to another.
type rerouted struct {
	to   *url.URL
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t rerouted) RoundTrip(req *http.Request) (*http.Response, error) {
	switch req.URL.Host {
	case oauthHost, iamHost, stsHost:
		req = req.Clone(req.Context())
		req.URL.Scheme, req.URL.Host, req.URL.Path, req.URL.RawPath = t.to.Scheme, t.to.Host, t.to.Path+req.URL.Path, ""
		req.Host = ""
	}
	return t.next.RoundTrip(req)
}

// bound gives requests the context of who wants the token: the libraries have one for all tokens, or none.
type bound struct {
	ctx  context.Context //nolint:containedctx // lives for one token
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t bound) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.next.RoundTrip(req.WithContext(t.ctx))
}

// Route names a request of a Source by a template, without the address of the service account.
func Route(req *http.Request) string {
	switch path := req.URL.Path; {
	case strings.HasSuffix(path, "/v1/token"):
		return "/v1/token"
	case strings.HasSuffix(path, "/token"):
		return "/token"
	case strings.HasSuffix(path, ":signJwt"):
		return "/v1/serviceAccounts/{account}:signJwt"
	case strings.HasSuffix(path, ":generateAccessToken"):
		return "/v1/serviceAccounts/{account}:generateAccessToken"
	}
	return "/authority"
}
