// Package graphreceiver follows Entra ID tenants through Microsoft Graph: it takes Graph's notifications in, keeps the
// subscriptions that cause them, and reads what has changed onto LEDGER_IN.
package graphreceiver

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

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/engine"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

// NotificationPath is where Graph pushes to, changes and lifecycle news alike.
const NotificationPath = "/graph/notifications"

// Config says how tenants are followed.
type Config struct {
	// PublicURL is the https address under which Graph reaches this process, without NotificationPath.
	PublicURL string
	// Push asks Graph to push, if there is a PublicURL.
	Push         bool
	PollInterval time.Duration // between two rounds that nothing asked for; 0: none
	FullInterval time.Duration // between two complete reads; 0: only the first, and those that somebody asks for
	Vanish       time.Duration // between the two reads that must both say that a provisioning group is gone; default 60 s
	// KeysFile holds the keys that prove what Graph echoes: <id>:<base64> a line, newest first, mode 0600.
	KeysFile string
	// CreateKeys writes a KeysFile with one new key where there is none.
	CreateKeys bool
}

// Deps are what a Service works with.
type Deps struct {
	Bus     *bus.Bus
	Tenants engine.Tenants // tenant.Registry
	Logger  *slog.Logger
	Clock   clock.Clock
	Metrics prometheus.Registerer
	// LookupEnv finds client secrets that are kept in the environment; os.LookupEnv when nil.
	LookupEnv func(string) (string, bool)
}

// Service is the Graph half of Rollcall.
type Service struct {
	engine *engine.Engine
	graph  *graph.Provider
}

// New reads the keys and starts nothing. Errors: every fault of cfg at once, or what is wrong with the keys.
func New(cfg Config, deps Deps) (*Service, error) {
	pushURL, err := cfg.pushURL()
	if err != nil {
		return nil, fmt.Errorf("graph-receiver: %w", err)
	}
	keys, err := cfg.keys()
	if err != nil {
		return nil, fmt.Errorf("graph-receiver: %w", err)
	}
	provider, err := graph.New(graph.Config{}, graph.Deps{Logger: deps.Logger, Clock: deps.Clock, LookupEnv: deps.LookupEnv})
	if err != nil {
		return nil, fmt.Errorf("graph-receiver: %w", err)
	}
	return &Service{graph: provider, engine: engine.New(engine.Config{
		PushURL: pushURL,
		Lane:    lane.Config{Poll: cfg.PollInterval, Full: cfg.FullInterval, Vanish: cfg.Vanish},
	}, engine.Deps{
		Provider: provider, Keys: keys, Bus: deps.Bus, Tenants: deps.Tenants, Logger: deps.Logger, Clock: deps.Clock, Metrics: deps.Metrics,
	})}, nil
}

// Handler takes Graph's pushes at NotificationPath, and knows no other path. See docs/notifications.md.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(NotificationPath, s.engine.Handler())
	return mux
}

// Ready is nil when all stored tenants are known and followed.
func (s *Service) Ready(ctx context.Context) error { return s.engine.Ready(ctx) }

// Run follows the tenants until ctx ends. An error means that NATS is gone for good or does not hold what it should.
func (s *Service) Run(ctx context.Context) error {
	defer s.graph.Close()
	return s.engine.Run(ctx)
}

func (c Config) pushURL() (string, error) {
	if !c.Push || c.PublicURL == "" {
		return "", nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("public URL: want an https address that Graph can reach")
	}
	return strings.TrimRight(c.PublicURL, "/") + NotificationPath, nil
}

func (c Config) keys() (secret.Keys, error) {
	if c.CreateKeys {
		return secret.LoadOrGenerate(c.KeysFile)
	}
	return secret.Load(c.KeysFile)
}
