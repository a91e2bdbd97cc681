package ledger

// Inside returns the numbers of the groups that are direct members of a group and not deleted.
func (tx *Tx) Inside(group int64) ([]int64, error) {
	return tx.numbers(`SELECT m.member FROM memberships m JOIN groups g ON g.id = m.group_id JOIN groups c ON c.id = m.member
		WHERE m.group_id = $1 AND m.kind = 2 AND m.present = 1 AND (m.epoch, m.counter) > (g.since_epoch, g.since_counter)
		AND c.state <> 'deleted'`, group)
}

// DirectGroups returns the numbers of the groups that a user is a direct member of.
func (tx *Tx) DirectGroups(user int64) ([]int64, error) {
	return tx.numbers(`SELECT m.group_id FROM memberships m JOIN groups g ON g.id = m.group_id
		WHERE m.member = $1 AND m.kind = 1 AND m.present = 1 AND (m.epoch, m.counter) > (g.since_epoch, g.since_counter)`, user)
}

// Around returns the numbers of the groups that a group is a direct member of.
func (tx *Tx) Around(group int64) ([]int64, error) {
	return tx.numbers(`SELECT m.group_id FROM memberships m JOIN groups g ON g.id = m.group_id
		WHERE m.member = $1 AND m.kind = 2 AND m.present = 1 AND (m.epoch, m.counter) > (g.since_epoch, g.since_counter)`, group)
}

// DirectMembers returns the numbers of up to limit users who are direct members of a group.
func (tx *Tx) DirectMembers(group int64, limit int) ([]int64, error) {
	return tx.numbers(`SELECT m.member FROM memberships m JOIN groups g ON g.id = m.group_id
		WHERE m.group_id = $1 AND m.kind = 1 AND m.present = 1 AND (m.epoch, m.counter) > (g.since_epoch, g.since_counter)
		ORDER BY m.member LIMIT $2`, group, limit)
}

func (tx *Tx) numbers(query string, args ...any) (all []int64, err error) {
	err = tx.each(query, args, func(row scanner) error {
		var n int64
		err := row.Scan(&n)
		all = append(all, n)
		return err
	})
	return all, err
}

// HoldsCustomer reports whether a group has the whole customer as a member.
func (tx *Tx) HoldsCustomer(group int64) (bool, error) {
	var one int
	return tx.get(`SELECT 1 FROM memberships m JOIN groups g ON g.id = m.group_id WHERE m.group_id = $1 AND m.kind = 3
		AND m.present = 1 AND (m.epoch, m.counter) > (g.since_epoch, g.since_counter)`, []any{group}, &one)
}

// Ended reports whether a group that is known to exist is deleted.
func (tx *Tx) Ended(group int64) (ended bool, err error) {
	var state string
	_, err = tx.get(`SELECT state FROM groups WHERE id = $1`, []any{group}, &state)
	return state == groupDeleted, err
}

// GroupRef returns the provider's id of a group that is known to exist.
func (tx *Tx) GroupRef(id int64) (ref string, err error) {
	_, err = tx.get(`SELECT ref FROM groups WHERE id = $1`, []any{id}, &ref)
	return ref, err
}

// GroupNumber returns the number of the group with the provider's id, and whether the ledger has heard of it.
func (tx *Tx) GroupNumber(tenant int64, ref string) (id int64, found bool, err error) {
	found, err = tx.get(`SELECT id FROM groups WHERE tenant = $1 AND ref = $2`, []any{tenant, ref}, &id)
	return id, found, err
}
