package apply

import (
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// decideAll decides the given users anew for every product that has a policy.
func (s *session) decideAll(touched users) error {
	if !slices.ContainsFunc(s.products, func(p *product) bool { return p.State.Phase == licensing.InForce }) {
		return nil
	}
	for _, id := range touched.order {
		user, err := s.tx.User(id)
		if err != nil {
			return err
		}
		for _, p := range s.products {
			if err := s.decide(p, user, s.origin.cause); err != nil {
				return err
			}
		}
	}
	return nil
}

// decide compares what the rules say of a user with what stands, and tells of a difference. A user who was never
// licensed has no entitlement and no event, and one whom no read has shown yet is not decided.
func (s *session) decide(p *product, user ledger.User, cause string) error {
	if p.State.Phase != licensing.InForce || !user.Known() {
		return nil
	}
	refs, path, err := s.path(p, user.ID)
	if err != nil {
		return err
	}
	decision := licensing.Decide(user.User, p.State.Policy, refs)
	before, found, err := s.tx.Entitlement(p.ID, user.ID)
	if err != nil {
		return err
	}
	next := ledger.Entitlement{
		Product: p.ID, User: user.ID, Licensed: decision.Licensed, Since: s.now, Reason: string(decision.Reason),
	}
	if len(decision.Path) > 0 {
		next.Path = path
	}
	switch {
	case !found && !next.Licensed, found && before.Says(next):
		return nil
	case !found:
		return s.transition(p, user.Ref, nil, next, decision.Path, cause)
	case before.Licensed == next.Licensed:
		next.Since = before.Since
	}
	return s.transition(p, user.Ref, &before, next, decision.Path, cause)
}

// path returns the way from the provisioning group to the user, as the provider's ids and as numbers.
func (s *session) path(p *product, user int64) (refs []string, ids []int64, err error) {
	ref := p.State.Policy.Group
	if ref == "" {
		return nil, nil, nil
	}
	if p.groupRef != ref {
		if p.group, _, err = s.tx.Group(s.tenant.ID, ref); err != nil {
			return nil, nil, err
		}
		p.groupRef = ref
	}
	member, err := s.tx.HasMember(p.group, user)
	if !member || err != nil {
		return nil, nil, err
	}
	return []string{ref}, []int64{p.group.ID}, nil
}

// transition writes a decision that differs from the one before and puts the event that tells of it into the outbox.
func (s *session) transition(p *product, user string, before *ledger.Entitlement, next ledger.Entitlement, path []string, cause string) error {
	p.Sequence++
	p.dirty = true
	next.Sequence = p.Sequence
	if err := s.tx.Transition(before, next, s.now, cause); err != nil {
		return err
	}
	data := event.Entitlement{
		Tenant: s.tenant.Name, Product: p.Name, User: user,
		Licensed: next.Licensed, Since: next.Since, Reason: next.Reason, Path: path,
	}
	if before != nil {
		previousPath, err := s.tx.GroupRefs(before.Path)
		if err != nil {
			return err
		}
		data.Previous = &event.Previous{
			Licensed: before.Licensed, Since: before.Since, Reason: before.Reason, Path: previousPath,
		}
	}
	meta := s.meta(event.LicenseID(s.tenant.Name, p.Name, p.Sequence), event.LicenseSource(s.tenant.Name, p.Name), cause)
	meta.Subject, meta.Sequence = user, p.Sequence
	ev, err := event.New(s.countTransition(before, next), meta, data)
	if err != nil {
		return err
	}
	return s.emit(bus.Licenses, event.LicenseSubject(s.tenant.Name, p.Name, user), ev)
}

// countTransition names and counts a transition.
func (s *session) countTransition(before *ledger.Entitlement, next ledger.Entitlement) (eventType string) {
	switch {
	case before != nil && before.Licensed == next.Licensed:
		eventType = event.TypeLicenseReasonChanged
	case next.Licensed:
		eventType = event.TypeLicenseGranted
		s.tenant.Granted++
	default:
		eventType = event.TypeLicenseRevoked
		s.tenant.Revoked++
	}
	if s.result.Decisions == nil {
		s.result.Decisions = map[string]int{}
	}
	s.result.Decisions[eventType]++
	return eventType
}
