package ledger

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// UsersBefore returns the provider's ids of the users in the directory that were last seen before a stamp.
func (tx *Tx) UsersBefore(tenant int64, before directory.Stamp) ([]string, error) {
	return tx.refs(`SELECT ref FROM users WHERE tenant = $1 AND status NOT IN ('', 'deleted')
		AND (epoch, counter) < ($2, $3) ORDER BY id`, tenant, before)
}

// GroupsBefore returns the provider's ids of the groups in the directory that were last seen before a stamp.
func (tx *Tx) GroupsBefore(tenant int64, before directory.Stamp) ([]string, error) {
	return tx.refs(`SELECT ref FROM groups WHERE tenant = $1 AND state = 'live'
		AND (epoch, counter) < ($2, $3) ORDER BY id`, tenant, before)
}

func (tx *Tx) refs(query string, tenant int64, before directory.Stamp) (refs []string, err error) {
	s := stampOf(before)
	err = tx.each(query, []any{tenant, s.Epoch, s.Counter}, func(row scanner) error {
		var ref string
		err := row.Scan(&ref)
		refs = append(refs, ref)
		return err
	})
	return refs, err
}

// MembersBefore returns the memberships of a group that stand and were last seen before a stamp.
func (tx *Tx) MembersBefore(g Group, before directory.Stamp) (members []directory.Membership, err error) {
	s := stampOf(before)
	err = tx.each(`SELECT m.kind, COALESCE(u.ref, n.ref, '') FROM memberships m
		LEFT JOIN users u ON m.kind = 1 AND u.id = m.member LEFT JOIN groups n ON m.kind = 2 AND n.id = m.member
		WHERE m.group_id = $1 AND m.present = 1 AND (m.epoch, m.counter) > ($2, $3) AND (m.epoch, m.counter) < ($4, $5)
		ORDER BY m.kind, m.member`,
		[]any{g.ID, g.since.Epoch, g.since.Counter, s.Epoch, s.Counter}, func(row scanner) error {
			m := directory.Membership{GroupID: g.Ref, Present: true}
			var kind int
			err := row.Scan(&kind, &m.ID)
			m.Kind = memberKind(kind)
			members = append(members, m)
			return err
		})
	return members, err
}

// PurgeMembers drops the rows of a group that say "no member", are older than a complete read of it, and have said so since
// before a time: an observation as old as they are will be dropped from now on for want of a row, and none that is younger is
// to be doubted for their sake.
func (tx *Tx) PurgeMembers(g Group, before directory.Stamp, since time.Time) error {
	s := stampOf(before)
	return tx.exec(`DELETE FROM memberships WHERE group_id = $1 AND present = 0 AND (epoch, counter) < ($2, $3) AND changed_at <= $4`,
		g.ID, s.Epoch, s.Counter, micros(since))
}

func memberKind(n int) directory.MemberKind {
	switch n {
	case kindUser:
		return directory.UserMember
	case kindGroup:
		return directory.GroupMember
	default:
		return directory.CustomerMember
	}
}
