package apply

import (
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

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

// putLine stores a line. A list that others have seen has another revision from there on.
func (s *session) putLine(h *hold, line ledger.HeldUser) error {
	h.dirty = true
	if h.State == ledger.HeldOpen {
		if !h.fresh {
			h.Revision, h.fresh = h.Revision+1, true
		}
		h.news.put(heldUser(line))
	}
	line.Revision = h.Revision
	return s.tx.PutHeldUser(h.ID, line)
}

func heldUser(line ledger.HeldUser) event.HeldUser {
	return event.HeldUser{User: line.Ref, Listed: line.Listed, Licensed: line.Licensed, Reason: line.Reason}
}

// news are lines of a list, the latest of each user.
type news struct {
	lines []event.HeldUser
	at    map[string]int // by user
}

func (n *news) put(line event.HeldUser) {
	if at, known := n.at[line.User]; known {
		n.lines[at] = line
		return
	}
	if n.at == nil {
		n.at = map[string]int{}
	}
	n.at[line.User] = len(n.lines)
	n.lines = append(n.lines, line)
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
		} else if err = s.tellLines(p, h.Held, h.news.lines, s.origin.cause); err == nil {
			err = s.tx.SaveHeld(h.Held)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tellLines tells lines of a list, as many to an event as one may hold.
func (s *session) tellLines(p *product, h ledger.Held, lines []event.HeldUser, cause string) error {
	for len(lines) > 0 {
		n := min(len(lines), event.MaxHeldUsers)
		_, err := s.tell(p, event.TypeHeldListed, event.HeldSubject(s.tenant.Name, p.Name), cause, event.HeldListed{
			Tenant: s.tenant.Name, Product: p.Name, Held: h.Ref, Revision: h.Revision, Users: lines[:n:n],
		})
		if err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}
