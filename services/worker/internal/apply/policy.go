package apply

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// reviewPolicies looks at the products whose group may be another one now, and starts those that came to a tenant whose
// snapshot is complete. While the mirror is being restored nothing that it does not show means anything.
func (s *session) reviewPolicies() error {
	if !s.tenant.Follows() || s.tenant.Restoring {
		return nil
	}
	for _, p := range s.products {
		begins := p.State.Phase == licensing.Connecting
		if !p.lookAt || begins && !s.tenant.Ready() {
			continue
		}
		seen, err := s.seen(p)
		if err != nil {
			return err
		}
		next := p.State.Observe(seen, p.moved, s.origin.at, s.cfg.Settle)
		if begins {
			next = licensing.Start(seen, false, s.origin.at)
		}
		if p.Readdressed && next.Change == nil && !next.Conflict {
			p.Readdressed, p.dirty = false, true // the other address has brought nothing
		}
		if err := s.adopt(p, next, s.origin.cause); err != nil {
			return err
		}
	}
	return nil
}

// roundEnded lets what has settled go on: the round has shown all that there was to see.
func (s *session) roundEnded(data event.RoundEnded) error {
	data.Began = data.Began.Truncate(time.Microsecond)
	fresh := data.Began.After(s.tenant.RoundBegan) // a round says its end to each who has asked for it
	if fresh {
		s.tenant.RoundBegan = data.Began
	}
	if !s.tenant.Decides() || !s.tenant.Follows() {
		return nil
	}
	open := slices.Concat(data.Vanishing, data.Unread)
	return s.rewatching(func() error {
		for _, p := range s.products {
			unread, err := s.unread(p, open)
			if err != nil {
				return err
			}
			if err := s.adopt(p, p.State.Round(data.Began, unread), s.origin.cause); err != nil {
				return err
			}
		}
		return s.restShown(data.Began, open, fresh)
	})
}

// unread reports whether any group of the nest that a product may change to is among those not all of which was shown.
func (s *session) unread(p *product, open []string) (bool, error) {
	if p.State.Change == nil || len(open) == 0 {
		return false, nil
	}
	candidate, err := s.nestOf(p.State.Change.Group)
	if err != nil {
		return false, err
	}
	return candidate.any(open) || slices.Contains(open, p.State.Change.Group), nil
}

// seen is what the mirror holds about a product's address.
func (s *session) seen(p *product) (seen licensing.Seen, err error) {
	if seen.Groups, err = s.tx.GroupsAt(s.tenant.ID, p.Address); err != nil {
		return seen, err
	}
	if len(seen.Groups) == 1 {
		candidate, err := s.nestOf(seen.Groups[0])
		if err != nil {
			return seen, err
		}
		inhabited, err := s.inhabited(candidate)
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

// adopt puts a product into its next state. A change that is proposed now is surveyed, one that is no longer is withdrawn.
// The first policy is announced before all that follows from it, and then all users are decided.
func (s *session) adopt(p *product, next licensing.State, cause string) error {
	before := p.State
	p.State = next
	if same(before, next) {
		return nil
	}
	p.dirty = true
	if err := s.propose(p); err != nil {
		return err
	}
	if next.Phase != licensing.InForce || before.Phase == licensing.InForce {
		return nil
	}
	return s.enforce(p, before, 0, cause)
}

// enforce tells that another policy is in force and begins to decide all users under it: for the held change that brought it,
// if one did. A product that comes back, with licenses that somebody holds, is reviewed: nobody has approved their end.
func (s *session) enforce(p *product, before licensing.State, held int64, cause string) error {
	policy := p.State.Policy
	p.Readdressed, p.dirty = false, true
	id, err := s.tell(p, event.TypePolicyChanged, event.PolicySubject(s.tenant.Name, p.Name), cause, event.PolicyChanged{
		Tenant: s.tenant.Name, Product: p.Name, Mode: string(policy.Mode), Group: policy.Group,
		PreviousMode: string(before.Policy.Mode), PreviousGroup: before.Policy.Group,
	})
	if err != nil {
		return err
	}
	s.result.Flips++
	if err := s.endReview(p); err != nil {
		return err
	}
	if err := s.supersede(p); err != nil {
		return err
	}
	if err := s.tx.DropLeaving(p.ID); err != nil {
		return err // the job decides about everybody
	}
	if held == 0 && p.Used > 0 {
		return s.startJob(p, ledger.JobReview, 0, id)
	}
	return s.startJob(p, ledger.JobApply, held, id)
}

// supersede ends the job that applies the policy before: what it has left to do, the next one does.
func (s *session) supersede(p *product) error {
	job, found, err := s.tx.Job(p.ID, ledger.JobApply)
	if !found || err != nil {
		return err
	}
	if err := s.tx.DropJob(job); err != nil {
		return err
	}
	return s.carriedOut(job)
}

func same(a, b licensing.State) bool {
	if a.Phase != b.Phase || a.Policy != b.Policy || a.Conflict != b.Conflict || (a.Change == nil) != (b.Change == nil) {
		return false
	}
	return a.Change == nil || *a.Change == *b.Change
}
