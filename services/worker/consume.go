package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// errLost says that the lease of a partition is lost: the message is its next owner's.
var errLost = errors.New("the lease is lost")

// grace is how long the message in hand may take when a lease ends: nobody else can have it sooner.
const grace = 4 * time.Second

// consume reads a partition of LEDGER_IN from where the ledger stands.
func (w *Worker) consume(ctx context.Context, p partition) {
	for ctx.Err() == nil {
		err := w.consumeFrom(ctx, p)
		if err == nil || ctx.Err() != nil || w.fenced(ctx, p, err) {
			return
		}
		w.deps.Logger.ErrorContext(ctx, "partition waits", "partition", p.Part, "error", err)
		select {
		case <-ctx.Done():
		case <-w.deps.Clock.After(time.Second):
		}
	}
}

func (w *Worker) consumeFrom(ctx context.Context, p partition) error {
	stream, err := w.deps.Bus.JetStream().Stream(ctx, bus.LedgerIn)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", bus.LedgerIn, err)
	}
	info := stream.CachedInfo()
	after, err := w.apply.Resume(ctx, p.Owner, bus.LedgerIn, info.Created, info.State.LastSeq)
	if err != nil {
		return err
	}
	return w.deps.Bus.Consume(ctx, bus.Consumer{
		Stream: bus.LedgerIn, Durable: bus.DurableName("worker", p.Part),
		Filters:     []string{bus.DirectoryFilter(p.Part), bus.CommandFilter(p.Part, "")},
		HasPosition: true, AfterSequence: after, Undecodable: true, Grace: grace,
	}, func(ctx context.Context, m bus.Message) error { return w.handle(ctx, p, m) })
}

// handle applies one message. A message that is at fault becomes a dead letter and has the directory read again; trouble
// with the ledger or NATS is retried for ever, so that order holds.
func (w *Worker) handle(ctx context.Context, p partition, m bus.Message) error {
	if !p.valid() {
		p.stop()
		return bus.RetryAfter(0, errLost)
	}
	id := subjectTenant(m.Subject)
	t, err := w.deps.Tenants.Get(ctx, id)
	if errors.Is(err, tenant.ErrNotFound) || errors.Is(err, tenant.ErrUnreadable) {
		return w.unknownTenant(id, m, err)
	}
	if err != nil {
		return bus.RetryAfter(time.Second, err)
	}
	if err := w.known(ctx, p, t, m); err != nil {
		return err
	}
	if m.Fault != nil {
		return w.refuse(ctx, p, t, m, m.Fault, "refused")
	}
	if named := event.Tenant(m.Event); named != id {
		return w.refuse(ctx, p, t, m, fmt.Errorf("the subject is of tenant %q, the event of %q", id, named), "foreign")
	}
	if err := w.fault(messageRead); err != nil {
		return err
	}
	err = w.apply.Message(ctx, p.Owner, t, m)
	switch {
	case err == nil:
		w.metrics.message(m, "applied")
		w.metrics.lag(w.deps.Clock.Now().Sub(m.Event.Time()))
		return w.fault(beforeAck)
	case errors.Is(err, apply.ErrRefused):
		return w.refuse(ctx, p, t, m, err, "refused")
	case w.fenced(ctx, p, err):
		w.metrics.message(m, "fenced")
		return bus.RetryAfter(0, err)
	default:
		w.metrics.message(m, "retried")
		return err
	}
}

// refuse marks the tenant of a dead letter as stale and orders a full read, where a whole message was lost. Where it was
// applied but for some of its observations nothing is gained by reading them again.
func (w *Worker) refuse(ctx context.Context, p partition, t tenant.Tenant, m bus.Message, fault error, result string) error {
	w.metrics.message(m, result)
	if !errors.Is(fault, apply.ErrPartly) {
		if err := w.apply.OrderReread(ctx, p.Owner, t, m.Event.ID()); err != nil {
			return err
		}
	}
	return bus.Reject(fault)
}

// The registry may lag behind the first observation of a new tenant, but not for long.
const (
	unknownRetry = 250 * time.Millisecond
	unknownLimit = 12 // deliveries
	unknownFor   = time.Minute
)

// unknownTenant waits a little for the registry. A tenant that stays unknown, or whose record is broken, is not waited for
// again for a while: others share its partition.
func (w *Worker) unknownTenant(id string, m bus.Message, fault error) error {
	now := w.deps.Clock.Now()
	if m.Deliveries < unknownLimit && !w.unknown.given(id, now) {
		return bus.RetryAfter(unknownRetry, fault)
	}
	w.unknown.giveUp(id, now.Add(unknownFor))
	w.metrics.message(m, "unknown-tenant")
	return bus.Reject(fault)
}

// known orders a full read of a tenant of which messages were given up while it was unknown.
func (w *Worker) known(ctx context.Context, p partition, t tenant.Tenant, m bus.Message) error {
	if !w.unknown.has(t.ID) {
		return nil
	}
	if err := w.apply.OrderReread(ctx, p.Owner, t, m.Event.ID()); err != nil {
		return err
	}
	w.unknown.forget(t.ID)
	return nil
}

// unknownTenants remembers for which tenants messages are given up at once.
type unknownTenants struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (u *unknownTenants) given(id string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return now.Before(u.until[id])
}

func (u *unknownTenants) has(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, has := u.until[id]
	return has
}

func (u *unknownTenants) forget(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.until, id)
}

func (u *unknownTenants) giveUp(id string, until time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.until == nil {
		u.until = map[string]time.Time{}
	}
	u.until[id] = until
}

// subjectTenant returns the tenant of a subject as LEDGER_IN stores it: <area>.<partition>.<tenant>.<what>.
func subjectTenant(subject string) string {
	tokens := strings.SplitN(subject, ".", 4)
	if len(tokens) < 4 {
		return ""
	}
	return tokens[2]
}
