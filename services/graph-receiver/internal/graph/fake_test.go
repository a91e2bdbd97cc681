package graph

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid/entraidtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// fakeGraph is a TLS server that answers token requests and, with one function, everything else. It is for what the
// simulator, being faithful, never sends.
type fakeGraph struct {
	authority entraidtest.Authority
	server    *httptest.Server
	caFile    string
	secret    string // file of the client secret
	clock     *clock.Fake

	mu       sync.Mutex
	answer   http.HandlerFunc
	requests []string // method, path and query as they came
	observed []string // method, route
}

func newFake(t *testing.T, answer http.HandlerFunc) *fakeGraph {
	t.Helper()
	f := &fakeGraph{answer: answer, clock: clock.NewFake(time.Now())}
	f.server = httptest.NewTLSServer(f)
	t.Cleanup(f.server.Close)
	dir := t.TempDir()
	f.caFile, f.secret = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "secret")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	for path, content := range map[string][]byte{f.caFile: ca, f.secret: []byte("hunter2\n")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// ServeHTTP implements http.Handler.
func (f *fakeGraph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.authority.Handles(r.URL.Path) {
		f.authority.ServeHTTP(w, r)
		return
	}
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.RequestURI())
	answer := f.answer
	f.mu.Unlock()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token-") {
		http.Error(w, "no token", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;charset=utf-8")
	w.Header().Set("request-id", "7f3c-req")
	answer(w, r)
}

func (f *fakeGraph) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.requests...)
}

func (f *fakeGraph) observations() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.observed, ", ")
}

func (f *fakeGraph) tenant() tenant.Tenant {
	return tenant.Tenant{
		ID: "contoso", DirectoryID: "11111111-2222-3333-4444-555555555555",
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", File: f.secret},
		Endpoints:  tenant.Endpoints{API: f.server.URL + "/v1.0", Authority: f.server.URL, CAFile: f.caFile},
	}
}

func (f *fakeGraph) connect(t *testing.T) receiver.Directory {
	t.Helper()
	p, err := New(Config{Timeout: 10 * time.Second}, Deps{Clock: f.clock, Observe: func(method, route string, _ int, _ time.Duration) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.observed = append(f.observed, method+" "+route)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	d, err := p.Connect(f.tenant())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// says answers every request with one body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// odata is an error as Graph words it; the message names a person, which no error of ours may.
func odata(code string) string {
	return `{"error":{"code":"` + code + `","message":"Resource 'ada@contoso.com' says no.","innerError":{"date":"2026-11-22T10:00:00","request-id":"7f3c-req"}}}`
}
