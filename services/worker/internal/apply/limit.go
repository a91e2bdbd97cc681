package apply

import (
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// seatsRequested sets how many seats were purchased, and whether they are a limit.
func (s *session) seatsRequested(data event.SeatsRequested) error {
	p := s.named(data.Product)
	if p == nil {
		return s.refuse(event.CodeBadRequest, "the tenant has no such product")
	}
	next := p.Seats
	if data.Purchased != nil {
		next.Purchased = *data.Purchased
	}
	if data.Enforce != nil {
		next.Enforce = *data.Enforce
	}
	switch {
	case next.Purchased < licensing.Unlimited:
		return s.refuse(event.CodeBadRequest, "a number of seats is not below 0")
	case next == p.Seats:
		return s.answer(event.Answered{})
	}
	p.Seats, p.dirty = next, true
	id, err := s.tell(p, event.TypeSeatsChanged, event.SeatsSubject(s.tenant.Name, p.Name), s.origin.cause, event.SeatsChanged{
		Tenant: s.tenant.Name, Product: p.Name, By: data.By, Purchased: purchased(next), Enforce: next.Enforce, Used: p.Used,
	})
	if err != nil {
		return err
	}
	if p.Line > 0 { // by a job, which rests while the tenant is paused
		if err := s.startJob(p, ledger.JobSeats, 0, id); err != nil {
			return err
		}
	}
	return s.answer(event.Answered{})
}
