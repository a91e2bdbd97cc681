package apply

import (
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// refreshRequested prepares for a refresh whose effects somebody wants to see first.
func (s *session) refreshRequested(data event.RefreshRequested) error {
	if !data.Preview {
		return nil
	}
	for _, p := range s.products {
		if !p.decides() {
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
		stored, err := s.tx.AddHeld(ledger.Held{
			Product: p.ID, Ref: "listing-refresh", Kind: ledger.HeldRefresh, State: ledger.HeldListing, Revision: 1,
			Cause: s.origin.cause, Snapshot: s.origin.cause,
		})
		if err != nil {
			return err
		}
		p.holds[ledger.HeldRefresh] = &hold{Held: stored}
	}
	return nil
}

// previewOf returns the snapshot whose effects are to be parked, if a page is a part of it or of its proof.
func (s *session) previewOf(p page) string {
	for _, product := range s.products {
		h, err := s.hold(product, ledger.HeldRefresh)
		if err != nil || h == nil || h.State != ledger.HeldListing {
			continue
		}
		if p.snapshot == h.Snapshot || strings.HasPrefix(s.origin.causes, h.Snapshot+proofInfix) {
			return h.Snapshot
		}
	}
	return ""
}

// listPreview puts a grant that a preview has found on its list.
func (s *session) listPreview(p *product, v verdict, m manner) error {
	h, err := s.hold(p, ledger.HeldRefresh)
	if err != nil {
		return err
	}
	if h == nil { // a product that came after the preview began
		return s.admit(p, v, m.cause)
	}
	return s.list(h, v.user.User, true, v.next.Reason)
}

// previewed announces what a preview has found, and forgets one that has found nothing.
func (s *session) previewed(snapshot string, failed bool) (holds []event.RefreshHold, err error) {
	for _, p := range s.products {
		h, err := s.hold(p, ledger.HeldRefresh)
		if err != nil {
			return nil, err
		}
		if h == nil || h.Snapshot != snapshot || h.State != ledger.HeldListing {
			continue
		}
		if failed || h.Grants+h.Revocations == 0 {
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
