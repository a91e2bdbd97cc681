package apply

import (
	"math"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// foreseen sees to those revocations of which it is said already what becomes of them, and returns the others. Whatever was
// approved takes effect, also where its job has yet to come to the user; whatever was rejected does not; and who is on a list
// waits for what is said of that, unless it is a single suspension or deletion.
func (s *session) foreseen(p *product, revocations []verdict, m manner) (others []verdict, err error) {
	if len(revocations) == 0 {
		return nil, nil
	}
	goesOn := alone(revocations) && m.preview == "" && !s.tenant.Frozen
	some, err := s.saidOfAny(p)
	if err != nil {
		return nil, err
	}
	for _, v := range revocations {
		parked, err := s.parkedOn(p, v.user.User)
		if err != nil {
			return nil, err
		}
		if parked != nil && !goesOn {
			if err := s.park(p, parked, v, m.cause); err != nil {
				return nil, err
			}
			continue
		}
		if m.preview != "" || !some {
			others = append(others, v)
			continue
		}
		said, err := s.said(p, v)
		if err != nil {
			return nil, err
		}
		switch said.State {
		case ledger.HeldApproved:
			err = s.settle(p, v, v.next, said.cause)
		case ledger.HeldRejected, ledger.HeldExpired:
			err = s.keep(p, v, said.cause)
		case ledger.HeldOpen, ledger.HeldListing:
			if !goesOn {
				err = s.park(p, p.holds[said.Kind], v, m.cause)
				break
			}
			others = append(others, v)
		default:
			others = append(others, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return others, nil
}

// parkedOn returns the list of revocations that a user is on, or nil.
func (s *session) parkedOn(p *product, u ledger.User) (*hold, error) {
	for _, kind := range []ledger.HeldKind{ledger.HeldRevocations, ledger.HeldFreeze} {
		h, err := s.hold(p, kind)
		if err != nil {
			return nil, err
		}
		if h == nil {
			continue
		}
		if line, found, err := s.tx.HeldUser(h.ID, u.ID); err != nil || found && line.Listed {
			return h, err
		}
	}
	return nil, nil //nolint:nilnil // no list is no fault
}

// word is what was said of a revocation, and the event that did.
type word struct {
	ledger.Held
	cause string
}

// said returns what was said of a revocation that is not carried out yet; nothing, for most. See saidOfAny.
func (s *session) said(p *product, v verdict) (word, error) {
	parked, line, cause, found, err := s.tx.Parked(p.ID, v.user.ID)
	if !found || err != nil {
		return word{}, err
	}
	if parked.State == ledger.HeldApproved && s.tenant.Frozen {
		return word{}, nil // it rests
	}
	if licensing.Reason(v.before.Reason) != licensing.Held && v.before.Sequence > s.sequenceOf(p, cause) {
		return word{}, nil // it was decided otherwise since: this is another one
	}
	if (parked.State == ledger.HeldRejected || parked.State == ledger.HeldExpired) && line.Reason != string(v.next.Reason) {
		return word{}, nil // that was another one
	}
	return word{Held: parked, cause: cause}, nil
}

// sequenceOf is the sequence of a product's event with an id; of any other event it is one that nothing comes after.
func (s *session) sequenceOf(p *product, id string) uint64 {
	n, err := strconv.ParseUint(id[strings.LastIndexByte(id, '.')+1:], 10, 64)
	if err != nil || id != event.LicenseID(s.tenant.Name, p.Name, n) {
		return math.MaxUint64
	}
	return n
}

// saidOfAny reports whether anything may be said already of somebody's revocation.
func (s *session) saidOfAny(p *product) (bool, error) {
	if refresh, err := s.hold(p, ledger.HeldRefresh); refresh != nil || err != nil {
		return true, err
	}
	return s.tx.Closing(p.ID)
}
