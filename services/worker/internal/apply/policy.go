package apply

import (
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// reviewPolicies looks at the products whose group may be another one now, and starts those that came to a tenant whose
// snapshot is complete. left are groups that changed: those that have become nobody's concern are forgotten.
func (s *session) reviewPolicies(left []string) error {
	for _, p := range s.products {
		begins := p.State.Phase == licensing.Connecting
		if !p.lookAt || begins && !s.tenant.Ready() {
			continue
		}
		seen, err := s.seen(p)
		if err != nil {
			return err
		}
		if p.State.Change != nil {
			left = append(left, p.State.Change.Group)
		}
		next := p.State.Observe(seen, p.moved, s.origin.at, s.cfg.Settle)
		if begins {
			next = licensing.Start(seen, false, s.origin.at)
		}
		if err := s.adopt(p, next); err != nil {
			return err
		}
	}
	for _, ref := range left {
		if err := s.forgetUnlessWatched(ref); err != nil {
			return err
		}
	}
	return nil
}

// roundEnded lets what has settled take effect: the round has shown all that there was to see.
func (s *session) roundEnded(data event.RoundEnded) error {
	if data.Began.After(s.tenant.RoundBegan) {
		s.tenant.RoundBegan = data.Began
	}
	open := slices.Concat(data.Vanishing, data.Unread)
	for _, p := range s.products {
		if err := s.adopt(p, p.State.Round(data.Began, open)); err != nil {
			return err
		}
	}
	return nil
}

// seen is what the mirror holds about a product's address.
func (s *session) seen(p *product) (seen licensing.Seen, err error) {
	if seen.Groups, err = s.tx.GroupsAt(s.tenant.ID, p.Address); err != nil {
		return seen, err
	}
	if len(seen.Groups) == 1 {
		group, _, err := s.tx.Group(s.tenant.ID, seen.Groups[0])
		if err != nil {
			return seen, err
		}
		inhabited, err := s.tx.AnyMember(group)
		if err != nil {
			return seen, err
		}
		if inhabited {
			seen.Members = 1
		}
	}
	if p.State.Policy.Group != "" {
		group, _, err := s.tx.Group(s.tenant.ID, p.State.Policy.Group)
		if err != nil {
			return seen, err
		}
		seen.Vanished = group.Deleted
	}
	return seen, nil
}

// adopt puts a product into its next state. Another policy is announced before all that follows from it, and then all
// users are decided again.
func (s *session) adopt(p *product, next licensing.State) error {
	before := p.State
	p.State = next
	if same(before, next) {
		return nil
	}
	p.dirty = true
	if next.Phase != licensing.InForce || before.Phase == licensing.InForce && before.Policy == next.Policy {
		return nil
	}
	p.Sequence++
	id := event.LicenseID(s.tenant.Name, p.Name, p.Sequence)
	meta := s.meta(id, event.LicenseSource(s.tenant.Name, p.Name), s.origin.cause)
	meta.Sequence = p.Sequence
	ev, err := event.New(event.TypePolicyChanged, meta, event.PolicyChanged{
		Tenant: s.tenant.Name, Product: p.Name, Mode: string(next.Policy.Mode), Group: next.Policy.Group,
		PreviousMode: string(before.Policy.Mode), PreviousGroup: before.Policy.Group,
	})
	if err != nil {
		return err
	}
	if err := s.emit(bus.Licenses, event.PolicySubject(s.tenant.Name, p.Name), ev); err != nil {
		return err
	}
	s.result.Flips++
	p.redecide(id)
	return s.forgetUnlessWatched(before.Policy.Group)
}

// forgetUnlessWatched forgets the memberships of a group that no product has any use for: sync stops reading it, so from
// here on nobody would notice that they are wrong.
func (s *session) forgetUnlessWatched(ref string) error {
	if ref == "" {
		return nil
	}
	for _, p := range s.products {
		if p.concerns(ref) {
			return nil
		}
		at, err := s.tx.GroupsAt(s.tenant.ID, p.Address)
		if err != nil {
			return err
		}
		for _, other := range at {
			if other == ref {
				return nil
			}
		}
	}
	return s.tx.ForgetMembers(s.tenant.ID, ref, s.tenant.Seen)
}

func same(a, b licensing.State) bool {
	if a.Phase != b.Phase || a.Policy != b.Policy || a.Conflict != b.Conflict || (a.Change == nil) != (b.Change == nil) {
		return false
	}
	return a.Change == nil || *a.Change == *b.Change
}
