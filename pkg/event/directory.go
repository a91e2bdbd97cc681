package event

import (
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// ErrBadObservation is wrapped by every error of the Directory methods: the data says something that this version does
// not understand or that no provider can have shown. Reading it again will not help.
var ErrBadObservation = errors.New("not a usable observation")

// StampOf puts a stamp on the wire.
func StampOf(s directory.Stamp) Stamp { return Stamp{Epoch: s.Epoch, Counter: s.Counter} }

// Directory takes a stamp off the wire.
func (s Stamp) Directory() directory.Stamp {
	return directory.Stamp{Epoch: s.Epoch, Counter: s.Counter}
}

// FromObservation puts an observation on the wire. It shares the slices of o.
func FromObservation(o directory.Observation) Observation {
	var wire Observation
	if o.User != nil {
		u := FromUser(*o.User)
		wire.User = &u
	}
	if o.Group != nil {
		g := FromGroup(*o.Group)
		wire.Group = &g
	}
	if o.Membership != nil {
		m := FromMembership(*o.Membership)
		wire.Membership = &m
	}
	return wire
}

// FromObservations puts a page of observations on the wire, in the same order. It never returns nil.
func FromObservations(page []directory.Observation) []Observation {
	wire := make([]Observation, len(page))
	for i, o := range page {
		wire[i] = FromObservation(o)
	}
	return wire
}

// FromUser puts a user on the wire.
func FromUser(u directory.User) User {
	return User{ID: u.ID, Name: u.Name, Addresses: u.Addresses, Status: string(u.Status), Guest: u.Guest}
}

// FromGroup puts a group on the wire.
func FromGroup(g directory.Group) Group {
	return Group{ID: g.ID, Name: g.Name, Addresses: g.Addresses, Kind: string(g.Kind), Deleted: g.Deleted}
}

// FromMembership puts a membership on the wire.
func FromMembership(m directory.Membership) Membership {
	return Membership{GroupID: m.GroupID, MemberKind: string(m.Kind), MemberID: m.ID, Present: m.Present}
}

// Directory takes an observation off the wire. It fails with ErrBadObservation when not exactly one of the fields is
// set, or when that one does not hold.
func (o Observation) Directory() (directory.Observation, error) {
	if n := o.fieldsSet(); n != 1 {
		return directory.Observation{}, fmt.Errorf("%w: %d of user, group and membership are set, want one", ErrBadObservation, n)
	}
	switch {
	case o.User != nil:
		u, err := o.User.Directory()
		return directory.Observation{User: &u}, err
	case o.Group != nil:
		g, err := o.Group.Directory()
		return directory.Observation{Group: &g}, err
	default:
		m, err := o.Membership.Directory()
		return directory.Observation{Membership: &m}, err
	}
}

func (o Observation) fieldsSet() int {
	n := 0
	for _, set := range [...]bool{o.User != nil, o.Group != nil, o.Membership != nil} {
		if set {
			n++
		}
	}
	return n
}

// Directory takes all observations of a page off the wire, in order. The first bad one fails the page.
func (d DirectoryObserved) Directory() ([]directory.Observation, error) {
	page := make([]directory.Observation, len(d.Observations))
	for i, wire := range d.Observations {
		o, err := wire.Directory()
		if err != nil {
			return nil, fmt.Errorf("observation %d: %w", i, err)
		}
		page[i] = o
	}
	return page, nil
}

// Directory takes a user off the wire. An unknown status is an error: whether the user may sign in decides.
func (u User) Directory() (directory.User, error) {
	if !ValidToken(u.ID) {
		return directory.User{}, fmt.Errorf("%w: user has no usable id %q", ErrBadObservation, u.ID)
	}
	status := directory.Status(u.Status)
	switch status {
	case directory.Active, directory.Suspended, directory.Archived, directory.Deleted:
	default:
		return directory.User{}, fmt.Errorf("%w: user %s has the unknown status %q", ErrBadObservation, u.ID, u.Status)
	}
	return directory.User{ID: u.ID, Name: u.Name, Addresses: u.Addresses, Status: status, Guest: u.Guest}, nil
}

// Directory takes a group off the wire. An unknown kind passes: no rule depends on it.
func (g Group) Directory() (directory.Group, error) {
	if !ValidToken(g.ID) {
		return directory.Group{}, fmt.Errorf("%w: group has no usable id %q", ErrBadObservation, g.ID)
	}
	return directory.Group{
		ID: g.ID, Name: g.Name, Addresses: g.Addresses, Kind: directory.GroupKind(g.Kind), Deleted: g.Deleted,
	}, nil
}

// Directory takes a membership off the wire. A member has an id, unless it is the whole customer.
func (m Membership) Directory() (directory.Membership, error) {
	if !ValidToken(m.GroupID) {
		return directory.Membership{}, fmt.Errorf("%w: membership has no usable group id %q", ErrBadObservation, m.GroupID)
	}
	kind := directory.MemberKind(m.MemberKind)
	switch kind {
	case directory.UserMember, directory.GroupMember, directory.OtherMember:
		if !ValidToken(m.MemberID) {
			return directory.Membership{}, fmt.Errorf("%w: %s in group %s has no usable id %q",
				ErrBadObservation, kind, m.GroupID, m.MemberID)
		}
	case directory.CustomerMember:
		if m.MemberID != "" {
			return directory.Membership{}, fmt.Errorf("%w: the customer in group %s has an id", ErrBadObservation, m.GroupID)
		}
	default:
		return directory.Membership{}, fmt.Errorf("%w: member of group %s has the unknown kind %q",
			ErrBadObservation, m.GroupID, m.MemberKind)
	}
	return directory.Membership{GroupID: m.GroupID, Kind: kind, ID: m.MemberID, Present: m.Present}, nil
}
