package apply

import (
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// foreseen sees to those revocations of which it is said already what becomes of them, and returns the others. Whatever was
// approved takes effect, also where its job has yet to come to the user; whatever was rejected does not; and who is on the list
// of a refresh waits for what is said of that, unless it is a single suspension or deletion.
func (s *session) foreseen(p *product, revocations []verdict, m manner) (others []verdict, err error) {
	if m.preview != "" {
		return revocations, nil
	}
	goesOn := alone(revocations)
	for _, v := range revocations {
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

// word is what was said of a revocation, and the event that did.
type word struct {
	ledger.Held
	cause string
}

// said returns what was said of a revocation that is not carried out yet; nothing, for most.
func (s *session) said(p *product, v verdict) (word, error) {
	waits, err := s.saidOfAny(p)
	if !waits || err != nil {
		return word{}, err
	}
	parked, line, cause, found, err := s.tx.Parked(p.ID, v.user.ID)
	if !found || err != nil {
		return word{}, err
	}
	if parked.State == ledger.HeldApproved && s.tenant.Frozen {
		return word{}, nil // it rests
	}
	if (parked.State == ledger.HeldRejected || parked.State == ledger.HeldExpired) && line.Reason != string(v.next.Reason) {
		return word{}, nil // that was another one
	}
	return word{Held: parked, cause: cause}, nil
}

// saidOfAny reports whether anything may be said already of somebody's revocation.
func (s *session) saidOfAny(p *product) (bool, error) {
	if refresh, err := s.hold(p, ledger.HeldRefresh); refresh != nil || err != nil {
		return true, err
	}
	return s.tx.Closing(p.ID)
}
