// Package worker is the service that turns observations into license events: it reads LEDGER_IN, keeps the ledger, and
// publishes what follows from it. Several workers share the partitions of LEDGER_IN by leases; one of them publishes.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
	"github.com/rollcall-hq/rollcall/services/worker/internal/relay"
)

// Config holds the times that rules wait for. Zero fields have usable defaults, but for Doubt.
type Config struct {
	// Settle is how long a provisioning group that is new to a connected tenant, and its membership, must have been still
	// before it changes the licensing mode; 10 min.
	Settle time.Duration
	// AskAgain is after how long a round that was asked for and did not come is asked for again; 1 min.
	AskAgain time.Duration
	// Reread is the least time between two full reads that the worker orders by itself; 10 min.
	Reread time.Duration
	// Doubt is for how long no read alone undoes what has changed, as the replica that answers it may lag; 0: not at all.
	Doubt time.Duration
	// Chunk is how many users one transaction of a policy change decides at most: fewer where that would take long; 250.
	Chunk int
}

// Tenants tells what a tenant is. An id that it does not know is tenant.ErrNotFound.
type Tenants interface {
	Get(ctx context.Context, id string) (tenant.Tenant, error)
}

// Leases share work out among workers (see lease.Leases).
type Leases interface {
	Run(ctx context.Context, role string, keys int, hold lease.Hold) error
}

// Deps are the parts that a Worker works with; all but Metrics are needed.
type Deps struct {
	Bus     *bus.Bus
	Ledger  *ledger.Ledger
	Tenants Tenants
	Leases  Leases
	Logger  *slog.Logger
	Clock   clock.Clock
	Metrics prometheus.Registerer
}

// Worker reads the partitions of LEDGER_IN that it has a lease of.
type Worker struct {
	deps    Deps
	metrics *metrics
	apply   *apply.Applier
	relay   *relay.Relay
	timers  []chan struct{} // by partition: a transaction has made work for tick
	chunk   int64
	unknown unknownTenants
	fault   func(step string) error // tests die at a step
}

// The steps of a message beside those of its transaction and of the relay.
const (
	messageRead = "message read"
	beforeAck   = "before ack"
)

// New makes a Worker. It does nothing before Run.
func New(cfg Config, deps Deps) (*Worker, error) {
	if deps.Bus == nil || deps.Ledger == nil || deps.Tenants == nil || deps.Leases == nil || deps.Logger == nil || deps.Clock == nil {
		return nil, errors.New("worker needs a bus, a ledger, tenants, leases, a logger and a clock")
	}
	if cfg.Chunk <= 0 {
		cfg.Chunk = 250
	}
	w := &Worker{deps: deps, chunk: int64(cfg.Chunk), fault: func(string) error { return nil }}
	for range deps.Bus.Partitions() {
		w.timers = append(w.timers, make(chan struct{}, 1))
	}
	var err error
	if w.metrics, err = newMetrics(deps); err != nil {
		return nil, err
	}
	w.apply = apply.New(
		apply.Config{Settle: cfg.Settle, AskAgain: cfg.AskAgain, Reread: cfg.Reread, Chunk: cfg.Chunk, Doubt: cfg.Doubt, Whole: true},
		apply.Deps{
			Ledger: deps.Ledger, Clock: deps.Clock, Logger: deps.Logger, Partition: deps.Bus.Partition, Applied: w.applied,
			Fault: func(s apply.Step) error { return w.fault(string(s)) },
		})
	w.relay = relay.New(relay.Config{}, relay.Deps{
		Bus: deps.Bus, Ledger: deps.Ledger, Clock: deps.Clock, Logger: deps.Logger, Published: w.metrics.published,
		Fault:  func(step string) error { return w.fault(step) },
		Fenced: func() { w.metrics.late(relayRole) },
	})
	return w, nil
}

// The roles that leases are of.
const (
	workerRole = "worker" // one key for each partition
	relayRole  = "relay"
)

// Run works until ctx ends, then finishes what it has in hand and returns nil. It returns early only for what no waiting
// can mend.
func (w *Worker) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if !w.deps.Ledger.Shared() { // then one worker at a time does everything, and others wait
		group.Go(func() error { return w.deps.Leases.Run(ctx, workerRole, 1, w.ownAll) })
	} else {
		group.Go(func() error { return w.deps.Leases.Run(ctx, workerRole, w.deps.Bus.Partitions(), w.own) })
		group.Go(func() error { return w.deps.Leases.Run(ctx, relayRole, 1, w.publish) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}

// publish relays the outbox until ctx ends, or another worker does.
func (w *Worker) publish(ctx context.Context, l lease.Lease) error {
	return w.relay.Run(ctx, l.Epoch, l.Valid)
}

// ownAll does everything under one lease, and ends all of it when a part of it ends.
func (w *Worker) ownAll(ctx context.Context, l lease.Lease) error {
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	part := func(hold lease.Hold, l lease.Lease) {
		group.Go(func() error {
			defer stop()
			return hold(ctx, l)
		})
	}
	part(w.publish, l)
	for l.Key = range w.deps.Bus.Partitions() {
		part(w.own, l)
	}
	return group.Wait()
}

// applied follows every committed transaction.
func (w *Worker) applied(r apply.Result) {
	w.metrics.applied(r)
	if r.Emitted {
		w.relay.Wake()
	}
	if r.Timers {
		select {
		case w.timers[r.Part] <- struct{}{}:
		default:
		}
	}
}
