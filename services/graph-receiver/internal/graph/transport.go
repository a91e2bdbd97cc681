package graph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// maxAnswer bounds one page. The largest that Graph documents are 999 objects; a page of 999 users has about 1 MiB.
const maxAnswer = 32 << 20

// pool returns the connections for a CA file, shared by all tenants that name the same certificates.
func (p *Provider) pool(caFile string) (*http.Transport, error) {
	var pem []byte
	if caFile != "" {
		var err error
		if pem, err = os.ReadFile(caFile); err != nil {
			return nil, fmt.Errorf("read the CA file: %w", err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if pool, ok := p.pools[string(pem)]; ok {
		return pool, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(pem) > 0 {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the CA file %s holds no certificate", caFile)
		}
		config.RootCAs = roots
	}
	pool := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 8,
	}
	p.pools[string(pem)] = pool
	return pool, nil
}

type routeKey struct{}

// withRoute names the template of the request that ctx is for.
func withRoute(ctx context.Context, route string) context.Context {
	return context.WithValue(ctx, routeKey{}, route)
}

// observed tells of each request.
type observed struct {
	next  http.RoundTripper
	route func(*http.Request) string
	tell  func(method, route string, status int, d time.Duration)
}

// RoundTrip implements http.RoundTripper.
func (t observed) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := t.next.RoundTrip(req)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	t.tell(req.Method, t.route(req), status, time.Since(began))
	return res, err
}

func apiRoute(req *http.Request) string {
	route, _ := req.Context().Value(routeKey{}).(string)
	return route
}

func authorityRoute(req *http.Request) string {
	if strings.HasSuffix(req.URL.Path, "/token") {
		return "/token"
	}
	return "/authority"
}

// answers lets only successes through to the SDK, and these no larger than maxAnswer. Anything else becomes a
// *ResponseError here, before the SDK reads it: its own error type panics on an error without a message, loses the
// status of one that is not JSON, and prints messages that name people.
type answers struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t answers) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		return nil, newResponseError(res)
	}
	res.Body = &capped{ReadCloser: res.Body, left: maxAnswer}
	return res, nil
}

// capped fails a body that is too long, where io.LimitReader would cut it.
type capped struct {
	io.ReadCloser
	left int64
}

var errTooLong = errors.New("the answer is too long")

func (c *capped) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooLong
	}
	return n, err
}
