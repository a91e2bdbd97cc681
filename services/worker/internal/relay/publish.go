package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// commands publishes to a stream on which a second copy does no harm: its ids are derived, so the stream drops it while
// it remembers them, and who acts on commands does so but once.
func (r *Relay) commands(ctx context.Context, out []ledger.Outgoing) (int, error) {
	for i, o := range out {
		ev, err := event.Decode(o.Body)
		if err != nil {
			return i, fmt.Errorf("outbox holds %s: %w", o.EventID, err)
		}
		if err := r.mayPublish(); err != nil {
			return i, err
		}
		if _, err := r.deps.Bus.Publish(ctx, o.Subject, ev); err != nil {
			return i, err
		}
		if err := r.fault(afterPublish); err != nil {
			return i, err
		}
	}
	return len(out), r.mark(ctx, out)
}

// licenses publishes to LICENSES: few events one by one, many at once.
func (r *Relay) licenses(ctx context.Context, out []ledger.Outgoing) (int, error) {
	if err := r.load(ctx); err != nil {
		return 0, err
	}
	if found := r.found(out); len(found) > 0 {
		return len(found), r.mark(ctx, found)
	}
	size := len(out)
	if size <= r.cfg.Single {
		size = 1
	}
	sent := 0
	for sent < len(out) {
		n := min(size, len(out)-sent)
		err := r.batch(ctx, out[sent:sent+n])
		if errors.Is(err, bus.ErrUnexpectedSequence) || errors.Is(err, bus.ErrDuplicate) {
			// What is left is looked at again, with what the tail holds.
			return sent, errors.Join(r.mark(ctx, out[:sent]), r.readTail(ctx, err))
		}
		if err != nil {
			return sent, errors.Join(err, r.mark(ctx, out[:sent]))
		}
		sent += n
	}
	return sent, r.mark(ctx, out)
}

// mayPublish is asked right before each publish.
func (r *Relay) mayPublish() error {
	if !r.valid() {
		return fmt.Errorf("lease of %d is lost: %w", r.epoch, errLate)
	}
	return r.fault(beforePublish)
}

// batch publishes events behind the last one that is known to be on the stream.
func (r *Relay) batch(ctx context.Context, out []ledger.Outgoing) error {
	if err := r.mayPublish(); err != nil {
		return err
	}
	messages := make([]bus.Outgoing, len(out))
	for i, o := range out {
		messages[i] = bus.Outgoing{Subject: o.Subject, ID: o.EventID, Body: o.Body}
	}
	last, err := r.deps.Bus.PublishBatch(ctx, messages, r.last)
	if err != nil {
		return err
	}
	if err := r.fault(afterPublish); err != nil {
		return err
	}
	r.last = last
	return nil
}

// found returns the events that a read of the tail has shown to be on the stream already. They may be anywhere: on
// Postgres an event with a lower id may come to be seen when one with a higher id is out.
func (r *Relay) found(out []ledger.Outgoing) (found []ledger.Outgoing) {
	for _, o := range out {
		if r.there[o.EventID] {
			delete(r.there, o.EventID)
			found = append(found, o)
		}
	}
	return found
}

// readTail reads what is on the stream behind what was known of it. It returns why it was called for when there is
// nothing new: then another try would end as this one did.
func (r *Relay) readTail(ctx context.Context, why error) error {
	before := r.last
	r.last, r.there = r.written.Sequence, map[string]bool{}
	spec := bus.ReadSpec{Stream: bus.Licenses, FromSequence: r.written.Sequence + 1}
	err := r.deps.Bus.Read(ctx, spec, func(m bus.Message) error {
		r.last = m.Sequence
		if m.Fault == nil {
			r.there[m.Event.ID()] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.last == before {
		return why
	}
	r.deps.Logger.InfoContext(ctx, "read what LICENSES holds already", "events", len(r.there), "last_sequence", r.last)
	return nil
}

// load finds out, once, how far the ledger knows LICENSES.
func (r *Relay) load(ctx context.Context) error {
	if r.known {
		return nil
	}
	// First, so that no other relay moves the position any more.
	written, found, err := r.begin(ctx)
	if err != nil {
		return err
	}
	stream, err := r.deps.Bus.JetStream().Stream(ctx, bus.Licenses)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", bus.Licenses, err)
	}
	created, end := stream.CachedInfo().Created, stream.CachedInfo().State.LastSeq
	switch {
	case !found && end > 0:
		return ErrUnknownRecord
	case !found || !written.Of(created):
		written = ledger.Position{Stream: bus.Licenses, Part: ledger.Written, Created: created, Epoch: r.epoch}
		err := r.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
			if err := r.fence(tx); err != nil {
				return err
			}
			return tx.SavePosition(written)
		})
		if err != nil {
			return err
		}
	case end < written.Sequence:
		// The stream was brought back from an older copy. What it lost stays in the ledger's history alone.
		r.deps.Logger.ErrorContext(ctx, "LICENSES has lost events", "known_sequence", written.Sequence, "last_sequence", end)
		written.Sequence = end
	}
	r.written, r.last, r.there, r.known = written, written.Sequence, nil, true
	return nil
}

// begin makes this relay the only one that may mark what it has published.
func (r *Relay) begin(ctx context.Context) (written ledger.Position, found bool, err error) {
	err = r.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		if err := r.fence(tx); err != nil {
			return err
		}
		if written, found, err = tx.Position(bus.Licenses, ledger.Written); err != nil {
			return err
		}
		written.Epoch = r.epoch
		return tx.SavePosition(written)
	})
	return written, found, err
}
