package apply

import (
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// approveRequested lets a held change take effect, if its list is still the one that was looked at.
func (s *session) approveRequested(data event.ApproveRequested) error {
	p, h, err := s.heldToClose(data.Product, data.Held)
	if h == nil || err != nil {
		return err
	}
	if code, why, err := s.hinders(p); code != "" || err != nil {
		if err != nil {
			return err
		}
		return s.refuse(code, why)
	}
	if h.Revision != data.Revision {
		return s.refuseRevision(h, data.Revision)
	}
	if h.Kind == ledger.HeldFlip {
		err = s.approveFlip(p, h, data.By)
	} else {
		err = s.closeBy(p, h, ledger.HeldApproved, data.By)
	}
	if err != nil {
		return err
	}
	return s.answer(event.Answered{Held: h.Ref, Revision: h.Revision})
}

// hinders says what keeps any held change of a product from being approved now: what is on a list must be what follows.
func (s *session) hinders(p *product) (code, why string, err error) {
	switch {
	case s.tenant.Frozen:
		return event.CodeFrozen, "the tenant is frozen: nothing is revoked until it is not", nil
	case !s.tenant.Decides():
		return event.CodeBadRequest, "nothing is decided for the tenant now: it is paused, or its directory is not read completely", nil
	}
	if busy, err := s.reviewing(p); !busy || err != nil {
		return "", "", err
	}
	return event.CodeListing, "all users are being looked at: lists may be others in a moment", nil
}

// heldToClose finds the held change that a command names, and refuses the command where it cannot be closed.
func (s *session) heldToClose(product, ref string) (*product, *hold, error) {
	p := s.named(product)
	if p == nil {
		return nil, nil, s.refuse(event.CodeBadRequest, "the tenant has no such product")
	}
	known, found, err := s.tx.HeldByRef(p.ID, ref)
	switch {
	case err != nil:
		return nil, nil, err
	case found && known.State == ledger.HeldListing:
		return nil, nil, s.refuse(event.CodeListing, "its list is not complete yet")
	case !found || known.OpenedAt.IsZero(): // never announced: it was small enough to take effect at once
		return nil, nil, s.refuse(event.CodeNoSuchHeld, "the product has no such held change")
	case known.State != ledger.HeldOpen:
		return nil, nil, s.answer(event.Answered{
			Outcome: event.OutcomeRefused, Code: event.CodeNotOpen, Held: ref, Revision: known.Revision,
			Message: "it is not open any more: it was " + string(known.State),
		})
	}
	if _, telling, err := s.tx.JobOn(p.ID, ledger.JobAnnounce, known.ID); telling || err != nil {
		if err != nil {
			return nil, nil, err
		}
		return nil, nil, s.refuse(event.CodeListing, "its list is not told completely yet")
	}
	h, err := s.hold(p, known.Kind)
	return p, h, err
}

// refuseRevision says what has changed on a list since somebody looked at it.
func (s *session) refuseRevision(h *hold, since int) error {
	lines, err := s.tx.ListedSince(h.ID, since, event.MaxAnswerChanges)
	if err != nil {
		return err
	}
	a := event.Answered{
		Outcome: event.OutcomeRefused, Code: event.CodeRevision, Held: h.Ref, Revision: h.Revision,
		Message: "its list has changed since that revision",
	}
	for _, line := range lines {
		a.Changes = append(a.Changes, heldUser(line))
	}
	return s.answer(a)
}

// rejectRequested leaves the licenses on a list as they are.
func (s *session) rejectRequested(data event.RejectRequested) error {
	p, h, err := s.heldToClose(data.Product, data.Held)
	if h == nil || err != nil {
		return err
	}
	if h.Kind == ledger.HeldFreeze {
		return s.refuse(event.CodeBadRequest, "what a freeze has parked is decided when the tenant is no longer frozen")
	}
	if err := s.closeBy(p, h, ledger.HeldRejected, data.By); err != nil {
		return err
	}
	return s.answer(event.Answered{Held: h.Ref, Revision: h.Revision})
}

// closeBy ends a held change by somebody's word, or for want of it, and begins to carry that out.
func (s *session) closeBy(p *product, h *hold, state ledger.HeldState, by string) error {
	id, err := s.close(p, h, state, by, s.origin.cause)
	if err != nil {
		return err
	}
	if h.Kind == ledger.HeldFlip {
		p.rejectFlip()
		return nil
	}
	return s.startJob(p, ledger.JobClose, h.ID, id)
}
