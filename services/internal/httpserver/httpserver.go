// Package httpserver is an HTTP listener: a handler, and beside it /healthz and, where it is given what they tell, /readyz and
// /metrics. Its timeouts bound what a slow or hostile client can hold.
package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config says where to listen.
type Config struct {
	Addr string // host:port; port 0 takes a free one
	// ReplaceTakenPort takes a free port where the one in Addr is taken. See Server.Moved.
	ReplaceTakenPort bool
	// CertFile and KeyFile serve TLS where both are set. A renewed pair is taken up without a restart.
	CertFile, KeyFile string
	// Drain is how long requests in hand are waited for at the end; 0 means 10 s.
	Drain time.Duration
}

// Deps are what the server is given from outside.
type Deps struct {
	Logger  *slog.Logger
	Handler http.Handler        // what the process serves beside health and metrics; may be nil
	Ready   func() []Check      // asked at each request of /readyz; nil for none
	Metrics prometheus.Gatherer // told at /metrics; nil for none
}

// Check is one condition of readiness.
type Check struct {
	Name  string
	Ready func(context.Context) error // nil when ready; the error says why not, without secrets
}

// Limits of every request. A notification of 5 MB over a slow line fits into readTimeout; a client that dribbles does not.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	defaultDrain      = 10 * time.Second
)

// Server has its listener open.
type Server struct {
	listener net.Listener
	http     *http.Server
	tls      bool
	moved    bool
	drain    time.Duration
}

// New opens the listener, so that the address is known and taken before anything runs. Run serves it.
func New(cfg Config, deps Deps) (*Server, error) {
	listener, moved, err := listen(cfg)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP: %w", err)
	}
	s := &Server{listener: listener, moved: moved, drain: cfg.Drain, tls: cfg.CertFile != ""}
	if s.drain == 0 {
		s.drain = defaultDrain
	}
	s.http = &http.Server{
		Handler:           routes(deps),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(deps.Logger.Handler(), slog.LevelDebug),
	}
	if s.tls {
		certificate, err := newCertificate(cfg.CertFile, cfg.KeyFile)
		if err != nil {
			_ = listener.Close()
			return nil, fmt.Errorf("read the TLS certificate: %w", err)
		}
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}
	}
	return s, nil
}

func listen(cfg Config) (net.Listener, bool, error) {
	listener, err := net.Listen("tcp", cfg.Addr)
	if err == nil || !cfg.ReplaceTakenPort || !errors.Is(err, syscall.EADDRINUSE) {
		return listener, false, err
	}
	host, _, splitErr := net.SplitHostPort(cfg.Addr)
	if splitErr != nil {
		return nil, false, err
	}
	listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	return listener, true, err
}

func routes(deps Deps) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	if deps.Ready != nil {
		mux.HandleFunc("GET /readyz", readyz(deps.Ready))
	}
	if deps.Metrics != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(deps.Metrics, promhttp.HandlerOpts{}))
	}
	if deps.Handler != nil {
		mux.Handle("/", deps.Handler)
	}
	return mux
}

// URL is the server's base on this machine, e.g. http://127.0.0.1:8080.
func (s *Server) URL() string {
	if s.tls {
		return "https://" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

// Moved reports whether another port was taken than the one asked for.
func (s *Server) Moved() bool { return s.moved }

// Run serves until ctx ends, then waits for the requests in hand and breaks off those that outlast Config.Drain.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() {
		if s.tls {
			served <- s.http.ServeTLS(s.listener, "", "")
		} else {
			served <- s.http.Serve(s.listener)
		}
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
	defer cancel()
	if err := s.http.Shutdown(drain); err != nil {
		_ = s.http.Close() // breaks off what is still in hand
		return fmt.Errorf("finish the HTTP requests in hand: %w", err)
	}
	<-served
	return nil
}

// Close gives the listener back when Run is never called.
func (s *Server) Close() error { return s.listener.Close() }
