package simulator

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/controlapi"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/entra"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleauth"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/identity"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/reports"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/workspace"
)

// parts are what the handlers share.
type parts struct {
	secret []byte
	meter  *traffic.Meter
	faults *traffic.Faults
}

// handler puts all behind one listener: Graph below /v1.0, Google's Admin SDK below /admin, its sign-in at three
// addresses, the control API below /control, and the Microsoft identity platform, whose paths begin with a tenant, at
// everything else.
func (s *Server) handler(secret []byte) http.Handler {
	p := parts{secret: secret, meter: traffic.NewMeter(), faults: s.faults}
	platform := identity.New(identity.Config{
		Tenants: s.store, Secret: secret, Now: s.deps.Clock.Now, Meter: p.meter, Faults: p.faults, Settings: s.current,
	})
	graph := entra.New(entra.Config{
		Store: s.store, Tokens: platform, Push: s.hub, Meter: p.meter, Faults: p.faults, Clock: s.deps.Clock,
		Settings: s.current, AllowLoopbackHTTP: s.cfg.AllowLoopbackHTTP,
	}).Handler()
	controls := controlapi.New(controlapi.Config{
		Store: s.store, Push: s.hub, GooglePush: s.google, Meter: p.meter, Faults: p.faults, Settings: &s.settings,
		AllowRemote: s.cfg.AllowRemoteControl,
	}).Handler()
	tokens, google := platform.Handler(), s.googleHandler(p)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/v1.0/"):
			graph.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/control/"):
			controls.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/admin/"), path == googleauth.TokenPath, path == googleauth.ExchangePath, strings.HasPrefix(path, googleauth.IAMPath):
			google.ServeHTTP(w, r)
		case path == "/healthz":
			w.WriteHeader(http.StatusOK)
		default:
			tokens.ServeHTTP(w, r)
		}
	})
}

// googleHandler is Google's half: the two admin APIs and sign-in.
func (s *Server) googleHandler(p parts) http.Handler {
	platform := googleauth.New(googleauth.Config{
		Tenants: s.store, Secret: p.secret, Now: s.deps.Clock.Now, Signers: time.Now, Meter: p.meter, Faults: p.faults,
	})
	admin := workspace.New(workspace.Config{
		Store: s.store, Callers: platform, Push: s.google, Meter: p.meter, Faults: p.faults, Clock: s.deps.Clock, Settings: s.current,
	}).Handler()
	audit := reports.New(reports.Config{
		Store: s.store, Tokens: platform, Push: s.google, Meter: p.meter, Faults: p.faults, Clock: s.deps.Clock, Settings: s.current,
	}).Handler()
	mux := http.NewServeMux()
	mux.Handle(workspace.Path, admin)
	mux.Handle(workspace.StopPath, admin)
	mux.Handle("/admin/reports/", audit)
	mux.Handle("/admin/reports_v1/", audit)
	mux.Handle("/", platform.Handler())
	return mux
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
