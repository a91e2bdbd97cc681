package apply

import (
	"math"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// admit gives a license to somebody to whom the rules give one, if a seat is free, and a place in line otherwise.
func (s *session) admit(p *product, v verdict, cause string) error {
	place, waits, err := s.place(p, v.user.ID)
	if err != nil {
		return err
	}
	d := v.next
	if free, limited := p.Seats.Free(p.Used); limited {
		ahead := 0
		if free > 0 {
			before := int64(math.MaxInt64)
			if waits {
				before = place
			}
			if ahead, err = s.tx.Ahead(p.ID, before, free); err != nil {
				return err
			}
		}
		d = p.Seats.Seat(d, false, p.Used, ahead)
	}
	if d.Licensed {
		return s.settle(p, v, d, cause)
	}
	if !waits {
		if err := s.joinLine(p, v.user.User, cause); err != nil {
			return err
		}
	}
	if v.before == nil || v.before.Reason == string(d.Reason) {
		return nil // who never had a license is told of in line alone
	}
	return s.settle(p, v, d, cause)
}

func (s *session) place(p *product, user int64) (place int64, waits bool, err error) {
	if p.Line == 0 {
		return 0, false, nil // nobody ever waited
	}
	return s.tx.Place(p.ID, user)
}

func (s *session) joinLine(p *product, u ledger.User, cause string) error {
	p.Line++
	p.dirty = true
	if err := s.tx.Join(p.ID, u.ID, p.Line); err != nil {
		return err
	}
	return s.tellLine(p, u, true, p.Line, cause)
}

func (s *session) leaveLine(p *product, u ledger.User, cause string) error {
	place, waits, err := s.place(p, u.ID)
	if !waits || err != nil {
		return err
	}
	if err := s.tx.LeaveLine(p.ID, u.ID); err != nil {
		return err
	}
	return s.tellLine(p, u, false, place, cause)
}

func (s *session) tellLine(p *product, u ledger.User, waiting bool, place int64, cause string) error {
	_, err := s.tell(p, event.TypeLineChanged, event.SeatsSubject(s.tenant.Name, p.Name), cause, event.LineChanged{
		Tenant: s.tenant.Name, Product: p.Name, User: u.Ref, Waiting: waiting, Place: int(place),
	})
	return err
}

// fillSeats gives the seats that are free to those who wait, the first in line first; many by a job.
func (s *session) fillSeats(p *product, cause string) error {
	if p.Line == 0 {
		return nil
	}
	more, err := s.fillSome(p, cause, s.cfg.Chunk)
	if more && err == nil {
		err = s.startJob(p, ledger.JobSeats, 0, cause)
	}
	return err
}

// fillSome gives up to n seats, and reports whether more could be given.
func (s *session) fillSome(p *product, cause string, n int) (more bool, err error) {
	free, limited := p.Seats.Free(p.Used)
	if !limited {
		free = n + 1
	}
	if free == 0 {
		return false, nil
	}
	next, err := s.tx.Waiting(p.ID, min(free, n+1))
	if err != nil {
		return false, err
	}
	for i, id := range next {
		if i == n {
			return true, nil
		}
		given, err := s.giveSeat(p, id, cause)
		if err != nil {
			return false, err
		}
		more = more || !given // the seat is still there
	}
	return more, nil
}

// giveSeat gives a free seat to somebody who waits. One to whom the rules give no license any more is decided so, and leaves
// the line.
func (s *session) giveSeat(p *product, id int64, cause string) (given bool, err error) {
	user, err := s.tx.User(id)
	if err != nil {
		return false, err
	}
	one, err := s.person(user)
	if err != nil {
		return false, err
	}
	v, _, err := s.judge(p, one)
	if err != nil {
		return false, err
	}
	if given = !v.holds() && v.next.Licensed; given || v.before != nil && !v.holds() {
		err = s.settle(p, v, v.next, cause)
	} else {
		err = s.leaveLine(p, user, cause)
	}
	if err != nil {
		return false, err
	}
	return given, s.relist(p, []person{one})
}

// tellSeats tells when more licenses come to be held than were purchased, and when they no longer are. While a bulk is
// under way the number is in between and says nothing.
func (s *session) tellSeats(p *product) error {
	exceeded := p.Seats.Exceeded(p.Used)
	if !p.dirty || exceeded == p.Exceeded {
		return nil
	}
	if _, busy, err := s.tx.Job(p.ID, ledger.JobApply); busy || err != nil {
		return err
	}
	p.Exceeded = exceeded
	if p.Seats.Purchased == licensing.Unlimited {
		return nil // it was exceeded, and nobody says any more how many there are
	}
	eventType := event.TypeSeatsWithin
	if exceeded {
		eventType = event.TypeSeatsExceeded
	}
	_, err := s.tell(p, eventType, event.SeatsSubject(s.tenant.Name, p.Name), s.origin.cause, event.SeatsUse{
		Tenant: s.tenant.Name, Product: p.Name, Purchased: p.Seats.Purchased, Used: p.Used, Enforce: p.Seats.Enforce,
	})
	return err
}
