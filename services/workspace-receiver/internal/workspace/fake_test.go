package workspace

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// fakeGoogle is a TLS server that gives out tokens and, with one function, answers everything else. It is for what the
// simulator, being faithful, never sends.
type fakeGoogle struct {
	server          *httptest.Server
	caFile, keyFile string
	clock           *clock.Fake
	log             *strings.Builder // lines of the adapter's logger

	mu       sync.Mutex
	answer   http.HandlerFunc
	token    http.HandlerFunc // nil: every token is given
	requests []request
	observed []string // method and route
}

// request is one that came, with what was sent.
type request struct {
	Line  string // method and path
	Query url.Values
	Body  string
}

// began is when the fake's clock starts.
var began = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

const account = "rollcall@vendor.iam.gserviceaccount.com"

// accountKey is the key file of the service account, and the public key in it as PEM.
var accountKey = sync.OnceValues(func() (file []byte, public string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	file, err = json.Marshal(map[string]string{
		"type": "service_account", "client_id": "104857600000000000001", "client_email": account, "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"token_uri":   "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		panic(err)
	}
	return file, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
})

func newFake(t *testing.T, answer http.HandlerFunc) *fakeGoogle {
	t.Helper()
	f := &fakeGoogle{answer: answer, clock: clock.NewFake(began), log: &strings.Builder{}}
	f.server = httptest.NewTLSServer(f)
	t.Cleanup(f.server.Close)
	dir := t.TempDir()
	f.caFile, f.keyFile = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.json")
	key, _ := accountKey()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	for path, content := range map[string][]byte{f.caFile: ca, f.keyFile: key} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// ServeHTTP implements http.Handler.
func (f *fakeGoogle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	answer, token := f.answer, f.token
	if r.URL.Path != "/token" {
		f.requests = append(f.requests, request{r.Method + " " + r.URL.EscapedPath(), r.URL.Query(), string(body)})
	}
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	switch {
	case r.URL.Path == "/token" && token != nil:
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		token(w, r)
	case r.URL.Path == "/token":
		_, _ = w.Write([]byte(`{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`))
	case r.Header.Get("Authorization") != "Bearer token-1":
		http.Error(w, "no token", http.StatusUnauthorized)
	default:
		answer(w, r)
	}
}

// answers changes what answers from now on.
func (f *fakeGoogle) answers(answer http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *fakeGoogle) seen() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]request(nil), f.requests...)
}

// last is the request that came last.
func (f *fakeGoogle) last(t *testing.T) request {
	t.Helper()
	all := f.seen()
	if len(all) == 0 {
		t.Fatal("no request came")
	}
	return all[len(all)-1]
}

func (f *fakeGoogle) observations() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.observed, ", ")
}

func (f *fakeGoogle) tenant() tenant.Tenant {
	return tenant.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: "C03az79cb", Domain: "initech.com",
		Products: []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{
			Kind: tenant.GoogleKeyFile, File: f.keyFile, Subject: "admin@initech.com", ServiceAccount: account,
		},
		Endpoints: tenant.Endpoints{API: f.server.URL, Authority: f.server.URL, CAFile: f.caFile},
	}
}

func (f *fakeGoogle) provider(t *testing.T) *Provider {
	t.Helper()
	p, err := New(Config{Timeout: 10 * time.Second}, Deps{
		Clock: f.clock, Logger: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: func(method, route string, _ int, _ time.Duration) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.observed = append(f.observed, method+" "+route)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func (f *fakeGoogle) connect(t *testing.T) receiver.Directory {
	t.Helper()
	d, err := f.provider(t).Connect(f.tenant())
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

// refuses answers every request with an error as Google words it.
func refuses(status int, reason, message string) http.HandlerFunc {
	return says(status, failure(status, reason, message))
}

func failure(status int, reason, message string) string {
	raw, err := json.Marshal(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]any{"message": message, "domain": "global", "reason": reason}},
	}})
	if err != nil {
		panic(err) // numbers and strings
	}
	return string(raw)
}
