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
	dirty  bool
	bumped bool             // the session has begun another revision
	news   []event.HeldUser // lines that have changed since it was announced, to be told at the end
}

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

// listing returns a held change whose list is made before anybody hears of it, beginning one where there is none. One that
// is open already takes what would be listed as well.
func (s *session) listing(p *product, kind ledger.HeldKind, cause string) (*hold, error) {
	known, err := s.hold(p, kind)
	if known != nil || err != nil {
		return known, err
	}
	stored, err := s.tx.AddHeld(ledger.Held{
		Product: p.ID, Ref: "listing-" + string(kind), Kind: kind, State: ledger.HeldListing, Revision: 1, Cause: cause,
	})
	if err != nil {
		return nil, err
	}
	p.holds[kind] = &hold{Held: stored}
	return p.holds[kind], nil
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
	h.State, h.OpenedAt, h.dirty = ledger.HeldOpen, s.now, true
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

// park puts a revocation on a list. The license stands, and where that is all that it stands on, it says so.
func (s *session) park(p *product, h *hold, v verdict, cause string) error {
	if err := s.list(h, v.user.User, false, v.next.Reason); err != nil {
		return err
	}
	if h.State == ledger.HeldListing || h.Kind == ledger.HeldRefresh {
		return nil
	}
	return s.keep(p, v, cause)
}

// keep lets a license stand although the rules are against it.
func (s *session) keep(p *product, v verdict, cause string) error {
	against := string(v.next.Reason)
	if v.before.Reason == string(licensing.Held) {
		if v.before.Against == against {
			return nil
		}
		return s.tx.HoldAgainst(p.ID, v.user.ID, against)
	}
	return s.transition(p, v.user.Ref, v.before, ledger.Entitlement{
		Product: p.ID, User: v.user.ID, Licensed: true, Since: v.before.Since, Reason: string(licensing.Held), Against: against,
	}, nil, cause)
}

// list puts a user on a list, or changes what the list says of the user.
func (s *session) list(h *hold, u ledger.User, licensed bool, reason licensing.Reason) error {
	line, found, err := s.tx.HeldUser(h.ID, u.ID)
	if err != nil || found && line.Listed && line.Licensed == licensed && line.Reason == string(reason) {
		return err
	}
	if found && line.Listed {
		h.count(line.Licensed, -1)
	}
	h.count(licensed, 1)
	return s.putLine(h, ledger.HeldUser{User: u.ID, Ref: u.Ref, Listed: true, Licensed: licensed, Reason: string(reason)})
}

// strike takes a user off a list.
func (s *session) strike(h *hold, u ledger.User) error {
	line, found, err := s.tx.HeldUser(h.ID, u.ID)
	if err != nil || !found || !line.Listed {
		return err
	}
	h.count(line.Licensed, -1)
	line.Ref, line.Listed = u.Ref, false
	return s.putLine(h, line)
}

func (s *session) putLine(h *hold, line ledger.HeldUser) error {
	h.dirty = true
	if h.State == ledger.HeldOpen {
		if !h.bumped && !h.OpenedAt.Equal(s.now) {
			h.Revision++
		}
		h.bumped = true
		h.news = append(h.news, event.HeldUser{User: line.Ref, Listed: line.Listed, Licensed: line.Licensed, Reason: line.Reason})
	}
	line.Revision = h.Revision
	return s.tx.PutHeldUser(h.ID, line)
}

func (h *hold) count(licensed bool, by int) {
	if licensed {
		h.Grants += by
	} else {
		h.Revocations += by
	}
}

// unlist takes a user about whom it is decided otherwise off every list but that of a flip, see relist.
func (s *session) unlist(p *product, u ledger.User) error {
	for _, kind := range []ledger.HeldKind{ledger.HeldRevocations, ledger.HeldFreeze, ledger.HeldRefresh} {
		h, err := s.hold(p, kind)
		if err != nil {
			return err
		}
		if h != nil {
			if err := s.strike(h, u); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaveHolds tells what has become of the lists, withdraws those that nobody is on any more, and stores them.
func (s *session) leaveHolds(p *product) error {
	for _, kind := range heldKinds {
		h := p.holds[kind]
		if h == nil || !h.dirty {
			continue
		}
		var err error
		if h.State == ledger.HeldOpen && h.Kind != ledger.HeldFlip && h.Grants+h.Revocations == 0 {
			_, err = s.close(p, h, ledger.HeldWithdrawn, "", s.origin.cause)
		} else if err = s.tellLines(p, h.Held, h.news); err == nil {
			err = s.tx.SaveHeld(h.Held)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var heldKinds = []ledger.HeldKind{ledger.HeldFlip, ledger.HeldRevocations, ledger.HeldFreeze, ledger.HeldRefresh}

// tellLines tells lines of a list, as many to an event as one may hold.
func (s *session) tellLines(p *product, h ledger.Held, lines []event.HeldUser) error {
	for len(lines) > 0 {
		n := min(len(lines), event.MaxHeldUsers)
		_, err := s.tell(p, event.TypeHeldListed, event.HeldSubject(s.tenant.Name, p.Name), h.Cause, event.HeldListed{
			Tenant: s.tenant.Name, Product: p.Name, Held: h.Ref, Revision: h.Revision, Users: lines[:n:n],
		})
		if err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// close ends a held change, and tells so where it was announced.
func (s *session) close(p *product, h *hold, state ledger.HeldState, by, cause string) (id string, err error) {
	for _, kind := range []ledger.JobKind{ledger.JobSurvey, ledger.JobReview, ledger.JobAnnounce} {
		job, found, err := s.tx.Job(p.ID, kind)
		if err != nil {
			return "", err
		}
		if found && job.Held == h.ID {
			if err := s.tx.DropJob(p.ID, kind); err != nil {
				return "", err
			}
		}
	}
	if h.State == ledger.HeldOpen {
		if err := s.tellLines(p, h.Held, h.news); err != nil {
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

func (s *session) count(what string) {
	if s.result.Held == nil {
		s.result.Held = map[string]int{}
	}
	s.result.Held[what]++
}

// withdraw ends a held change that has lost its ground: what it was about is no longer so. One that nobody has heard of
// is forgotten.
func (s *session) withdraw(p *product, h *hold, cause string) error {
	unheard := h.State == ledger.HeldListing
	if _, err := s.close(p, h, ledger.HeldWithdrawn, "", cause); err != nil || !unheard {
		return err
	}
	return s.tx.DropHeld(h.ID)
}

// abandon ends all held changes and jobs of a product that is not decided any more.
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
	return s.tx.DropJobs(p.ID)
}
