package apply

import (
	"fmt"

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
	stored, err := s.tx.AddHeld(ledger.Held{
		Product: p.ID, Ref: "listing-flip", Kind: ledger.HeldFlip, State: ledger.HeldListing, Revision: 1,
		Mode: string(target.Mode), Group: target.Group, Cause: s.origin.cause,
	})
	if err != nil {
		return err
	}
	p.holds[ledger.HeldFlip] = &hold{Held: stored}
	return s.startJob(p, ledger.JobSurvey, stored.ID, s.origin.cause)
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

func (s *session) relistOne(p *product, flip *hold, one person) error {
	would, _, err := s.rule(p.State.Target(), one)
	if err != nil {
		return err
	}
	stands, found, err := s.tx.Entitlement(p.ID, one.ID)
	if err != nil {
		return err
	}
	if (found && stands.Licensed) == would.Licensed {
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
	flip.Ref = fmt.Sprintf("flip-%d", p.Sequence+1)
	_, err = s.approveFlip(p, flip, "", flip.Cause)
	return err
}

// holdsFlip reports whether a flip has to wait for somebody: by the tenant's settings, because it comes with another
// connecting domain, because it is a bulk of revocations, or because it would grant more licenses than were purchased.
func (s *session) holdsFlip(p *product, flip *hold) (bool, error) {
	if s.tenant.Hold.Flips || p.Readdressed || s.tenant.Frozen && flip.Revocations > 0 {
		return true, nil
	}
	others, err := s.tx.RevokedWithin(p.ID, s.now.Add(-window))
	if err != nil {
		return false, err
	}
	return s.tenant.Hold.Guard.Bulk(flip.Revocations, others, p.Used) ||
		flip.Grants > 0 && p.Seats.Exceeded(p.Used+flip.Grants-flip.Revocations), nil
}

// announce opens a held change whose list is complete, and begins to tell the list.
func (s *session) announce(p *product, h *hold) error {
	if err := s.open(p, h, h.Grants, h.Revocations); err != nil {
		return err
	}
	return s.startJob(p, ledger.JobAnnounce, h.ID, h.Cause)
}

// approveFlip puts what a flip proposes in force, and begins to decide all users under it.
func (s *session) approveFlip(p *product, flip *hold, by, cause string) (id string, err error) {
	closed, err := s.close(p, flip, ledger.HeldApproved, by, cause)
	if err != nil {
		return "", err
	}
	if closed == "" {
		closed = cause
	}
	before := p.State.Policy
	next := p.State.Approve()
	err = s.rewatching(func() error {
		p.State, p.dirty = next, true
		id, err = s.enforce(p, before, closed)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, s.tx.PutJob(ledger.Job{Product: p.ID, Kind: ledger.JobApply, Cause: id, Held: flip.ID})
}

// rejectFlip lets a proposed change rest until what it was said of has changed.
func (s *session) rejectFlip(p *product) {
	p.State, p.dirty = p.State.Reject(), true
	p.Readdressed = false
}
