package apply

import (
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// page applies what one request to the provider showed, then decides again for those whom it can affect.
func (s *session) page(p page) error {
	s.result.Refused += p.refused
	if p.snapshot != "" {
		if err := s.countPage(p.snapshot); err != nil {
			return err
		}
	}
	var touched users
	var left []string // groups that may be nobody's concern any more
	for _, o := range p.observations {
		var err error
		switch {
		case o.User != nil:
			err = s.user(*o.User, p.stamp, &touched)
		case o.Group != nil:
			err = s.group(*o.Group, p.stamp, &left)
		default:
			err = s.membership(*o.Membership, p.stamp, &touched)
		}
		if err != nil {
			return err
		}
	}
	if p.stamp.Compare(s.tenant.Seen) > 0 {
		s.tenant.Seen = p.stamp
	}
	if err := s.reviewPolicies(left); err != nil {
		return err
	}
	return s.decideAll(touched)
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

func (s *session) user(u directory.User, at directory.Stamp, touched *users) error {
	c, err := s.tx.PutUser(s.tenant, u, at)
	if err != nil {
		return err
	}
	s.countRemoved(c.Removed)
	if c.Seen == ledger.Changed {
		touched.add(c.ID)
	}
	return nil
}

func (s *session) group(g directory.Group, at directory.Stamp, left *[]string) error {
	c, err := s.tx.PutGroup(s.tenant, g, at)
	if err != nil || c.Seen != ledger.Changed {
		return err
	}
	s.countRemoved(c.Removed)
	for _, p := range s.products {
		if slices.Contains(c.Touched, p.Address) || p.concerns(g.ID) {
			p.lookAt = true
			*left = append(*left, g.ID)
		}
	}
	return nil
}

func (s *session) membership(m directory.Membership, at directory.Stamp, touched *users) error {
	c, err := s.tx.PutMembership(s.tenant, m, at)
	if err != nil || c.Seen != ledger.Changed {
		return err
	}
	s.countRemoved(c.Removed)
	for _, p := range s.products {
		if p.State.Change != nil && p.State.Change.Group == c.Group {
			p.lookAt, p.moved = true, true
		}
		if p.State.Phase != licensing.InForce || p.State.Policy.Group != c.Group {
			continue
		}
		switch c.Kind {
		case directory.UserMember:
			touched.add(c.Member)
		case directory.CustomerMember:
			p.redecide(s.origin.cause)
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

// redecide has all users decided again, in chunks, from the first one on.
func (p *product) redecide(cause string) {
	p.RedecideAfter, p.RedecideCause, p.dirty = 0, cause, true
}
