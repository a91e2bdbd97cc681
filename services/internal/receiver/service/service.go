// Package service makes a directory provider a receiver that can run: alone, or as a part of a process beside others.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/engine"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Config says how a provider's tenants are followed.
type Config struct {
	// PublicURL is the https address under which the provider reaches this process, without the path of its pushes.
	PublicURL string
	// Push asks the provider to push, if there is a PublicURL.
	Push         bool
	PollInterval time.Duration // between two rounds that nothing asked for; 0: none
	// ListInterval is between the begins of two lists of a group's members, where the provider tells of them in no other
	// way; default 5 s, and longer for groups too large for that.
	ListInterval time.Duration
	FullInterval time.Duration // between two complete reads; 0: only the first, and those that somebody asks for
	// PerMinute is how many requests a minute may go to one directory; default is what the provider grants.
	PerMinute int
	// Degraded is how long a directory cannot be followed as it should be before that is said; default 5 min.
	Degraded time.Duration
	Vanish   time.Duration // between the two reads that must both say that a provisioning group is gone; default 60 s
	// KeysFile holds the keys that prove what the provider echoes, see secret.Parse; mode 0600. It is read again when it has
	// changed. All providers may share one.
	KeysFile string
	// CreateKeys writes a KeysFile with one new key where there is none.
	CreateKeys bool
	// Application is the one by which new tenants are connected; zero: none is. See Deps.Registry.
	Application connect.Application
}

// Deps are what a Service works with. All but Registry and LookupEnv are needed.
type Deps struct {
	Bus     *bus.Bus
	Tenants engine.Tenants // tenant.Registry
	Leases  engine.Leases  // lease.Leases
	Logger  *slog.Logger
	Clock   clock.Clock
	Metrics prometheus.Registerer
	// Registry is where new tenants are stored; nil: whoever asks to connect one is not answered.
	Registry *tenant.Registry
	// LookupEnv finds secrets that are kept in the environment; os.LookupEnv when nil.
	LookupEnv func(string) (string, bool)
}

// Service is one provider's half of Rollcall.
type Service struct {
	path     string
	engine   *engine.Engine
	provider Provider
	connects *connect.Server // nil without a registry
}

// New reads the keys and starts nothing. Errors: what is wrong with cfg or with the keys.
func New(kind Kind, cfg Config, deps Deps) (*Service, error) {
	s, err := build(kind, cfg, deps)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind.Role, err)
	}
	return s, nil
}

func build(kind Kind, cfg Config, deps Deps) (*Service, error) {
	pushURL, err := cfg.pushURL(kind.Path)
	if err != nil {
		return nil, err
	}
	keys, err := secret.Open(cfg.KeysFile, cfg.CreateKeys, deps.Clock)
	if err != nil {
		return nil, err
	}
	provider, err := kind.New(remote.Deps{Logger: deps.Logger, Clock: deps.Clock, LookupEnv: deps.LookupEnv})
	if err != nil {
		return nil, err
	}
	s := &Service{path: kind.Path, provider: provider}
	if deps.Registry != nil {
		s.connects = &connect.Server{
			Provider: provider.Name(), Application: cfg.Application, Verify: provider.Verify, Registry: deps.Registry,
			Bus: deps.Bus, Logger: deps.Logger, Clock: deps.Clock,
		}
	}
	s.engine = engine.New(engine.Config{
		PushURL: pushURL, Health: health.Config{Patience: cfg.Degraded},
		Lane: lane.Config{
			Poll: cfg.PollInterval, List: cfg.ListInterval, Full: cfg.FullInterval, Vanish: cfg.Vanish, PerMinute: cfg.PerMinute,
		},
	}, engine.Deps{
		Provider: provider, Keys: keys, Bus: deps.Bus, Tenants: deps.Tenants, Leases: deps.Leases,
		Logger: deps.Logger, Clock: deps.Clock, Metrics: deps.Metrics,
	})
	return s, nil
}

// Handler takes the provider's pushes at the kind's path, and knows no other. See docs/notifications.md.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(s.path, s.engine.Handler())
	return mux
}

// Ready is nil when all stored tenants are known and followed.
func (s *Service) Ready(ctx context.Context) error { return s.engine.Ready(ctx) }

// Run follows the tenants until ctx ends. An error means that NATS is gone for good or does not hold what it should.
func (s *Service) Run(ctx context.Context) error {
	defer s.provider.Close()
	if s.connects == nil {
		return s.engine.Run(ctx)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.engine.Run(ctx) })
	group.Go(func() error { return s.connects.Run(ctx) })
	return group.Wait()
}

func (c Config) pushURL(path string) (string, error) {
	if !c.Push || c.PublicURL == "" {
		return "", nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("public URL: want an https address that the provider can reach")
	}
	return strings.TrimRight(c.PublicURL, "/") + path, nil
}
