package endtoend

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// gate stands at the public URL, as a proxy does: it hands on what the provider sends, and keeps it. It outlives Rollcall.
type gate struct {
	server *httptest.Server
	client *http.Client // reaches Rollcall's own listener too
	target atomic.Pointer[url.URL]
	closed atomic.Bool // pushes are lost on the way, which the provider sees as 503
	pushes *heard[push]
}

// push is one POST of notifications that came by.
type push struct {
	body   []byte
	status int // that it was answered with
}

const notifications = "/graph/notifications"

func newGate(tb testing.TB, p pair) *gate {
	tb.Helper()
	g := &gate{pushes: newHeard[push]()}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	g.client = &http.Client{Transport: transport, Timeout: patience}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(g.target.Load()) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	g.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("validationToken") {
			proxy.ServeHTTP(w, r)
			return
		}
		g.hand(proxy, w, r)
	}))
	tb.Cleanup(func() {
		g.server.Close()
		transport.CloseIdleConnections()
	})
	return g
}

func (g *gate) url() string { return g.server.URL }

func (g *gate) handTo(tb testing.TB, base string) {
	tb.Helper()
	u, err := url.Parse(base)
	if err != nil {
		tb.Fatal(err)
	}
	g.target.Store(u)
}

func (g *gate) hand(proxy http.Handler, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	seen := &status{ResponseWriter: w}
	if g.closed.Load() {
		seen.WriteHeader(http.StatusServiceUnavailable)
	} else {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		proxy.ServeHTTP(seen, r)
	}
	g.pushes.add(push{body: body, status: seen.code})
}

// status notes what was answered.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// post sends a body to Rollcall's own listener, past the gate, and returns the status.
func (g *gate) post(tb testing.TB, body io.Reader) int {
	tb.Helper()
	return g.postWith(tb, g.client, body)
}

func (g *gate) postWith(tb testing.TB, client *http.Client, body io.Reader) int {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.target.Load().String()+notifications, body)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		tb.Fatalf("post a notification: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
