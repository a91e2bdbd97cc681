package ledger

// HeldUser is one line of the list of a held change: what a user would become.
type HeldUser struct {
	User     int64
	Ref      string // the provider's id
	Revision int    // at which the line was last changed
	Listed   bool   // false: it was, and is not any more
	Licensed bool
	Reason   string
}

// HeldUser returns a user's line, if there ever was one.
func (tx *Tx) HeldUser(held, user int64) (u HeldUser, found bool, err error) {
	u.User = user
	found, err = tx.get(`SELECT revision, listed, licensed, reason FROM held_users WHERE held = $1 AND user_id = $2`,
		[]any{held, user}, &u.Revision, &u.Listed, &u.Licensed, &u.Reason)
	return u, found, err
}

// PutHeldUser stores a user's line.
func (tx *Tx) PutHeldUser(held int64, u HeldUser) error {
	return tx.exec(`INSERT INTO held_users (held, user_id, revision, listed, licensed, reason) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (held, user_id) DO UPDATE SET revision = excluded.revision, listed = excluded.listed,
			licensed = excluded.licensed, reason = excluded.reason`,
		held, u.User, u.Revision, flag(u.Listed), flag(u.Licensed), u.Reason)
}

const heldUserQuery = `SELECT l.user_id, u.ref, l.revision, l.listed, l.licensed, l.reason
	FROM held_users l JOIN users u ON u.id = l.user_id WHERE l.held = $1 AND `

// ListedAfter returns up to limit users of the list, in the order of their numbers.
func (tx *Tx) ListedAfter(held, after int64, limit int) ([]HeldUser, error) {
	return tx.heldUsers(heldUserQuery+`l.listed = 1 AND l.user_id > $2 ORDER BY l.user_id LIMIT $3`, held, after, limit)
}

// ListedSince returns up to limit lines that have changed after a revision, those that are gone from the list too.
func (tx *Tx) ListedSince(held int64, revision, limit int) ([]HeldUser, error) {
	return tx.heldUsers(heldUserQuery+`l.revision > $2 ORDER BY l.revision, l.user_id LIMIT $3`, held, revision, limit)
}

func (tx *Tx) heldUsers(query string, args ...any) (all []HeldUser, err error) {
	err = tx.each(query, args, func(row scanner) error {
		var u HeldUser
		err := row.Scan(&u.User, &u.Ref, &u.Revision, &u.Listed, &u.Licensed, &u.Reason)
		all = append(all, u)
		return err
	})
	return all, err
}
