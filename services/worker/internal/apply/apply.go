// Package apply turns what LEDGER_IN says into the ledger's next state: the mirror, the policy of each product, the
// decisions about users, their history and the events that tell of it. Each message is one transaction, together with
// the position that it stands at, so that it counts once however often it is delivered.
package apply

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

var (
	// ErrRefused says that a message cannot be used, however often it is tried.
	ErrRefused = errors.New("not usable")
	// ErrPartly comes with ErrRefused for a page of which the usable observations were applied.
	ErrPartly = errors.New("the rest was applied")
)

// Config holds the times that rules wait for. Zero fields have usable defaults.
type Config struct {
	Settle   time.Duration // how long a new provisioning group must have been still before it counts; 10 min
	AskAgain time.Duration // after how long a round that did not come is asked for again; 1 min
	Reread   time.Duration // the least time between two full reads that the worker orders by itself; 10 min
	Chunk    int           // users that one transaction of a job decides at most; 250
	// Doubt is for how long no read alone undoes what has changed, see ledger.Evidence; 0: not at all.
	Doubt time.Duration
	// Whole: a license that ends as no group of a nest has the user any more waits for a round that has shown them all.
	Whole bool
}

func (c Config) withDefaults() Config {
	if c.Settle <= 0 {
		c.Settle = 10 * time.Minute
	}
	if c.AskAgain <= 0 {
		c.AskAgain = time.Minute
	}
	if c.Reread <= 0 {
		c.Reread = 10 * time.Minute
	}
	if c.Chunk <= 0 {
		c.Chunk = 250
	}
	return c
}

// Deps are the parts that an Applier works with.
type Deps struct {
	Ledger *ledger.Ledger
	Clock  clock.Clock
	Logger *slog.Logger
	// Partition tells which partition a tenant's messages come in.
	Partition func(tenant string) int
	// Applied is told of every transaction that was committed; it must not block.
	Applied func(Result)
	// Fault, where set, is asked at each Step; what it returns fails the transaction, or what follows it. Tests die there.
	Fault func(Step) error
}

// Step is a moment at which a process may die.
type Step string

// The steps of a transaction.
const (
	BeforeCommit Step = "before commit"
	AfterCommit  Step = "after commit"
)

func (d Deps) fault(s Step) error {
	if d.Fault == nil {
		return nil
	}
	return d.Fault(s)
}

// Result is what one transaction did.
type Result struct {
	Rows      int64          // written
	Emitted   bool           // an event waits in the outbox
	Part      int            // the partition whose tenant it was
	Timers    bool           // there is work that no message brings, or its time has moved
	Decisions map[string]int // license events by type
	Flips     int            // changes of a product's mode or group
	Conflicts int            // products whose address came to be held by several groups
	Refused   int            // observations that could not be used
	Skipped   bool           // the message had been applied before
	Held      map[string]int // held changes that were announced or closed, by what became of them
}

// Applier applies messages. It is safe for concurrent use; messages of one partition must come in order.
type Applier struct {
	cfg   Config
	deps  Deps
	nests *nestCache
	pace  *pace
}

// New makes an Applier.
func New(cfg Config, deps Deps) *Applier {
	cfg = cfg.withDefaults()
	return &Applier{cfg: cfg, deps: deps, nests: newNestCache(), pace: newPace(cfg.Chunk)}
}

// Message applies one message of an owner's partition of LEDGER_IN. Errors wrap ErrRefused where the message is at fault,
// and ErrFenced where another owner has the partition by now; any other may pass by trying again.
func (a *Applier) Message(ctx context.Context, owner Owner, t tenant.Tenant, m bus.Message) error {
	work, refused := read(m.Event)
	if work == nil {
		return refused
	}
	o := originOf(m)
	err := a.update(ctx, o, func(s *session) error {
		here := ledger.Position{Stream: m.Stream, Part: owner.Part, Created: m.StreamCreated, Sequence: m.Sequence, Epoch: owner.Epoch}
		fresh, err := a.advance(s, here)
		if err != nil || !fresh {
			s.result.Skipped = !fresh
			return err
		}
		if err := s.enter(t, owner.Part); err != nil {
			return err
		}
		return work(s)
	})
	if err != nil {
		return fmt.Errorf("apply %s of %s: %w", m.Event.Type(), t.ID, err)
	}
	return refused
}

// OrderReread marks a tenant as stale and asks for a full read of its directory, because something that it said could not
// be used: at most once in Config.Reread, and once more behind that time where something was lost meanwhile.
func (a *Applier) OrderReread(ctx context.Context, owner Owner, t tenant.Tenant, cause string) error {
	err := a.update(ctx, origin{cause: cause}, func(s *session) error {
		if err := s.fence(owner); err != nil {
			return err
		}
		if err := s.enter(t, owner.Part); err != nil {
			return err
		}
		return s.orderReread()
	})
	if err != nil {
		return fmt.Errorf("order a full read of %s: %w", t.ID, err)
	}
	return nil
}

// origin is what a transaction acts upon.
type origin struct {
	cause  string    // id of the event
	kind   string    // its type
	causes string    // what had caused it
	trace  string    // its W3C trace context
	at     time.Time // when it was made
	by     string    // who asked for it, where somebody did
}

func originOf(m bus.Message) origin {
	at := m.Event.Time()
	if at.IsZero() {
		at = m.Time
	}
	return origin{
		cause: m.Event.ID(), kind: m.Event.Type(), causes: event.Cause(m.Event), trace: event.TraceParent(m.Event),
		at: at.Truncate(time.Microsecond),
	}
}

// update runs do in one transaction, stores what the session has changed, and tells what was done once it is committed.
func (a *Applier) update(ctx context.Context, o origin, do func(*session) error) error {
	var result Result
	err := a.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		s := &session{
			tx: tx, cfg: a.cfg, origin: o, log: a.deps.Logger, cache: a.nests,
			now: a.deps.Clock.Now().UTC().Truncate(time.Microsecond),
		}
		if s.origin.at.IsZero() {
			s.origin.at = s.now
		}
		if err := do(s); err != nil {
			return err
		}
		if err := s.leave(ctx); err != nil {
			return err
		}
		result = s.result
		result.Rows, result.Emitted = tx.RowsWritten(), tx.Emitted()
		return a.deps.fault(BeforeCommit)
	})
	if err != nil {
		return err
	}
	if a.deps.Applied != nil {
		a.deps.Applied(result)
	}
	return a.deps.fault(AfterCommit)
}
