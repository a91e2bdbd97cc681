package apply

import (
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// manner says how decisions take effect.
type manner struct {
	cause string // the event that they name as their cause
	// preview is the snapshot of a refresh on whose list everything goes that would change a license.
	preview string
	// review lists revocations: all users are gone through, and only at the end is it known how many they are.
	review bool
	// torn: it follows from what one request has shown, and another may show more. Who has left a nest may still be in it.
	torn bool
}

// person is a user whom a session decides about.
type person struct {
	ledger.User
	direct []int64 // groups that have the user as a direct member
}

func (s *session) person(u ledger.User) (person, error) {
	direct, err := s.tx.DirectGroups(u.ID)
	return person{User: u, direct: direct}, err
}

func (s *session) people(ids []int64) ([]person, error) {
	people := make([]person, 0, len(ids))
	for _, id := range ids {
		user, err := s.tx.User(id)
		if err != nil {
			return nil, err
		}
		one, err := s.person(user)
		if err != nil {
			return nil, err
		}
		people = append(people, one)
	}
	return people, nil
}

// verdict is what the rules say of a user, where it is not what stands.
type verdict struct {
	user   person
	before *ledger.Entitlement // nil for one who never had any
	next   licensing.Decision  // before seats are counted
	path   []int64             // next.Path as numbers
}

func (v verdict) holds() bool   { return v.before != nil && v.before.Licensed }
func (v verdict) revokes() bool { return v.holds() && !v.next.Licensed }

// decideAll decides the given users anew for every product that has a policy.
func (s *session) decideAll(touched users, m manner) error {
	if len(touched.order) == 0 || !s.tenant.Decides() || !slices.ContainsFunc(s.products, s.decides) {
		return nil
	}
	people, err := s.people(touched.order)
	if err != nil {
		return err
	}
	for _, p := range s.products {
		if err := s.decide(p, people, m); err != nil {
			return err
		}
	}
	return nil
}

// decide compares what the rules say of people with what stands, and carries out what differs. One whom no read has shown
// yet is not decided.
func (s *session) decide(p *product, people []person, m manner) error {
	if !s.decides(p) {
		return nil
	}
	var differ []verdict
	for _, one := range people {
		if !one.Known() {
			continue
		}
		v, differs, err := s.judge(p, one)
		if err != nil {
			return err
		}
		if !differs {
			if err := s.settled(p, v); err != nil {
				return err
			}
			continue
		}
		waits, err := s.putsOff(p, v, m)
		if err != nil {
			return err
		}
		if !waits {
			differ = append(differ, v)
		}
	}
	if err := s.carryOut(p, differ, m); err != nil {
		return err
	}
	if err := s.fillSeats(p, m.cause); err != nil {
		return err
	}
	return s.relist(p, people)
}

// judge says what the rules make of a user under the policy in force, and whether that differs from what stands. A
// revocation that is parked, or was rejected, does not differ while its reason is the same, unless it was approved since; a
// grant does not while the user waits for a seat.
func (s *session) judge(p *product, user person) (v verdict, differs bool, err error) {
	v.user = user
	if v.next, v.path, err = s.rule(p.State.Policy, user); err != nil {
		return v, false, err
	}
	stands, found, err := s.tx.Entitlement(p.ID, user.ID)
	if err != nil {
		return v, false, err
	}
	if found {
		v.before = &stands
	} else if !v.next.Licensed {
		return v, false, nil
	}
	reason := licensing.Reason(stands.Reason)
	switch {
	case reason == licensing.Held && stands.Against == string(v.next.Reason):
		if some, err := s.saidOfAny(p); !some || err != nil {
			return v, false, err
		}
		said, err := s.said(p, v)
		return v, said.Held.State == ledger.HeldApproved, err
	case v.next.Licensed && !v.holds():
		waits, err := s.waits(p, user.ID)
		return v, !waits, err
	default:
		return v, stands.Licensed != v.next.Licensed || reason != v.next.Reason || !slices.Equal(stands.Path, v.path), nil
	}
}

// waits reports whether a user is seen to in line: there is a limit, and the user has a place.
func (s *session) waits(p *product, user int64) (bool, error) {
	if _, limited := p.Seats.Free(p.Used); !limited {
		return false, nil
	}
	_, waits, err := s.place(p, user)
	return waits, err
}

// rule is what the rules say of a user under a policy, and the path as numbers.
func (s *session) rule(policy licensing.Policy, user person) (d licensing.Decision, path []int64, err error) {
	if s.tenant.Disconnected == ledger.LicensesEnded {
		return licensing.Decision{Reason: licensing.Disconnected}, nil, nil
	}
	n, err := s.nestOf(policy.Group)
	if err != nil {
		return d, nil, err
	}
	path = n.path(user.direct)
	d = licensing.Decide(user.User.User, policy, n.named(path))
	if len(d.Path) == 0 {
		path = nil
	}
	return d, path, nil
}
