package apply

import (
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// propose keeps the held flip of a product in step with what its state proposes: a new proposal is surveyed before anybody
// hears of it, one that is no more is withdrawn.
func (s *session) propose(p *product) error {
	flip, err := s.hold(p, ledger.HeldFlip)
	if err != nil {
		return err
	}
	target := p.State.Target()
	if flip != nil && (!p.State.Proposes() || flip.Group != target.Group) {
		if err := s.withdraw(p, flip, s.origin.cause); err != nil {
			return err
		}
		flip = nil
	}
	if !p.State.Proposes() || flip != nil {
		return nil
	}
	flip, err = s.prepare(p, ledger.Held{
		Kind: ledger.HeldFlip, Mode: string(target.Mode), Group: target.Group, Cause: s.origin.cause,
	})
	if err != nil {
		return err
	}
	return s.startJob(p, ledger.JobSurvey, flip.ID, flip.Cause)
}

// relist brings the list of a flip up to date about people: on it is whose license the flip would change. Those whom the
// survey has yet to come to are left to it.
func (s *session) relist(p *product, people []person) error {
	flip, err := s.hold(p, ledger.HeldFlip)
	if flip == nil || err != nil {
		return err
	}
	for _, one := range people {
		if !one.Known() {
			continue
		}
		if err := s.relistOne(p, flip, one); err != nil {
			return err
		}
	}
	return nil
}

// relistOne does so about one user. Who waits for a seat has a right to one already.
func (s *session) relistOne(p *product, flip *hold, one person) error {
	would, _, err := s.rule(p.State.Target(), one)
	if err != nil {
		return err
	}
	stands, found, err := s.tx.Entitlement(p.ID, one.ID)
	if err != nil {
		return err
	}
	has := found && stands.Licensed
	_, waits, err := s.place(p, one.ID)
	if err != nil {
		return err
	}
	if waits || has == would.Licensed {
		return s.strike(flip, one.User)
	}
	return s.list(flip, one.User, would.Licensed, would.Reason)
}

// surveyed ends the survey of a flip: it is announced and waits for somebody, or takes effect where the tenant's settings
// let it and nothing speaks against it.
func (s *session) surveyed(p *product, flip *hold) error {
	if flip.State == ledger.HeldOpen {
		return nil // surveyed again: what has changed was told
	}
	held, err := s.holdsFlip(p, flip)
	if err != nil {
		return err
	}
	if held {
		return s.announce(p, flip)
	}
	if err := s.closeUnheard(p, flip); err != nil {
		return err
	}
	return s.putInForce(p, flip, flip.Cause)
}

// holdsFlip reports whether a flip has to wait for somebody: by the tenant's settings, because it comes with another
// connecting domain, because it is a bulk of revocations, or because it would grant more licenses than were purchased.
func (s *session) holdsFlip(p *product, flip *hold) (bool, error) {
	if s.tenant.Hold.Flips || p.Readdressed || s.tenant.Frozen && flip.Revocations > 0 {
		return true, nil
	}
	bulk, err := s.bulk(p, flip.Revocations)
	return bulk || flip.Grants > 0 && p.Seats.Exceeded(p.Used+flip.Grants-flip.Revocations), err
}

// approveFlip lets a flip take effect.
func (s *session) approveFlip(p *product, flip *hold, by string) error {
	closed, err := s.close(p, flip, ledger.HeldApproved, by, s.origin.cause)
	if err != nil {
		return err
	}
	return s.putInForce(p, flip, closed)
}

// putInForce puts what an approved flip proposed in force, and begins to decide all users under it.
func (s *session) putInForce(p *product, flip *hold, cause string) error {
	return s.rewatching(func() error {
		before := p.State
		p.State = p.State.Approve()
		return s.enforce(p, before, flip.ID, cause)
	})
}

// rejectFlip lets a proposed change rest until what it was said of has changed.
func (p *product) rejectFlip() { p.State, p.dirty = p.State.Reject(), true }
