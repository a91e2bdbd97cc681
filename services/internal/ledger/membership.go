package ledger

import (
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// The kinds of members, as numbers.
const (
	kindUser     = 1
	kindGroup    = 2
	kindCustomer = 3
)

// MembershipChange is what an observation did to a membership.
type MembershipChange struct {
	Group   string // the provider's id
	GroupID int64  // its number
	Kind    directory.MemberKind
	Member  int64 // the number of the user or group
	Seen    Seen
	Removed bool // was there, and is not now
}

// PutMembership applies an observation of a membership. Members that can hold no license are not kept.
func (tx *Tx) PutMembership(t Tenant, m directory.Membership, e Evidence) (MembershipChange, error) {
	c := MembershipChange{Group: m.GroupID, Kind: m.Kind}
	if m.Kind == directory.OtherMember {
		c.Seen = Same
		return c, nil
	}
	group, err := tx.internGroup(t.ID, m.GroupID)
	if err != nil {
		return c, err
	}
	kind, member, err := tx.member(t.ID, m)
	if err != nil {
		return c, err
	}
	c.GroupID, c.Member = group.ID, member
	var was bool
	var row stamp
	var since change
	exists, err := tx.get(`SELECT present, epoch, counter, changed_at, changed_by, told_at FROM memberships
		WHERE group_id = $1 AND kind = $2 AND member = $3`,
		[]any{group.ID, kind, member}, &was, &row.Epoch, &row.Counter, scanMicros(&since.at), &since.by, scanMicros(&since.seen))
	if err != nil || t.outdated(e.Stamp, row, exists) || group.forgotten(e.Stamp) {
		return c, err
	}
	if group.forgotten(row.directory()) {
		was, since = false, change{}
	}
	stamp, known := stampOf(e.Stamp), since
	if was == m.Present {
		c.Seen, since = Same, since.confirmed(e)
	} else {
		doubtful, err := tx.weigh(thing{t.ID, group.ID, kind, member}, e, since, was, true)
		if err != nil || doubtful {
			c.Seen = Doubtful
			return c, err
		}
		c.Seen, c.Removed, since = Changed, was, t.changed(e, exists)
	}
	switch {
	case !exists:
		return c, tx.exec(`INSERT INTO memberships (group_id, kind, member, present, epoch, counter, changed_at, changed_by, told_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			group.ID, kind, member, flag(m.Present), stamp.Epoch, stamp.Counter, micros(since.at), int(since.by), micros(since.seen))
	case c.Seen == Same && row == stamp && since == known:
		return c, nil
	default:
		return c, tx.exec(`UPDATE memberships SET present = $1, epoch = $2, counter = $3, changed_at = $4, changed_by = $5,
			told_at = $6 WHERE group_id = $7 AND kind = $8 AND member = $9`,
			flag(m.Present), stamp.Epoch, stamp.Counter, micros(since.at), int(since.by), micros(since.seen), group.ID, kind, member)
	}
}

func (tx *Tx) member(tenant int64, m directory.Membership) (kind int, id int64, err error) {
	switch m.Kind {
	case directory.UserMember:
		id, err = tx.internUser(tenant, m.ID)
		return kindUser, id, err
	case directory.GroupMember:
		g, err := tx.internGroup(tenant, m.ID)
		return kindGroup, g.ID, err
	case directory.CustomerMember:
		return kindCustomer, 0, nil
	default:
		return 0, 0, fmt.Errorf("member of group %s has the kind %q", m.GroupID, m.Kind)
	}
}
