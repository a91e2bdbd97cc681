package apply

import (
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// disconnectRequested ends the following of a tenant's directory. Its licenses are kept as they are, or revoked.
func (s *session) disconnectRequested(data event.DisconnectRequested) error {
	next := ledger.LicensesKept
	switch data.Licenses {
	case event.LicensesKeep:
	case event.LicensesRevoke:
		next = ledger.LicensesEnded
	default:
		return s.refuse(event.CodeBadRequest, "licenses are either kept or revoked")
	}
	switch {
	case s.tenant.Disconnected == next:
		return s.answer(event.Answered{})
	case next == ledger.LicensesEnded && s.tenant.Frozen:
		return s.refuse(event.CodeFrozen, "the tenant is frozen: nothing is revoked until it is not")
	}
	if err := s.recall(); err != nil {
		return err
	}
	s.tenant.Disconnected, s.tenant.Paused, s.tenant.Restoring = next, false, false
	for _, p := range s.products {
		if err := s.abandon(p); err != nil {
			return err
		}
		if p.State.Change != nil { // what the directory shows is nobody's concern any more
			p.State.Change, p.dirty = nil, true
		}
		if err := s.tx.DropLeaving(p.ID); err != nil {
			return err
		}
	}
	if err := s.connectionEnded(); err != nil {
		return err
	}
	if err := s.tellSettings(data.By); err != nil {
		return err
	}
	if next == ledger.LicensesEnded {
		for _, p := range s.products {
			told := event.LicenseID(s.tenant.Name, p.Name, p.Sequence) // the settings, just now
			if err := s.startJob(p, ledger.JobApply, 0, told); err != nil {
				return err
			}
		}
	}
	return s.answer(event.Answered{})
}

// connectRequested begins to follow a disconnected tenant again. Nothing is decided before its directory has been read. What was
// said before of held changes, and not wholly done, is done then.
func (s *session) connectRequested(data event.ConnectRequested) error {
	if s.tenant.Disconnected == ledger.Connected {
		return s.refuse(event.CodeNotDisconnected, "the tenant is connected")
	}
	if erasing, err := s.erasing(); erasing || err != nil {
		if err != nil {
			return err
		}
		return s.refuse(event.CodeBadRequest, "the tenant is being erased")
	}
	s.tenant.Disconnected, s.tenant.Restoring = ledger.Connected, true
	for _, p := range s.products {
		if err := s.tx.DropJob(ledger.Job{Product: p.ID, Kind: ledger.JobApply}); err != nil {
			return err
		}
	}
	if err := s.tellSettings(data.By); err != nil {
		return err
	}
	return s.answer(event.Answered{})
}

// restored goes on deciding, now that the mirror is complete: under the policies that were in force.
func (s *session) restored() error {
	s.tenant.Restoring = false
	for _, p := range s.products {
		p.lookAt = true
		if !s.decides(p) {
			continue
		}
		if err := s.startJob(p, ledger.JobReview, 0, s.origin.cause); err != nil {
			return err
		}
	}
	return s.rewatching(s.reviewPolicies)
}

// eraseRequested begins to forget all people of a disconnected tenant, by a job. What was told of them stays in the record,
// which holds ids only, and so do the sequences of the products.
func (s *session) eraseRequested(event.EraseRequested) error {
	if s.tenant.Disconnected == ledger.Connected {
		return s.refuse(event.CodeNotDisconnected, "only a disconnected tenant can be erased")
	}
	if err := s.recall(); err != nil {
		return err
	}
	for _, p := range s.products {
		if p.Used > 0 {
			return s.refuse(event.CodeBadRequest, "users hold licenses: disconnect it with its licenses revoked first")
		}
	}
	if len(s.products) == 0 { // it never had any, so it has no people either
		return s.erased()
	}
	for _, p := range s.products {
		if err := s.tx.DropJobs(p.ID); err != nil {
			return err
		}
	}
	return s.startJob(s.products[0], ledger.JobErase, 0, s.origin.cause)
}

// erasing reports whether a tenant is being forgotten.
func (s *session) erasing() (bool, error) {
	for _, p := range s.products {
		if _, under, err := s.tx.Job(p.ID, ledger.JobErase); under || err != nil {
			return under, err
		}
	}
	return false, nil
}

// erased makes a tenant of which nothing is known any more: one that is connected under its name begins as any new one.
func (s *session) erased() error {
	s.nestsMoved()
	s.tenant = ledger.Tenant{
		ID: s.tenant.ID, Name: s.tenant.Name, Part: s.tenant.Part, NestVersion: s.tenant.NestVersion, Hold: s.tenant.Hold,
	}
	for _, p := range s.products {
		p.State, p.Used, p.Line, p.Exceeded, p.dirty, p.holds = licensing.State{}, 0, 0, false, true, nil
	}
	return s.answer(event.Answered{})
}
