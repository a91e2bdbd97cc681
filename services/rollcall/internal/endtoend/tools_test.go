package endtoend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// background runs a part until the test is over, and then waits for its end.
func background(tb testing.TB, what string, run func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("%s ended with %v", what, err)
		}
	})
}

// eventually asks until the answer is yes. It is for what nobody announces.
func eventually(tb testing.TB, what string, yes func() bool) {
	tb.Helper()
	limit := time.After(patience)
	for !yes() {
		select {
		case <-limit:
			tb.Fatalf("not within %s: %s", patience, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// heard keeps all of something that comes bit by bit, for tests to wait on.
type heard[T any] struct {
	mu      sync.Mutex
	all     []T
	changed chan struct{} // closed and replaced with each one
}

func newHeard[T any]() *heard[T] { return &heard[T]{changed: make(chan struct{})} }

func (h *heard[T]) add(v T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, v)
	close(h.changed)
	h.changed = make(chan struct{})
}

// since returns those behind the first n, and a channel that is closed when there is more.
func (h *heard[T]) since(n int) ([]T, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all[min(n, len(h.all)):len(h.all):len(h.all)], h.changed
}

// mark is the place behind all that has come.
func (h *heard[T]) mark() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// await returns the first one behind a mark that matches, when it comes.
func (h *heard[T]) await(tb testing.TB, mark int, what string, match func(T) bool) T {
	tb.Helper()
	limit := time.After(patience)
	for {
		news, changed := h.since(mark)
		for _, v := range news {
			if match(v) {
				return v
			}
		}
		mark += len(news)
		select {
		case <-changed:
		case <-limit:
			tb.Fatalf("not within %s: %s (after %d others)", patience, what, mark)
		}
	}
}

// awaitCount waits until n have come.
func (h *heard[T]) awaitCount(tb testing.TB, n int) {
	tb.Helper()
	limit := time.After(patience)
	for {
		all, changed := h.since(0)
		if len(all) >= n {
			return
		}
		select {
		case <-changed:
		case <-limit:
			tb.Fatalf("%d of %d within %s", len(all), n, patience)
		}
	}
}

// pair is a certificate for this machine, and its key, as PEM files.
type pair struct {
	cert, key string
	pool      *x509.CertPool // trusts it
}

// newPair writes down the certificate that net/http/httptest serves 127.0.0.1 with.
func newPair(tb testing.TB) pair {
	tb.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	der, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	folder := tb.TempDir()
	p := pair{cert: filepath.Join(folder, "tls.crt"), key: filepath.Join(folder, "tls.key"), pool: x509.NewCertPool()}
	p.pool.AddCert(server.Certificate())
	for path, block := range map[string]*pem.Block{
		p.cert: {Type: "CERTIFICATE", Bytes: server.Certificate().Raw}, p.key: {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return p
}

// client speaks HTTP/1.1 and trusts one certificate. (A server that ends waits a second for each connection of HTTP/2.)
func client(tb testing.TB, trusted string) *http.Client {
	tb.Helper()
	raw, err := os.ReadFile(trusted)
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		tb.Fatalf("%s holds no certificate", trusted)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}, Timeout: patience}
	tb.Cleanup(c.CloseIdleConnections)
	return c
}

// tail keeps the last of what is logged.
type tail struct {
	mu   sync.Mutex
	last []byte
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = append(w.last, p...)
	if extra := len(w.last) - 16<<10; extra > 0 {
		w.last = bytes.Clone(w.last[extra:])
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.last))
}
