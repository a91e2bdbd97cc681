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
	goesOn := alone(revocations) && !m.review && m.preview == "" && !s.tenant.Frozen // in a review they come in chunks
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
		switch said.Held.State {
		case ledger.HeldApproved:
			err = s.settle(p, v, v.next, said.Cause)
		case ledger.HeldRejected, ledger.HeldExpired:
			err = s.keep(p, v, said.Cause)
		case ledger.HeldOpen, ledger.HeldListing:
			if !goesOn {
				err = s.park(p, p.holds[said.Held.Kind], v, m.cause)
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

// said returns what was said of a revocation that is not carried out yet; nothing, for most. See saidOfAny.
func (s *session) said(p *product, v verdict) (ledger.Word, error) {
	words, err := s.tx.Words(p.ID, v.user.ID)
	if len(words) == 0 || err != nil {
		return ledger.Word{}, err
	}
	decided := v.before.Sequence
	if v.before.Reason == string(licensing.Held) { // a license that stands for now is no decision of its own
		if decided, err = s.tx.DecidedAt(p.ID, v.user.ID); err != nil {
			return ledger.Word{}, err
		}
	}
	for _, w := range words {
		switch {
		case decided > s.sequenceOf(p, w.Cause): // it was decided otherwise since: this is another one
		case w.Held.State == ledger.HeldApproved && s.tenant.Frozen: // it rests
		case (w.Held.State == ledger.HeldRejected || w.Held.State == ledger.HeldExpired) && w.Reason != string(v.next.Reason): // another one, too
		default:
			return w, nil
		}
	}
	return ledger.Word{}, nil
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
