// Package simulator is Microsoft Graph and Google's Admin SDK, with the sign-in services in front of them, as a server on
// this machine: faithful to their documents for all that Rollcall uses, with faults on demand. It serves demos, tests and
// anyone who has no tenant at hand. The control API below /control changes the simulated directories; see package control.
package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/pki"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/push"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// Config says where the simulator listens and what it keeps. The zero value works: a random loopback port, nothing kept.
type Config struct {
	Addr    string // of the listener; empty means 127.0.0.1:0
	DataDir string // keeps directories, subscriptions, keys and certificates; empty keeps nothing
	// AllowLoopbackHTTP accepts notification URLs with plain http on a loopback address, which both providers refuse.
	AllowLoopbackHTTP bool
	PageSize          int           // see control.Settings
	RetryBase         time.Duration // first delay before a notification is sent again; 0 means Graph's 10 s and Google's 5 s
	TrustCAFiles      []string      // PEM files of certificate authorities to trust, beside the system's, at notification URLs
	Hosts             []string      // further names in the server certificate, e.g. of a container
	// AllowRemoteControl serves the control API to callers that are not on this machine.
	AllowRemoteControl bool
}

// Deps are what the simulator is given from outside. Nil fields have defaults: no logs, the system's clock.
type Deps struct {
	Logger *slog.Logger
	Clock  clock.Clock
}

// Server is one simulator.
type Server struct {
	cfg      Config
	deps     Deps
	listener net.Listener
	cert     tls.Certificate
	caFile   string
	scratch  string // a folder to remove at the end, or ""
	store    *store.Store
	notifier *http.Client
	faults   *traffic.Faults
	hub      *push.Hub       // Graph's
	google   *googlepush.Hub // Google's
	settings atomic.Pointer[control.Settings]
	http     *http.Server
}

// How long requests may take to finish once the simulator is told to stop.
const drain = 5 * time.Second

// New opens the data folder and the listener. Requests are served once Run is called.
func New(cfg Config, deps Deps) (*Server, error) {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Clock == nil {
		deps.Clock = clock.System()
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	s := &Server{cfg: cfg, deps: deps}
	s.settings.Store(&control.Settings{PageSize: cfg.PageSize})
	if err := s.open(); err != nil {
		s.close()
		return nil, fmt.Errorf("open the simulator: %w", err)
	}
	return s, nil
}

func (s *Server) open() error {
	dir := s.cfg.DataDir
	if dir == "" {
		var err error
		if s.scratch, err = os.MkdirTemp("", "rollcall-simulator-"); err != nil {
			return err
		}
		dir = s.scratch
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var err error
	if s.cert, s.caFile, err = pki.Ensure(dir, s.cfg.Hosts, time.Now()); err != nil { // certificates are checked by the system's clock
		return err
	}
	secret, err := pki.Secret(dir, "token.key")
	if err != nil {
		return err
	}
	if s.store, err = store.Open(store.Config{Dir: s.cfg.DataDir, Now: s.deps.Clock.Now}); err != nil {
		return err
	}
	if s.notifier, err = newNotifier(s.cfg.TrustCAFiles); err != nil {
		return err
	}
	s.faults = traffic.NewFaults(s.deps.Clock)
	s.hub = push.New(push.Config{
		Store: s.store, Client: s.notifier, Clock: s.deps.Clock, Logger: s.deps.Logger, RetryBase: s.cfg.RetryBase,
		Faults: s.faults,
	})
	s.google = googlepush.New(googlepush.Config{
		Store: s.store, Client: s.notifier, Clock: s.deps.Clock, Logger: s.deps.Logger, RetryBase: s.cfg.RetryBase,
		AllowLoopbackHTTP: s.cfg.AllowLoopbackHTTP, Settings: s.current, Faults: s.faults,
	})
	s.store.Watch(func(tenant string, changes []store.Change) {
		if store.IsCustomerID(tenant) {
			s.google.Notice(tenant, changes)
		} else {
			s.hub.Notice(tenant, changes)
		}
	})
	if s.listener, err = net.Listen("tcp", s.cfg.Addr); err != nil {
		return err
	}
	s.http = &http.Server{
		Handler:           s.handler(secret),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.deps.Logger.Handler(), slog.LevelDebug),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12},
	}
	return nil
}

// Run serves until ctx ends, then finishes the requests in hand. It can be called once.
func (s *Server) Run(ctx context.Context) error {
	defer s.close()
	s.deps.Logger.Info("the simulator listens", "url", s.URL(), "ca_file", s.caFile)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.hub.Run(ctx) })
	group.Go(func() error { return s.google.Run(ctx) })
	group.Go(func() error {
		err := s.http.ServeTLS(s.listener, "", "")
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve the simulator: %w", err)
	})
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := s.http.Shutdown(stop); err != nil {
			return errors.Join(fmt.Errorf("stop the simulator: %w", err), s.http.Close())
		}
		return nil
	})
	return errors.Join(group.Wait(), s.closeStore())
}

// URL is the simulator's base, e.g. https://127.0.0.1:7443. It is the authority host and, with /v1.0 behind it, Graph. For
// Workspace it is the base of the Admin SDK, of the token endpoint and of IAM.
func (s *Server) URL() string { return "https://" + s.listener.Addr().String() }

// CAFile is the path of the PEM file of the certificate authority to trust. Without a DataDir it goes when Run ends.
func (s *Server) CAFile() string { return s.caFile }

// current are the settings in force.
func (s *Server) current() control.Settings { return *s.settings.Load() }

func (s *Server) closeStore() error {
	if s.store == nil {
		return nil
	}
	err := s.store.Close()
	s.store = nil
	return err
}

// close lets go of what open took, also of a part of it.
func (s *Server) close() {
	if s.listener != nil {
		_ = s.listener.Close() // closed already when the server ran
	}
	if s.notifier != nil {
		s.notifier.CloseIdleConnections()
	}
	_ = s.closeStore()
	if s.scratch != "" {
		_ = os.RemoveAll(s.scratch)
	}
}
