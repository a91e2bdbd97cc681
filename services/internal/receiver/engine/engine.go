// Package engine puts a receiver together for one provider: intake for what is pushed, and for each of the provider's
// tenants a lane that reads its directory and a keeper of its push channels. Several receivers of a provider share the
// partitions of its tenants by leases; each of them takes pushes for all.
package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/intake"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Config says how a provider's tenants are followed.
type Config struct {
	PushURL string // full https URL of Handler, as the provider reaches it; empty: push channels are not kept
	Intake  intake.Config
	Lane    lane.Config
	Channel channel.Config // its URL is PushURL
	Health  health.Config
}

// Tenants tells of the registry: first all that are stored, then each change (see tenant.Registry).
type Tenants interface {
	Watch(ctx context.Context, onChange func(tenant.Change)) error
}

// Leases share work out among receivers (see lease.Leases).
type Leases interface {
	Run(ctx context.Context, role string, keys int, hold lease.Hold) error
}

// Deps are what an Engine works with. All are needed.
type Deps struct {
	Provider receiver.Provider
	Keys     secret.Set
	Bus      *bus.Bus
	Tenants  Tenants
	Leases   Leases
	Logger   *slog.Logger
	Clock    clock.Clock
	Metrics  prometheus.Registerer
}

// Engine is one provider's receiver.
type Engine struct {
	cfg     Config
	deps    Deps
	role    string // names durables and leases
	metrics *lane.Metrics
	health  *health.Metrics
	roster  roster
	book    *channel.Book
	apps    *apps
	intake  http.Handler

	// Set by Run before the first tenant is served.
	store    *state.Store
	channels jetstream.KeyValue
	ledger   time.Time // when LEDGER_IN was made

	mu    sync.Mutex // held while tenants or partitions come and go
	owned map[int]*partition
}

// New registers the engine's metrics and starts nothing.
func New(cfg Config, deps Deps) *Engine {
	provider := deps.Provider.Name()
	deps.Logger = deps.Logger.With("provider", provider)
	e := &Engine{
		cfg: cfg, deps: deps, role: string(provider) + "-receiver",
		metrics: lane.NewMetrics(deps.Metrics, provider, deps.Clock.Now),
		health:  health.NewMetrics(deps.Metrics, provider),
		roster:  newRoster(), book: channel.NewBook(), apps: newApps(deps.Provider.Traits().PerMinuteApp), owned: map[int]*partition{},
	}
	e.intake = intake.New(cfg.Intake, intake.Deps{
		Provider: deps.Provider, Keys: deps.Keys, Tenants: &e.roster, Channels: e.book,
		Logger: deps.Logger, Clock: deps.Clock, Metrics: deps.Metrics,
		Publisher: intake.BusPublisher{Bus: deps.Bus, Provider: provider},
	})
	return e
}

// Handler is intake. It answers 503 until Run knows the tenants.
func (e *Engine) Handler() http.Handler { return e.intake }

// Ready is nil when all stored tenants and all stored channels are known: pushes can be judged. Whose tenants are followed
// is for leases to say.
func (e *Engine) Ready(context.Context) error {
	switch {
	case !e.roster.Loaded():
		return fmt.Errorf("%s: the tenants are not known yet", e.role)
	case !e.book.Loaded():
		return fmt.Errorf("%s: the push channels are not known yet", e.role)
	}
	return nil
}

// Run follows the tenants until ctx ends. A tenant's trouble is its own; an error means that NATS is gone for good, or
// does not hold what it should.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.open(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	loaded := make(chan struct{})
	group.Go(func() error { return e.follow(ctx, loaded) })
	group.Go(func() error { return e.followChannels(ctx) })
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-loaded:
			return e.deps.Leases.Run(ctx, e.role, e.deps.Bus.Partitions(), e.own)
		}
	})
	return group.Wait()
}

// open opens what is kept in NATS.
func (e *Engine) open(ctx context.Context) error {
	cursors, err := e.deps.Bus.KeyValue(ctx, bus.BucketCursors)
	if err != nil {
		return err
	}
	if e.channels, err = e.deps.Bus.KeyValue(ctx, bus.BucketChannels); err != nil {
		return err
	}
	if e.ledger, err = e.deps.Bus.StreamCreated(ctx, bus.LedgerIn); err != nil {
		return err
	}
	e.store = state.New(cursors)
	return nil
}

// forget drops the figures of a tenant that is not followed any more.
func (e *Engine) forget(tenant string) {
	e.metrics.Forget(tenant)
	e.health.Forget(tenant)
}

// connection names what a tenant's cursors are of: its directory, since it was connected, on this LEDGER_IN.
func (e *Engine) connection(t tenant.Tenant) string {
	return strings.Join([]string{t.DirectoryID, t.CreatedAt.UTC().Format(time.RFC3339Nano), e.ledger.UTC().Format(time.RFC3339Nano)}, " ")
}
