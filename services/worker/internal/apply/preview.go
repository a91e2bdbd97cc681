package apply

import (
	"cmp"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// refreshRequested keeps who asked for a refresh, whose pages will name it as their cause, and prepares for one whose effects
// somebody wants to see first.
func (s *session) refreshRequested(data event.RefreshRequested) error {
	if by := cmp.Or(data.By, data.RequestedBy); event.ValidActor(by) {
		s.origin.by = by
	}
	if err := s.keepCause(); err != nil || !data.Preview || !s.tenant.Follows() {
		return err
	}
	for _, p := range s.products {
		if !s.decides(p) {
			continue // its first policy takes effect with the first complete read
		}
		before, err := s.hold(p, ledger.HeldRefresh)
		if err != nil {
			return err
		}
		if before != nil { // its preview was never answered, or is looked at again
			if err := s.withdraw(p, before, s.origin.cause); err != nil {
				return err
			}
		}
		_, err = s.prepare(p, ledger.Held{Kind: ledger.HeldRefresh, Cause: s.origin.cause, Snapshot: s.origin.cause})
		if err != nil {
			return err
		}
	}
	return nil
}

// previewing returns the held change that takes what a snapshot brings for a product, or nil: there may be none for a product
// that came after the preview began.
func (s *session) previewing(p *product, snapshot string) (*hold, error) {
	if snapshot == "" {
		return nil, nil //nolint:nilnil // no hold is no fault
	}
	h, err := s.hold(p, ledger.HeldRefresh)
	if h == nil || err != nil || h.State != ledger.HeldListing || h.Snapshot != snapshot {
		return nil, err
	}
	return h, nil
}

// previewOf returns the snapshot whose effects are to be parked, if a page is a part of it or of its proof.
func (s *session) previewOf(p page) (string, error) {
	for _, product := range s.products {
		h, err := s.hold(product, ledger.HeldRefresh)
		if err != nil {
			return "", err
		}
		if h == nil || h.State != ledger.HeldListing {
			continue
		}
		if p.snapshot == h.Snapshot || strings.HasPrefix(s.origin.causes, h.Snapshot+proofInfix) {
			return h.Snapshot, nil
		}
	}
	return "", nil
}

// completePreview has everybody looked at once more, so that the list of a preview is all that a refresh would change: also
// what an earlier one has brought to the mirror and nobody has decided upon.
func (s *session) completePreview(snapshot string) error {
	for _, p := range s.products {
		h, err := s.previewing(p, snapshot)
		if err != nil {
			return err
		}
		if h == nil {
			continue
		}
		if err := s.startJob(p, ledger.JobReview, h.ID, h.Cause); err != nil {
			return err
		}
	}
	return nil
}

// previewed announces what a preview has found, and forgets one that has found nothing.
func (s *session) previewed(snapshot string) (holds []event.RefreshHold, err error) {
	for _, p := range s.products {
		h, err := s.previewing(p, snapshot)
		switch {
		case err != nil:
			return nil, err
		case h == nil:
			continue
		case h.Grants+h.Revocations == 0:
			if err := s.withdraw(p, h, ""); err != nil {
				return nil, err
			}
			continue
		}
		if err := s.announce(p, h); err != nil {
			return nil, err
		}
		holds = append(holds, event.RefreshHold{
			Product: p.Name, Held: h.Ref, Revision: h.Revision, Grants: h.Grants, Revocations: h.Revocations,
		})
	}
	return holds, nil
}

// giveUpPreview decides as ever what the pages of a preview have brought that did not come to its end.
func (s *session) giveUpPreview(snapshot string) error {
	for _, p := range s.products {
		h, err := s.previewing(p, snapshot)
		if err != nil {
			return err
		}
		if h == nil {
			continue
		}
		if err := s.withdraw(p, h, ""); err != nil {
			return err
		}
		if err := s.startJob(p, ledger.JobReview, 0, s.origin.cause); err != nil {
			return err
		}
	}
	return nil
}
