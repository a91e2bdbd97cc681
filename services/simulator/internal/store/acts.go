package store

import "slices"

// Acts is a set of what was done to a user or group of a Workspace directory.
type Acts uint16

// The acts. Renamed is of the primary address, NameChanged of the name.
const (
	Created Acts = 1 << iota
	Deleted      // also of one that is purged while it is live
	Restored
	Suspended
	Unsuspended
	Archived
	Unarchived
	Renamed
	NameChanged
	AliasAdded
	AliasRemoved
)

// Has reports whether all of the acts were done.
func (a Acts) Has(acts Acts) bool { return a&acts == acts }

// aboutUser adds to a change what Workspace tells of it. u is nil once the user is gone for good.
func (s *state) aboutUser(c Change, old, u *User) Change {
	if !s.workspace() {
		return c
	}
	c.Via = s.via
	if u == nil {
		c.Address, c.Before = old.UPN, old.UPN
		c.when(old.Live(), Deleted)
		return c
	}
	c.Address = u.UPN
	if old == nil {
		c.Acts = Created
		c.when(u.Disabled, Suspended)
		c.when(u.Archived, Archived)
		return c
	}
	c.life(old.Live(), u.Live(), old.UPN)
	c.when(!old.Disabled && u.Disabled, Suspended)
	c.when(old.Disabled && !u.Disabled, Unsuspended)
	c.when(!old.Archived && u.Archived, Archived)
	c.when(old.Archived && !u.Archived, Unarchived)
	c.when(old.Name != u.Name || old.Given != u.Given || old.Surname != u.Surname, NameChanged)
	c.addresses(old.UPN, u.UPN, old.Addresses(), u.Addresses())
	return c
}

// aboutGroup is aboutUser for groups.
func (s *state) aboutGroup(c Change, old, g *Group) Change {
	if !s.workspace() {
		return c
	}
	c.Via = s.via
	if g == nil {
		c.Address, c.Before = old.Mail, old.Mail
		c.when(old.Live(), Deleted)
		return c
	}
	c.Address = g.Mail
	if old == nil {
		c.Acts = Created
		return c
	}
	c.life(old.Live(), g.Live(), old.Mail)
	c.when(old.Name != g.Name, NameChanged)
	c.addresses(old.Mail, g.Mail, old.Addresses(), g.Addresses())
	return c
}

// aboutMember makes the change that tells of a link.
func (s *state) aboutMember(kind ChangeKind, group, member string, implied bool) Change {
	c := Change{Kind: kind, ID: group, Member: member, MemberGroup: s.isGroup(member), Implied: implied}
	if s.workspace() {
		c.Address, c.MemberAddress = s.groups[group].Mail, s.place(member).Address
		c.Role, c.Via = roleName(s.roles[group][member]), s.via
	}
	return c
}

func (c *Change) when(is bool, a Acts) {
	if is {
		c.Acts |= a
	}
}

func (c *Change) life(was, is bool, address string) {
	c.when(was && !is, Deleted)
	c.when(!was && is, Restored)
	if was && !is {
		c.Before = address
	}
}

// addresses tells a rename, or else the first alias that came or went: a mutation changes one.
func (c *Change) addresses(old, now string, had, has []string) {
	if old != now {
		c.Acts |= Renamed
		c.Before = old
		return
	}
	for _, a := range has {
		if !slices.Contains(had, a) {
			c.Acts |= AliasAdded
			c.Alias = a
			return
		}
	}
	for _, a := range had {
		if !slices.Contains(has, a) {
			c.Acts |= AliasRemoved
			c.Alias = a
			return
		}
	}
}
