package simulator

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/controlapi"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/entra"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/identity"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// handler puts the three parts behind one listener: Graph below /v1.0, the control API below /control, and the identity
// platform, whose paths begin with a tenant, at everything else.
func (s *Server) handler(secret []byte) http.Handler {
	meter, faults := traffic.NewMeter(), &traffic.Faults{}
	settings := &atomic.Pointer[control.Settings]{}
	settings.Store(&control.Settings{PageSize: s.cfg.PageSize})
	platform := identity.New(identity.Config{
		Tenants: s.store, Secret: secret, Now: s.deps.Clock.Now, Meter: meter, Faults: faults,
	})
	graph := entra.New(entra.Config{
		Store: s.store, Tokens: platform, Push: s.hub, Meter: meter, Faults: faults, Clock: s.deps.Clock,
		Settings:          func() control.Settings { return *settings.Load() },
		AllowLoopbackHTTP: s.cfg.AllowLoopbackHTTP,
	}).Handler()
	controls := controlapi.New(controlapi.Config{
		Store: s.store, Push: s.hub, Meter: meter, Faults: faults, Settings: settings, AllowRemote: s.cfg.AllowRemoteControl,
	}).Handler()
	tokens := platform.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1.0/"):
			graph.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/control/"):
			controls.ServeHTTP(w, r)
		case r.URL.Path == "/healthz":
			w.WriteHeader(http.StatusOK)
		default:
			tokens.ServeHTTP(w, r)
		}
	})
}

// newNotifier makes the HTTP client that notifications are sent with. It follows no redirects.
func newNotifier(caFiles []string) (*http.Client, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, file := range caFiles {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read a trusted certificate authority: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read a trusted certificate authority: %s holds no certificate", file)
		}
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 16,
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
