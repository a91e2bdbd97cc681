package ledger

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// thing names a user, a group or a membership.
type thing struct {
	tenant, group int64 // group of a membership; 0: a user or a group
	kind          int
	member        int64
}

// weigh reports whether evidence against a row is not taken, as it may be older than what the row says. It has the thing read
// again when a read can tell. What does not decide about a license is always taken.
func (tx *Tx) weigh(d thing, e Evidence, row change, takesAway, decides bool) (doubtful bool, err error) {
	doubtful, again := e.doubts(row, takesAway)
	if again.IsZero() {
		return false, nil
	}
	if doubtful = doubtful && decides; doubtful && row.by&doubted == 0 {
		if err := tx.mark(d, row.by|doubted); err != nil {
			return false, err
		}
	}
	tx.doubted = true
	return doubtful, tx.exec(`INSERT INTO doubts (tenant, group_id, kind, member, ask_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant, group_id, kind, member) DO UPDATE SET ask_at = excluded.ask_at, request = '', tries = 0`,
		d.tenant, d.group, d.kind, d.member, micros(again))
}

// mark notes in a row that something has spoken against it.
func (tx *Tx) mark(d thing, by teller) error {
	switch {
	case d.group != 0:
		return tx.exec(`UPDATE memberships SET changed_by = $1 WHERE group_id = $2 AND kind = $3 AND member = $4`, int(by), d.group, d.kind, d.member)
	case d.kind == kindUser:
		return tx.exec(`UPDATE users SET changed_by = $1 WHERE id = $2`, int(by), d.member)
	default:
		return tx.exec(`UPDATE groups SET changed_by = $1 WHERE id = $2`, int(by), d.member)
	}
}

// Doubted reports whether the transaction has come to doubt something.
func (tx *Tx) Doubted() bool { return tx.doubted }

// Things are users, groups and memberships of one tenant, by the provider's ids.
type Things struct {
	Users, Groups []string
	Members       []directory.Membership
}

// Count returns how many things there are.
func (t Things) Count() int { return len(t.Users) + len(t.Groups) + len(t.Members) }

// DoubtMissed has things that a complete read did not show read again at a time, besides the request that asks for them now
// (see DropGone). What is in doubt already is read when it would be anyway.
func (tx *Tx) DoubtMissed(tenant int64, missed Things, request string, at time.Time) error {
	var all []thing
	for _, ref := range missed.Users {
		id, err := tx.internUser(tenant, ref)
		if err != nil {
			return err
		}
		all = append(all, thing{kind: kindUser, member: id})
	}
	for _, ref := range missed.Groups {
		g, err := tx.internGroup(tenant, ref)
		if err != nil {
			return err
		}
		all = append(all, thing{kind: kindGroup, member: g.ID})
	}
	for _, m := range missed.Members {
		g, err := tx.internGroup(tenant, m.GroupID)
		if err != nil {
			return err
		}
		kind, id, err := tx.member(tenant, m)
		if err != nil {
			return err
		}
		all = append(all, thing{group: g.ID, kind: kind, member: id})
	}
	for _, d := range all {
		err := tx.exec(`INSERT INTO doubts (tenant, group_id, kind, member, ask_at, request) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT DO NOTHING`, tenant, d.group, d.kind, d.member, micros(at), request)
		if err != nil {
			return err
		}
	}
	tx.doubted = tx.doubted || len(all) > 0
	return nil
}

// DropGone forgets those doubts of a request for proof that it has settled, as the things are there no more.
func (tx *Tx) DropGone(tenant int64, request string) error {
	return tx.exec(`DELETE FROM doubts WHERE tenant = $1 AND request = $2
		AND NOT EXISTS (SELECT 1 FROM users u WHERE group_id = 0 AND kind = 1 AND u.id = member AND status <> 'deleted')
		AND NOT EXISTS (SELECT 1 FROM groups g WHERE group_id = 0 AND doubts.kind = 2 AND g.id = member AND state <> 'deleted')
		AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.group_id = doubts.group_id AND m.kind = doubts.kind AND m.member = doubts.member
			AND present = 1)`, tenant, request)
}

// DueDoubts returns a tenant of a partition of which something is to be read again by now, if there is one. It locks the row.
func (tx *Tx) DueDoubts(part int, now time.Time) (t Tenant, found bool, err error) {
	var id int64
	found, err = tx.get(`SELECT d.tenant FROM doubts d JOIN tenants t ON t.id = d.tenant
		WHERE d.ask_at <= $1 AND t.part = $2 ORDER BY d.ask_at, d.tenant LIMIT 1`, []any{micros(now), part}, &id)
	if !found || err != nil {
		return t, false, err
	}
	t, err = tx.TenantByID(id)
	return t, err == nil, err
}

// AskDoubts returns up to limit of what is to be read again of a tenant by now, and notes the request that asks for it. What
// is not answered is due again after a while, that is longer each time.
func (tx *Tx) AskDoubts(tenant int64, now time.Time, limit int, request string, again time.Duration) (asked Things, err error) {
	err = tx.exec(`UPDATE doubts SET request = $1, tries = tries + 1, ask_at = $2 + $3 * (tries + 1)
		WHERE (tenant, group_id, kind, member) IN (SELECT tenant, group_id, kind, member FROM doubts
			WHERE tenant = $4 AND ask_at <= $2 ORDER BY ask_at, group_id, kind, member LIMIT $5)`,
		request, micros(now), again.Microseconds(), tenant, limit)
	if err != nil {
		return asked, err
	}
	err = tx.each(`SELECT d.kind, COALESCE(g.ref, ''), COALESCE(u.ref, n.ref, '') FROM doubts d
		LEFT JOIN groups g ON g.id = d.group_id
		LEFT JOIN users u ON d.kind = 1 AND u.id = d.member LEFT JOIN groups n ON d.kind = 2 AND n.id = d.member
		WHERE d.tenant = $1 AND d.request = $2 ORDER BY d.group_id, d.kind, d.member`, []any{tenant, request}, func(row scanner) error {
		var kind int
		var group, member string
		if err := row.Scan(&kind, &group, &member); err != nil {
			return err
		}
		switch {
		case group != "":
			asked.Members = append(asked.Members, directory.Membership{GroupID: group, Kind: memberKind(kind), ID: member, Present: true})
		case kind == kindUser:
			asked.Users = append(asked.Users, member)
		default:
			asked.Groups = append(asked.Groups, member)
		}
		return nil
	})
	return asked, err
}

// InDoubt reports whether a read that is not believed yet has shown a user to be a member of a group.
func (tx *Tx) InDoubt(tenant, user int64) (bool, error) {
	var one int
	return tx.get(`SELECT 1 FROM doubts d JOIN memberships m ON m.group_id = d.group_id AND m.kind = d.kind AND m.member = d.member
		WHERE d.tenant = $1 AND d.kind = $2 AND d.member = $3 AND m.present = 0 LIMIT 1`, []any{tenant, kindUser, user}, &one)
}

// DropDoubts forgets what a request asked for, as it was answered; all of a tenant without one.
func (tx *Tx) DropDoubts(tenant int64, request string) error {
	return tx.exec(`DELETE FROM doubts WHERE tenant = $1 AND (request = $2 OR $2 = '')`, tenant, request)
}
