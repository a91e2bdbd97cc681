package apply

import (
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// page applies what one request to the provider showed, then decides again for those whom it can affect. Of a tenant that is
// not followed any more it is nobody's concern.
func (s *session) page(p page) error {
	s.result.Refused += p.refused
	if !s.tenant.Follows() {
		return nil
	}
	if p.snapshot != "" {
		if err := s.countPage(p.snapshot); err != nil {
			return err
		}
	}
	preview, err := s.previewOf(p)
	if err != nil {
		return err
	}
	var touched users
	take := func() error { return s.take(p, &touched) }
	if p.structural() {
		err = s.rewatching(func() error { return s.renesting(take, &touched, preview) })
	} else {
		err = take()
	}
	if err != nil {
		return err
	}
	return s.decideAll(touched, manner{cause: s.origin.cause, preview: preview, torn: s.cfg.Whole && preview == ""})
}

// take applies the observations and looks at the products that they concern.
func (s *session) take(p page, touched *users) error {
	seen := ledger.Evidence{Stamp: p.stamp, At: s.origin.at, Told: p.told, Doubt: s.cfg.Doubt}
	for _, o := range p.observations {
		var err error
		switch {
		case o.User != nil:
			err = s.user(*o.User, seen, touched)
		case o.Group != nil:
			err = s.group(*o.Group, seen)
		default:
			err = s.membership(*o.Membership, seen, touched)
		}
		if err != nil {
			return err
		}
	}
	s.result.Timers = s.result.Timers || s.tx.Doubted()
	if p.stamp.Compare(s.tenant.Seen) > 0 {
		s.tenant.Seen = p.stamp
	}
	return s.reviewPolicies()
}

// structural reports whether a page may change which groups there are, or which are nested in which.
func (p page) structural() bool {
	return slices.ContainsFunc(p.observations, func(o directory.Observation) bool {
		return o.Group != nil || o.Membership != nil && o.Membership.Kind != directory.UserMember
	})
}

// users is a set of users that keeps the order in which they came.
type users struct {
	order []int64
	known map[int64]bool
}

func (u *users) add(id int64) {
	if u.known == nil {
		u.known = map[int64]bool{}
	}
	if !u.known[id] {
		u.known[id] = true
		u.order = append(u.order, id)
	}
}

func (s *session) user(u directory.User, seen ledger.Evidence, touched *users) error {
	c, err := s.tx.PutUser(s.tenant, u, seen)
	if err != nil {
		return err
	}
	s.countRemoved(c.Removed)
	if c.Seen == ledger.Changed {
		touched.add(c.ID)
	}
	return nil
}

func (s *session) group(g directory.Group, seen ledger.Evidence) error {
	c, err := s.tx.PutGroup(s.tenant, g, seen)
	if err != nil || c.Seen != ledger.Changed {
		return err
	}
	s.countRemoved(c.Removed)
	if c.Ended {
		s.nestsMoved()
	}
	for _, p := range s.products {
		if slices.Contains(c.Touched, p.Address) || p.concerns(g.ID) {
			p.lookAt = true
		}
		if c.Ended {
			if err := s.nestedGroupEnded(p, c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// nestedGroupEnded notes where a group that has ended, or is back, is one within what a product may change to.
func (s *session) nestedGroupEnded(p *product, group int64) error {
	if p.State.Change == nil {
		return nil
	}
	candidate, err := s.nestOf(p.State.Change.Group)
	if err != nil {
		return err
	}
	around, err := s.tx.Around(group)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(around, candidate.Holds) {
		p.lookAt, p.moved = true, true
	}
	return nil
}

// membership applies one, and notes whom it concerns: everybody where groups or the whole customer came or went, see
// renesting.
func (s *session) membership(m directory.Membership, seen ledger.Evidence, touched *users) error {
	c, err := s.tx.PutMembership(s.tenant, m, seen)
	if err == nil && c.Seen == ledger.Same && c.Kind == directory.UserMember && !m.Present {
		return s.tx.LeavesAgain(c.Member, s.origin.at) // was there meanwhile, perhaps, and has moved on
	}
	if err != nil || c.Seen != ledger.Changed {
		return err
	}
	s.countRemoved(c.Removed)
	if c.Kind == directory.UserMember {
		touched.add(c.Member)
	} else {
		s.nestsMoved()
	}
	if c.Kind == directory.GroupMember {
		if ended, err := s.tx.Ended(c.Member); ended || err != nil {
			return err // nobody is in a group that is no more
		}
	}
	for _, p := range s.products {
		if p.State.Change == nil {
			continue
		}
		candidate, err := s.nestOf(p.State.Change.Group)
		if err != nil {
			return err
		}
		if candidate.Holds(c.GroupID) {
			p.lookAt, p.moved = true, true
		}
	}
	return nil
}

func (s *session) countRemoved(removed bool) {
	if removed {
		s.tenant.Removed++
	}
}

// concerns reports whether a group is in force for the product or waits to be.
func (p *product) concerns(group string) bool {
	return p.State.Policy.Group == group || p.State.Change != nil && p.State.Change.Group == group
}
