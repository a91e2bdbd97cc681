package apply

import (
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// hold is a held change that is not closed, in a session.
type hold struct {
	ledger.Held
	dirty bool
	fresh bool // the revision is one that the session has begun
	news  news // what has changed on the list since it was announced, to be told at the end
}

var heldKinds = []ledger.HeldKind{ledger.HeldFlip, ledger.HeldRevocations, ledger.HeldFreeze, ledger.HeldRefresh}

// hold returns a product's held change of a kind that is not closed, or nil.
func (s *session) hold(p *product, kind ledger.HeldKind) (*hold, error) {
	if p.holds == nil {
		all, err := s.tx.OpenHolds(p.ID)
		if err != nil {
			return nil, err
		}
		p.holds = map[ledger.HeldKind]*hold{}
		for _, h := range all {
			p.holds[h.Kind] = &hold{Held: h}
		}
	}
	return p.holds[kind], nil
}

// prepare begins a held change whose list is made before anybody hears of it. There must be none of its kind.
func (s *session) prepare(p *product, h ledger.Held) (*hold, error) {
	h.Product, h.Ref, h.State, h.Revision = p.ID, "listing-"+string(h.Kind), ledger.HeldListing, 1
	stored, err := s.tx.AddHeld(h)
	if err != nil {
		return nil, err
	}
	s.told = true
	p.holds[h.Kind] = &hold{Held: stored}
	return p.holds[h.Kind], nil
}

// listing returns the held change of a kind that is not closed, preparing one where there is none. One that is open already
// takes what would be listed as well.
func (s *session) listing(p *product, kind ledger.HeldKind, cause string) (*hold, error) {
	known, err := s.hold(p, kind)
	if known != nil || err != nil {
		return known, err
	}
	return s.prepare(p, ledger.Held{Kind: kind, Cause: cause})
}

// opened returns the open held change of a kind, announcing one of so many revocations where there is none.
func (s *session) opened(p *product, kind ledger.HeldKind, revocations int, cause string) (*hold, error) {
	h, err := s.listing(p, kind, cause)
	if err != nil || h.State == ledger.HeldOpen {
		return h, err
	}
	return h, s.open(p, h, 0, revocations)
}

// open announces a held change with so many grants and revocations. Its list follows.
func (s *session) open(p *product, h *hold, grants, revocations int) error {
	h.State, h.OpenedAt, h.dirty, h.fresh = ledger.HeldOpen, s.now, true, true
	if h.Kind != ledger.HeldFreeze {
		h.ExpiresAt = s.now.Add(s.tenant.Hold.Expiry)
	}
	h.Ref = fmt.Sprintf("%s-%d", h.Kind, p.Sequence+1)
	data := event.HeldOpened{
		Tenant: s.tenant.Name, Product: p.Name, Held: h.Ref, Kind: string(h.Kind), Revision: h.Revision,
		Grants: grants, Revocations: revocations, Licensed: p.Used, Purchased: purchased(p.Seats), Expires: h.ExpiresAt,
	}
	if h.Kind == ledger.HeldFlip {
		data.Mode, data.Group = h.Mode, h.Group
		data.PreviousMode, data.PreviousGroup = string(p.State.Policy.Mode), p.State.Policy.Group
	}
	_, err := s.tell(p, event.TypeHeldOpened, event.HeldSubject(s.tenant.Name, p.Name), h.Cause, data)
	s.count("opened")
	return err
}

func purchased(seats licensing.Seats) *int {
	if seats.Purchased < 0 {
		return nil
	}
	return &seats.Purchased
}

// announce opens a held change whose list is complete, and begins to tell the list.
func (s *session) announce(p *product, h *hold) error {
	if err := s.open(p, h, h.Grants, h.Revocations); err != nil {
		return err
	}
	return s.startJob(p, ledger.JobAnnounce, h.ID, h.Cause)
}

// close ends a held change, and tells so where it was announced.
func (s *session) close(p *product, h *hold, state ledger.HeldState, by, cause string) (id string, err error) {
	if err := s.tx.DropJobsOf(h.ID); err != nil {
		return "", err
	}
	if h.State == ledger.HeldOpen {
		if err := s.tellLines(p, h.Held, h.news.lines, cause); err != nil {
			return "", err
		}
		s.count(string(state))
		id, err = s.tell(p, event.TypeHeldClosed, event.HeldSubject(s.tenant.Name, p.Name), cause, event.HeldClosed{
			Tenant: s.tenant.Name, Product: p.Name, Held: h.Ref, Kind: string(h.Kind), Revision: h.Revision,
			Outcome: string(state), By: by, Grants: h.Grants, Revocations: h.Revocations,
		})
		if err != nil {
			return "", err
		}
	}
	h.State, h.ClosedAt, h.ClosedBy = state, s.now, by
	delete(p.holds, h.Kind)
	return id, s.tx.SaveHeld(h.Held)
}

// closeUnheard ends a held change that nobody has heard of as approved: it is carried out at once.
func (s *session) closeUnheard(p *product, h *hold) error {
	h.Ref = fmt.Sprintf("unheard-%d", h.ID)
	_, err := s.close(p, h, ledger.HeldApproved, "", h.Cause)
	return err
}

func (s *session) count(what string) {
	if s.result.Held == nil {
		s.result.Held = map[string]int{}
	}
	s.result.Held[what]++
}

// withdraw ends a held change that has lost its ground: what it was about is no longer so, or is looked at anew. Licenses that
// stood because of it are decided again when somebody looks at them. One that nobody has heard of is forgotten.
func (s *session) withdraw(p *product, h *hold, cause string) error {
	unheard := h.State == ledger.HeldListing
	if _, err := s.close(p, h, ledger.HeldWithdrawn, "", cause); err != nil {
		return err
	}
	switch {
	case unheard:
		return s.tx.DropHeld(h.ID)
	case h.Kind == ledger.HeldRevocations || h.Kind == ledger.HeldFreeze:
		return s.tx.Release(h.Held)
	default:
		return nil // no license stands because of it
	}
}

// abandon ends all held changes of a product that is not decided any more, and the work that nobody has approved.
func (s *session) abandon(p *product) error {
	for _, kind := range heldKinds {
		h, err := s.hold(p, kind)
		if err != nil {
			return err
		}
		if h != nil {
			if err := s.withdraw(p, h, s.origin.cause); err != nil {
				return err
			}
		}
	}
	return s.tx.DropUnsaid(p.ID)
}
