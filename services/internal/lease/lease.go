// Package lease shares work out among processes: each key of a role (a partition, or the one thing that there is to do) is
// held by one process at a time, for as long as that process shows signs of life. It works over the KV bucket "owners" by
// compare-and-set alone, and trusts no two clocks to agree. docs/decisions/0014-leases-and-fencing.md tells how, and what it
// cannot do: who holds a lease must also be fenced by its epoch where it writes.
package lease

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Lease is one key that this process holds.
type Lease struct {
	Key   int   // 0 to keys-1
	Epoch int64 // higher than that of everyone who held the key before

	held *holding // nil: by somebody who has no colleagues
}

// Valid reports whether the lease is still held, by this process's own clock. It turns false before anybody else can have
// the key, also when the process was stopped or its machine asleep: ask before every step that others would see.
func (l Lease) Valid() bool {
	return l.held == nil || !l.held.returned.Load() && l.held.session.valid()
}

// Hold does the work of a lease until ctx ends, which it does when the lease is lost or to be given back; it is given back
// when Hold has returned. Returning nil earlier gives the key back for a while. An error ends everything.
type Hold func(ctx context.Context, l Lease) error

// Config says who takes part. Zero fields have usable defaults.
type Config struct {
	TTL time.Duration // after how long without a sign of life a member is taken for dead; 15 s
	// Owner is an id that no other living process has. One that outlives the process lets the next one have at once what a
	// dead one held. Default: a new one.
	Owner string
	Name  string // for people: who this is
}

// Deps are what leases work with. All are needed.
type Deps struct {
	KV      jetstream.KeyValue // the bucket "owners"
	Clock   clock.Clock
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// Leases is one process's part in it.
type Leases struct {
	cfg     Config
	deps    Deps
	metrics *metrics
}

// New does nothing before Run.
func New(cfg Config, deps Deps) *Leases {
	if cfg.TTL <= 0 {
		cfg.TTL = 15 * time.Second
	}
	cfg.Owner = cmp.Or(cfg.Owner, rand.Text())
	return &Leases{cfg: cfg, deps: deps, metrics: newMetrics(deps.Metrics)}
}

// Run takes part in a role of so many keys until ctx ends: it takes what is free, up to this member's share, and has hold
// work on each, many at once. Trouble with NATS is waited out. It returns when all of them have returned: nil, or the
// first error of one of them, which ends the others.
func (l *Leases) Run(ctx context.Context, role string, keys int, hold Hold) error {
	m := &member{
		cfg: l.cfg, deps: l.deps, metrics: l.metrics, role: role, keys: keys, hold: hold,
		log: l.deps.Logger.With("lease", role), view: newView(role, keys), holds: map[int]*holding{},
		ended: make(chan ended), refused: map[string]uint64{}, cool: map[int]time.Time{},
	}
	return m.run(ctx)
}
