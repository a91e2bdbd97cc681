// Package health says how the connection to one tenant's directory is. It is told how each piece of work on the provider ended;
// what has failed for long is looked into by the provider's own verification, and said on LEDGER_IN with what to do about it.
// The worker makes events of that.
//
// It cannot flap: something is said to be degraded when it has failed for Config.Patience without a success between, and to be
// well when nothing fails any more and a whole round has gone well since the last failure. It is no hot loop either: it acts
// when an outcome is another than the one before or a time has come, verifies at most once in Config.Patience, and says what
// stands again each Config.Again.
//
// With it goes when the credential ends, and that this is soon: the connection works still, so that it degrades nothing.
package health

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Config holds the times that a watch waits for. Zero fields have usable defaults.
type Config struct {
	Patience time.Duration // how long something must have failed before it is said; 5 min
	Again    time.Duration // between two looks into what is degraded, and at when the credential ends; 1 h
	Repeat   time.Duration // between two times that it is said to work; 24 h
	Grace    time.Duration // how long a push may come before or after the change that it tells of; 10 min
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Patience, 5 * time.Minute}, {&c.Again, time.Hour}, {&c.Repeat, 24 * time.Hour}, {&c.Grace, 10 * time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return c
}

// Publisher makes an event durable before it returns nil.
type Publisher interface {
	Publish(ctx context.Context, subject string, ev event.Event, opts ...bus.PublishOption) (bus.Ack, error)
}

// Deps are what a Watch works with. All but Replace are needed.
type Deps struct {
	Tenant tenant.Tenant
	// Verify finds out what is wrong (see receiver.Provider).
	Verify func(context.Context, tenant.Tenant) ([]receiver.Finding, error)
	// CredentialEnd looks when the credential ends (see receiver.Provider).
	CredentialEnd func(tenant.Tenant) (receiver.CredentialEnd, error)
	// Replace makes new push channels in the place of those that there are; nil where none are kept.
	Replace   func()
	Journals  bool // see receiver.Traits
	Stamp     func() directory.Stamp
	Publisher Publisher
	Logger    *slog.Logger
	Clock     clock.Clock
	Metrics   *Metrics
}

// Watch is one tenant's. All but Run may be called at any time.
type Watch struct {
	cfg  Config
	deps Deps
	wake chan struct{}

	mu      sync.Mutex
	parts   map[string]*part
	whole   bool // a round has gone well since the last failure
	kept    bool // the push channels have been kept once, or there are none
	silence silence

	// Run's:
	said     *event.ConnectionObserved // last; nil: nothing yet
	saidAt   time.Time
	found    *event.ConnectionObserved // by the last verification, and not said yet
	verified time.Time                 // when that began
	end      *event.CredentialSeen     // as it was looked at last; nil: not yet
	waits    *backoff.ExponentialBackOff
	retry    time.Time // not before, as publishing failed
}

// New returns a watch that has been told nothing.
func New(cfg Config, deps Deps) *Watch {
	cfg = cfg.withDefaults()
	deps.Logger = deps.Logger.With("tenant", deps.Tenant.ID)
	return &Watch{
		cfg: cfg, deps: deps, wake: make(chan struct{}, 1), parts: map[string]*part{}, kept: deps.Replace == nil,
		silence: newSilence(cfg.Grace, deps.Journals, deps.Clock.Now()), waits: backoff.NewExponentialBackOff(),
	}
}

// The parts that are told of by others than the lane, which names its own after kinds of work.
const (
	channels = "channels"
	pushes   = "pushes"
)

// round is the lane's work that reads everything that has changed.
const round = "round"

// Worked takes how a piece of the lane's work has ended. What is about single objects that are to be proved gone tells nothing of
// the connection.
func (w *Watch) Worked(kind string, err error) {
	if kind != "proof" && kind != "vanish" {
		w.outcome(kind, err)
	}
}

// Kept takes how a look at the push channels has ended.
func (w *Watch) Kept(err error) { w.outcome(channels, err) }

func (w *Watch) outcome(name string, err error) {
	trouble := receiver.TroubleOf(err)
	if err != nil && trouble == receiver.NoTrouble {
		return // our own side's
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.deps.Clock.Now()
	if err != nil {
		w.whole = false
		p := w.parts[name]
		if p == nil {
			p = &part{began: now}
			w.parts[name] = p
		}
		if p.failed(trouble, now) {
			w.signal()
		}
		return
	}
	_, failed := w.parts[name]
	delete(w.parts, name)
	news := failed || name == round && !w.whole || name == channels && !w.kept
	w.whole = w.whole || name == round
	w.kept = w.kept || name == channels
	if news {
		w.signal()
	}
}

// Showed takes what a page of changes has shown of which nothing may have been pushed.
func (w *Watch) Showed(kind receiver.FeedKind, page receiver.Page) {
	if w.deps.Replace == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silence.showed(kind, page, w.deps.Clock.Now()) {
		w.signal()
	}
}

// Pushed takes that a push has told of a change.
func (w *Watch) Pushed(resource receiver.Resource) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silence.pushed(resource, w.deps.Clock.Now()) {
		w.signal()
	}
}

// Made takes that there is a new push channel, on which a first message is to come by itself.
func (w *Watch) Made(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silence.made(name, w.deps.Clock.Now())
	w.signal()
}

// Opened takes that this message has come.
func (w *Watch) Opened(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silence.opened(name) {
		w.signal()
	}
}

// signal wakes Run.
func (w *Watch) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run says how the connection is until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for ctx.Err() == nil {
		next, err := w.step(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			wait := w.waits.NextBackOff()
			next = w.deps.Clock.Now().Add(wait)
			w.retry = next
			w.deps.Logger.WarnContext(ctx, "saying how the connection is failed", "again_in", wait, "error", err)
		}
		w.rest(ctx, next)
	}
}

// rest returns at the time, or after Repeat where none is known, or earlier when an outcome is another.
func (w *Watch) rest(ctx context.Context, at time.Time) {
	wait := w.cfg.Repeat
	if !at.IsZero() {
		wait = at.Sub(w.deps.Clock.Now())
	}
	timer := w.deps.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	case <-w.wake:
	}
}

// publish says how the connection is.
func (w *Watch) publish(ctx context.Context, seen event.ConnectionObserved) error {
	stamp, now := w.deps.Stamp(), w.deps.Clock.Now()
	seen.Stamp, seen.Since, seen.Credential = event.StampOf(stamp), seen.Since.UTC(), w.end
	id := w.deps.Tenant.ID
	ev, err := event.New(event.TypeConnectionObserved, event.Meta{
		ID: event.ObservationID(id, stamp, 0), Source: event.DirectorySource(id), Time: now, Tenant: id,
	}, seen)
	if err != nil {
		return err
	}
	if _, err := w.deps.Publisher.Publish(ctx, event.DirectorySubject(id, "connection"), ev); err != nil {
		return fmt.Errorf("publish how the connection of %s is: %w", id, err)
	}
	w.waits.Reset()
	w.retry = time.Time{}
	w.said, w.saidAt = &seen, now
	w.deps.Metrics.set(id, receiver.Trouble(seen.Class))
	return nil
}
