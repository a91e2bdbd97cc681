package remote

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

// Pools are connections, one pool for each set of certificates that tenants trust. The zero value is ready; it may be
// used by several goroutines.
type Pools struct {
	mu    sync.Mutex
	byPEM map[string]*http.Transport // by the PEM of the CA that they trust besides the system's
}

// Transport returns the connections for a CA file, a PEM whose certificates are trusted besides the system's; "" is the
// system's alone. Tenants that name the same certificates share one. The error names the file.
func (p *Pools) Transport(caFile string) (*http.Transport, error) {
	var pem []byte
	if caFile != "" {
		var err error
		if pem, err = os.ReadFile(caFile); err != nil {
			return nil, fmt.Errorf("read the CA file: %w", err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if pool, ok := p.byPEM[string(pem)]; ok {
		return pool, nil
	}
	pool, err := newTransport(pem, caFile)
	if err != nil {
		return nil, err
	}
	if p.byPEM == nil {
		p.byPEM = map[string]*http.Transport{}
	}
	p.byPEM[string(pem)] = pool
	return pool, nil
}

func newTransport(pem []byte, caFile string) (*http.Transport, error) {
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
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 8,
	}, nil
}

// Close ends idle connections. Who has a transport can go on using it.
func (p *Pools) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pool := range p.byPEM {
		pool.CloseIdleConnections()
	}
}
