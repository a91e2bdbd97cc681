package apply

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// window is how far back revocations count when a bulk is recognized (design: those of the last hour).
const window = time.Hour

// carryOut lets verdicts take effect: revocations first, unless they are to be parked, so that the seats that they free
// can be given.
func (s *session) carryOut(p *product, all []verdict, m manner) error {
	var revocations, others []verdict
	for _, v := range all {
		if v.revokes() {
			revocations = append(revocations, v)
		} else {
			others = append(others, v)
		}
	}
	if err := s.revoke(p, revocations, m); err != nil {
		return err
	}
	preview, err := s.previewing(p, m.preview)
	if err != nil {
		return err
	}
	for _, v := range others {
		switch {
		case !v.next.Licensed || v.holds():
			err = s.settle(p, v, v.next, m.cause)
		case preview != nil:
			err = s.list(preview, v.user.User, true, v.next.Reason)
		default:
			err = s.admit(p, v, m.cause)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) revoke(p *product, revocations []verdict, m manner) error {
	revocations, err := s.foreseen(p, revocations, m)
	if len(revocations) == 0 || err != nil {
		return err
	}
	parked, err := s.parks(p, revocations, m)
	if err != nil {
		return err
	}
	for _, v := range revocations {
		if parked != nil {
			err = s.park(p, parked, v, m.cause)
		} else {
			err = s.settle(p, v, v.next, m.cause)
		}
		if err != nil {
			return err
		}
	}
	if parked != nil || s.tenant.Disconnected == ledger.LicensesEnded {
		return nil // they were not, or somebody has said so
	}
	return s.tx.CountRevocations(p.ID, s.now, s.now.Add(-window), len(revocations))
}

// parks returns the held change that takes these revocations; nil where they take effect.
func (s *session) parks(p *product, revocations []verdict, m manner) (*hold, error) {
	if preview, err := s.previewing(p, m.preview); preview != nil || err != nil {
		return preview, err
	}
	switch {
	case s.tenant.Disconnected == ledger.LicensesEnded: // the operator has said so
		return nil, nil //nolint:nilnil // no hold is no fault
	case s.tenant.Frozen:
		return s.opened(p, ledger.HeldFreeze, len(revocations), m.cause)
	case m.review:
		return s.listing(p, ledger.HeldRevocations, m.cause)
	case alone(revocations):
		return nil, nil //nolint:nilnil // as above
	}
	open, err := s.hold(p, ledger.HeldRevocations)
	if open != nil || err != nil {
		return open, err
	}
	bulk, err := s.bulk(p, len(revocations))
	if !bulk || err != nil {
		return nil, err
	}
	return s.opened(p, ledger.HeldRevocations, len(revocations), m.cause)
}

// alone reports whether revocations are a single one of the kind that is not held by itself.
func alone(revocations []verdict) bool {
	return len(revocations) == 1 && revocations[0].next.Reason.Alone()
}

// settle writes a decision, takes the user off the lists and out of the line that it ends, and tells of it.
func (s *session) settle(p *product, v verdict, d licensing.Decision, cause string) error {
	next := ledger.Entitlement{
		Product: p.ID, User: v.user.ID, Licensed: d.Licensed, Since: s.now, Reason: string(d.Reason),
	}
	if len(d.Path) > 0 {
		next.Path = v.path
	}
	if v.before != nil && v.before.Licensed == next.Licensed {
		next.Since = v.before.Since
	}
	if d.Reason != licensing.OverSeatLimit {
		if err := s.leaveLine(p, v.user.User, cause); err != nil {
			return err
		}
	}
	if err := s.unlist(p, v.user.User); err != nil {
		return err
	}
	return s.transition(p, v.user.Ref, v.before, next, d.Path, cause)
}

// settled sees to a user of whom the rules say what stands: whatever was listed about the user is of no use any more.
func (s *session) settled(p *product, v verdict) error {
	if v.before != nil && v.before.Reason == string(licensing.Held) { // parked, or rejected: that is what stands
		refresh, err := s.hold(p, ledger.HeldRefresh)
		if refresh == nil || err != nil {
			return err
		}
		return s.strike(refresh, v.user.User)
	}
	if !v.next.Licensed {
		if err := s.leaveLine(p, v.user.User, s.origin.cause); err != nil {
			return err
		}
	}
	return s.unlist(p, v.user.User)
}

// transition writes a decision that differs from the one before and puts the event that tells of it into the outbox.
func (s *session) transition(p *product, user string, before *ledger.Entitlement, next ledger.Entitlement, path []string, cause string) error {
	data := event.Entitlement{
		Tenant: s.tenant.Name, Product: p.Name, User: user,
		Licensed: next.Licensed, Since: next.Since, Reason: next.Reason, Path: path,
	}
	if before != nil {
		previousPath, err := s.refs(before.Path)
		if err != nil {
			return err
		}
		data.Previous = &event.Previous{
			Licensed: before.Licensed, Since: before.Since, Reason: before.Reason, Path: previousPath,
		}
	}
	id, body, err := s.licenseEvent(p, s.countTransition(p, before, next), user, cause, data)
	if err != nil {
		return err
	}
	next.Sequence = p.Sequence
	if err := s.tx.Transition(before, next, s.now, cause); err != nil {
		return err
	}
	return s.emit(bus.Licenses, event.LicenseSubject(s.tenant.Name, p.Name, user), id, body)
}

// countTransition names and counts a transition.
func (s *session) countTransition(p *product, before *ledger.Entitlement, next ledger.Entitlement) (eventType string) {
	switch {
	case before != nil && before.Licensed == next.Licensed:
		eventType = event.TypeLicenseReasonChanged
	case next.Licensed:
		eventType = event.TypeLicenseGranted
		s.tenant.Granted++
		p.Used++
	default:
		eventType = event.TypeLicenseRevoked
		s.tenant.Revoked++
		p.Used--
	}
	if s.result.Decisions == nil {
		s.result.Decisions = map[string]int{}
	}
	s.result.Decisions[eventType]++
	return eventType
}
