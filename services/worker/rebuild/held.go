package rebuild

import (
	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// opened brings a held change back as it was announced.
func (p *product) opened(tx *ledger.Tx, m bus.Message, d event.HeldOpened) error {
	h, err := tx.RestoreHeld(ledger.Held{
		Product: p.ID, Ref: d.Held, Kind: ledger.HeldKind(d.Kind), State: ledger.HeldOpen, Revision: d.Revision,
		Mode: d.Mode, Group: d.Group, OpenedAt: eventTime(m), ExpiresAt: d.Expires, Cause: event.Cause(m.Event),
	})
	if err != nil {
		return err
	}
	p.held[d.Held] = &h
	if h.Kind == ledger.HeldFlip {
		p.State.Change = &licensing.Change{Group: d.Group, Stage: licensing.Proposed, SettleAt: h.OpenedAt}
	}
	return nil
}

// listed follows its list.
func (p *product) listed(tx *ledger.Tx, d event.HeldListed) error {
	h := p.held[d.Held]
	if h == nil { // its beginning is forgotten, so it has long ended
		return nil
	}
	h.Revision = max(h.Revision, d.Revision)
	for _, u := range d.Users {
		user, err := tx.NameUser(p.Tenant, u.User)
		if err != nil {
			return err
		}
		before, found, err := tx.HeldUser(h.ID, user)
		if err != nil {
			return err
		}
		if found && before.Listed {
			countLine(h, before.Licensed, -1)
		}
		if u.Listed {
			countLine(h, u.Licensed, 1)
		}
		line := ledger.HeldUser{User: user, Revision: d.Revision, Listed: u.Listed, Licensed: u.Licensed, Reason: u.Reason}
		if err := tx.PutHeldUser(h.ID, line); err != nil {
			return err
		}
	}
	return tx.SaveHeld(*h)
}

func countLine(h *ledger.Held, licensed bool, by int) {
	if licensed {
		h.Grants += by
	} else {
		h.Revocations += by
	}
}

// closed ends it.
func (p *product) closed(tx *ledger.Tx, m bus.Message, d event.HeldClosed) error {
	h := p.held[d.Held]
	if h == nil {
		return nil
	}
	h.State, h.ClosedAt, h.ClosedBy = ledger.HeldState(d.Outcome), eventTime(m), d.By
	if h.Kind == ledger.HeldFlip {
		p.flipClosed(h.State)
	}
	return tx.SaveHeld(*h)
}

func (p *product) flipClosed(state ledger.HeldState) {
	switch {
	case p.State.Change == nil:
	case state == ledger.HeldRejected || state == ledger.HeldExpired:
		p.State.Change.Stage = licensing.Rejected
	default:
		p.State.Change = nil
	}
}

// resume sees to the held changes that had not come to their end: what was approved is carried out, what is open waits with
// a list that is gone through once more.
func (p *product) resume(tx *ledger.Tx) (open int, err error) {
	for _, h := range p.held {
		switch h.State {
		case ledger.HeldOpen:
			open++
			if h.Kind == ledger.HeldFlip {
				err = tx.PutJob(ledger.Job{Product: p.ID, Kind: ledger.JobSurvey, Cause: h.Cause, Held: h.ID})
			}
		case ledger.HeldApproved:
			err = p.carryOn(tx, *h)
		default:
		}
		if err != nil {
			return open, err
		}
	}
	return open, nil
}

// carryOn begins again what was approved and is not wholly done.
func (p *product) carryOn(tx *ledger.Tx, h ledger.Held) error {
	undone, err := tx.Undone(h)
	if err != nil {
		return err
	}
	if !undone {
		h.State = ledger.HeldApplied
		return tx.SaveHeld(h)
	}
	if h.Kind != ledger.HeldFlip {
		return tx.PutJob(ledger.Job{Product: p.ID, Kind: ledger.JobClose, Cause: h.Cause, Held: h.ID})
	}
	if p.State.Policy != (licensing.Policy{Mode: licensing.Mode(h.Mode), Group: h.Group}) {
		return nil // another policy came after it
	}
	return tx.PutJob(ledger.Job{Product: p.ID, Kind: ledger.JobApply, Cause: h.Cause, Held: h.ID})
}
