// Package relay publishes the ledger's outbox in its order: license and policy events to LICENSES, commands to LEDGER_IN.
//
// Nothing is lost: an event leaves the outbox only when it is known to be on its stream. Nothing is told twice: every
// publish to LICENSES names the last sequence that the relay knows. Refused, because an answer was lost or the process
// died between a publish and its mark, it reads what is there and marks that first.
//
// Of several workers on one ledger one has the lease to relay. One that is late, because it was stopped meanwhile, is
// refused by the stream where another has published since, and by the ledger in any case.
package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// errLate says that another relay has the lease by now.
var errLate = errors.New("another relay has the lease")

// ErrUnknownRecord says that LICENSES holds events while the ledger is new: its sequences would begin again. The ledger
// that wrote them must be brought back.
var ErrUnknownRecord = errors.New("the stream LICENSES holds events of another ledger")

// Config holds what may be tuned. Zero fields have usable defaults.
type Config struct {
	Idle    time.Duration // how long to rest when nobody calls Wake; 5 s
	Poll    time.Duration // how often AwaitDepth looks by itself; 100 ms
	Backoff time.Duration // the first rest after a failure, doubled up to 50 times itself; 100 ms
	Batch   int           // the most events published at once; 1000
	// Single is up to how many events go out one by one: each atomic batch costs two writes to the disk and more.
	Single int // 32
}

func (c Config) withDefaults() Config {
	if c.Idle <= 0 {
		c.Idle = 5 * time.Second
	}
	if c.Poll <= 0 {
		c.Poll = 100 * time.Millisecond
	}
	if c.Backoff <= 0 {
		c.Backoff = 100 * time.Millisecond
	}
	if c.Batch <= 0 || c.Batch > bus.MaxBatch {
		c.Batch = bus.MaxBatch
	}
	if c.Single <= 0 {
		c.Single = 32
	}
	return c
}

// Deps are the parts that a Relay works with.
type Deps struct {
	Bus    *bus.Bus
	Ledger *ledger.Ledger
	Clock  clock.Clock
	Logger *slog.Logger
	// Published is told how many events have left the outbox for a stream; may be nil; must not block.
	Published func(stream string, n int)
	// Fault, where set, is asked at each step; what it returns fails the step. Tests die there.
	Fault  func(step string) error
	Fenced func() // told when a relay was late; may be nil
}

// Relay publishes a ledger's outbox while it has the lease. Wake and AwaitDepth work whoever has it.
type Relay struct {
	cfg     Config
	deps    Deps
	wake    chan struct{}
	marked  *broadcast
	running atomic.Bool // here

	// Run's:
	epoch int64       // of the lease
	valid func() bool // the lease still is

	known bool // written is loaded
	// written is how far LICENSES is known: in its stored form, and in last as it is now. They differ while there holds
	// events that were found on the stream and have not come by in the outbox.
	written ledger.Position
	last    uint64
	there   map[string]bool

	fault func(step) error // tests fail a step here
}

// step is a moment at which a process may die.
type step string

const (
	beforePublish step = "before publish"
	afterPublish  step = "after publish"
	beforeMark    step = "before mark"
	afterMark     step = "after mark"
)

// New makes a Relay that does nothing before Run.
func New(cfg Config, deps Deps) *Relay {
	if deps.Published == nil {
		deps.Published = func(string, int) {}
	}
	if deps.Fenced == nil {
		deps.Fenced = func() {}
	}
	return &Relay{
		cfg: cfg.withDefaults(), deps: deps, wake: make(chan struct{}, 1), marked: newBroadcast(),
		fault: func(s step) error {
			if deps.Fault == nil {
				return nil
			}
			return deps.Fault(string(s))
		},
	}
}

// Run publishes until ctx ends or another relay has the lease. Trouble with NATS or the ledger is waited out; only
// ErrUnknownRecord is told.
func (r *Relay) Run(ctx context.Context, epoch int64, valid func() bool) error {
	r.epoch, r.valid, r.known = epoch, valid, false
	r.running.Store(true)
	defer r.running.Store(false)
	defer r.listen(ctx)()
	for failures := 0; ctx.Err() == nil; {
		idle, err := r.publish(ctx)
		switch {
		case errors.Is(err, errLate):
			r.deps.Fenced()
			r.deps.Logger.WarnContext(ctx, "the relay is late and ends", "error", err)
			return nil
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrUnknownRecord):
			return err
		case err != nil:
			r.known = false
			r.deps.Logger.WarnContext(ctx, "outbox waits", "error", err, "failures", failures+1)
			r.rest(ctx, r.cfg.Backoff*time.Duration(min(1<<min(failures, 10), 50)), nil)
			failures++
		case idle:
			failures = 0
			r.rest(ctx, r.cfg.Idle, r.wake)
		default:
			failures = 0
		}
	}
	return nil
}

func (r *Relay) rest(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := r.deps.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C():
	}
}

// publish sends the head of the outbox, as far as it goes to one stream. It reports whether there was nothing to send.
func (r *Relay) publish(ctx context.Context) (idle bool, err error) {
	out, err := r.deps.Ledger.Outbox(ctx, r.cfg.Batch)
	if err != nil || len(out) == 0 {
		return true, err
	}
	head := out[:1]
	for len(head) < len(out) && out[len(head)].Stream == out[0].Stream {
		head = out[:len(head)+1]
	}
	var sent int
	if head[0].Stream == bus.Licenses {
		sent, err = r.licenses(ctx, head)
	} else {
		sent, err = r.commands(ctx, head)
	}
	r.deps.Published(head[0].Stream, sent)
	return false, err
}

// mark takes events from the outbox that are on their stream, and stores how far LICENSES is known.
func (r *Relay) mark(ctx context.Context, sent []ledger.Outgoing) error {
	if len(sent) == 0 {
		return nil
	}
	if err := r.fault(beforeMark); err != nil {
		return err
	}
	ids := make([]int64, len(sent))
	for i, o := range sent {
		ids[i] = o.ID
	}
	err := r.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		if err := r.fence(tx); err != nil {
			return err
		}
		if err := tx.Sent(ids); err != nil {
			return err
		}
		if !r.known || len(r.there) > 0 || r.written.Sequence == r.last {
			return nil
		}
		r.written.Sequence = r.last
		return tx.SavePosition(r.written)
	})
	if err != nil {
		return fmt.Errorf("mark %d events as published: %w", len(sent), err)
	}
	r.marked.tell()
	return r.fault(afterMark)
}

// fence returns errLate when another relay has begun since this one, and locks what that would change.
func (r *Relay) fence(tx *ledger.Tx) error {
	known, _, err := tx.Position(bus.Licenses, ledger.Written)
	if err == nil && known.Epoch > r.epoch {
		err = fmt.Errorf("lease of %d after %d: %w", known.Epoch, r.epoch, errLate)
	}
	return err
}
