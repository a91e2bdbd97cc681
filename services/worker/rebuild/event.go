package rebuild

import (
	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// event takes the next event of LICENSES.
func (r *rebuilder) event(tx *ledger.Tx, m bus.Message) error {
	p, err := r.of(tx, m, "license.")
	if err != nil {
		return err
	}
	sequence, err := event.Sequence(m.Event)
	if err != nil {
		return err
	}
	r.report.Events++
	p.seen(sequence)
	if p.erased {
		return nil
	}
	if m.Event.Subject() != "" {
		_, err := r.decision(tx, p, m, sequence)
		return err
	}
	return r.record(tx, p, m, sequence)
}

// copied takes a user's latest event from the bucket, where LICENSES has forgotten it.
func (r *rebuilder) copied(tx *ledger.Tx, m bus.Message) error {
	p, err := r.of(tx, m, "$KV."+bus.BucketEntitlements+".")
	if err != nil {
		return err
	}
	sequence, err := event.Sequence(m.Event)
	if err != nil {
		return err
	}
	p.seen(sequence)
	if p.erased {
		return nil
	}
	fresh, err := r.decision(tx, p, m, sequence)
	if fresh {
		r.report.FromCopy++
	}
	return err
}

// decision writes a decision, unless the one that stands is as late.
func (r *rebuilder) decision(tx *ledger.Tx, p *product, m bus.Message, sequence uint64) (fresh bool, err error) {
	data, err := event.Data[event.Entitlement](m.Event)
	if err != nil {
		return false, err
	}
	user, err := tx.NameUser(p.Tenant, data.User)
	if err != nil {
		return false, err
	}
	path, err := tx.NameGroups(p.Tenant, data.Path)
	if err != nil {
		return false, err
	}
	var before *ledger.Entitlement
	stands, found, err := tx.Entitlement(p.ID, user)
	switch {
	case err != nil || found && stands.Sequence >= sequence:
		return false, err
	case found:
		before = &stands
	default:
		r.report.Users++
	}
	p.policy(data, sequence)
	return true, tx.Transition(before, ledger.Entitlement{
		Product: p.ID, User: user, Licensed: data.Licensed, Since: data.Since, Reason: data.Reason, Path: path, Sequence: sequence,
	}, eventTime(m), event.Cause(m.Event))
}

// record takes an event that is no decision: it is kept, and what it says of the product counts.
func (r *rebuilder) record(tx *ledger.Tx, p *product, m bus.Message, sequence uint64) error {
	err := tx.PutRecord(ledger.Record{
		Product: p.ID, Sequence: sequence, Type: m.Event.Type(), At: eventTime(m), Cause: event.Cause(m.Event), Data: m.Event.Data(),
	})
	if err != nil {
		return err
	}
	p.dirty = true
	switch m.Event.Type() {
	case event.TypePolicyChanged:
		return with(m, func(d event.PolicyChanged) error { p.changed(d); return nil })
	case event.TypeSettingsChanged:
		return with(m, func(d event.SettingsChanged) error { p.set(d); return nil })
	case event.TypeSeatsChanged:
		return with(m, func(d event.SeatsChanged) error {
			p.Seats = licensing.Seats{Purchased: licensing.Unlimited, Enforce: d.Enforce}
			if d.Purchased != nil {
				p.Seats.Purchased = *d.Purchased
			}
			return nil
		})
	case event.TypeSeatsExceeded, event.TypeSeatsWithin:
		p.Exceeded = m.Event.Type() == event.TypeSeatsExceeded
		return nil
	case event.TypeLineChanged:
		return with(m, func(d event.LineChanged) error { return p.line(tx, d) })
	case event.TypeUserActivated:
		return with(m, func(d event.UserActivated) error { return p.activated(tx, d) })
	case event.TypeHeldOpened:
		return with(m, func(d event.HeldOpened) error { return p.opened(tx, m, d) })
	case event.TypeHeldListed:
		return with(m, func(d event.HeldListed) error { return p.listed(tx, d) })
	case event.TypeHeldClosed:
		return with(m, func(d event.HeldClosed) error { return p.closed(tx, m, d) })
	case event.TypeConnectionDegraded:
		return with(m, func(d event.Degraded) error { p.degraded = &d; return nil })
	case event.TypeConnectionRecovered:
		p.degraded = nil
		return nil
	case event.TypeCredentialExpiring:
		return with(m, func(d event.CredentialExpiring) error { p.expiring = &d; return nil })
	case event.TypeCredentialReplaced:
		p.expiring = nil
		return nil
	default:
		return nil
	}
}

// set takes the tenant's settings. One that is not connected has no connection that could be degraded, and no credential.
func (p *product) set(s event.SettingsChanged) {
	if p.settings = &s; !s.Connected {
		p.degraded, p.expiring = nil, nil
	}
}

func with[T any](m bus.Message, do func(T) error) error {
	data, err := event.Data[T](m.Event)
	if err != nil {
		return err
	}
	return do(data)
}

// activated takes when a user first signed in.
func (p *product) activated(tx *ledger.Tx, d event.UserActivated) error {
	user, err := tx.NameUser(p.Tenant, d.User)
	if err != nil {
		return err
	}
	return tx.RestoreActivation(p.ID, user, d.At)
}

// line follows the waiting line.
func (p *product) line(tx *ledger.Tx, d event.LineChanged) error {
	user, err := tx.NameUser(p.Tenant, d.User)
	if err != nil {
		return err
	}
	p.Line = max(p.Line, int64(d.Place))
	if d.Waiting {
		p.waiting[user] = int64(d.Place)
	} else {
		delete(p.waiting, user)
	}
	return nil
}
