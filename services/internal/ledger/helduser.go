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

// Word is what was said of a user's revocation: the held change on whose list it is, the reason there, and what the job that
// carries it out names as its cause.
type Word struct {
	Held   Held // its id, product, kind and state
	Reason string
	Cause  string
}

// Words returns what was said of a user's revocation and is not done yet: by a refresh that waits for somebody, or by held changes
// that are closed and whose jobs come to the user yet. What was approved comes first, and of as much the later.
func (tx *Tx) Words(product, user int64) (all []Word, err error) {
	err = tx.each(`SELECT h.id, h.kind, h.state, l.reason, COALESCE(j.cause, '') FROM held h
		JOIN held_users l ON l.held = h.id AND l.user_id = $2 AND l.listed = 1 AND l.licensed = 0
		LEFT JOIN jobs j ON j.product = h.product AND j.kind IN ('apply', 'close') AND j.held = h.id AND j.after < l.user_id
		WHERE h.product = $1 AND (h.kind = 'refresh' AND h.state IN ('listing', 'open') OR j.held IS NOT NULL)
		ORDER BY CASE h.state WHEN 'approved' THEN 0 WHEN 'rejected' THEN 1 WHEN 'expired' THEN 1 ELSE 2 END, h.id DESC`,
		[]any{product, user}, func(row scanner) error {
			w := Word{Held: Held{Product: product}}
			err := row.Scan(&w.Held.ID, &w.Held.Kind, &w.Held.State, &w.Reason, &w.Cause)
			all = append(all, w)
			return err
		})
	return all, err
}

// DecidedAt returns the sequence of the last decision about a user that was none to let a license stand for now; 0 where there
// is none.
func (tx *Tx) DecidedAt(product, user int64) (sequence uint64, err error) {
	_, err = tx.get(`SELECT COALESCE(MAX(sequence), 0) FROM history WHERE product = $1 AND user_id = $2 AND reason <> 'held'`,
		[]any{product, user}, &sequence)
	return sequence, err
}

// Closing reports whether the list of a held change of a product that was closed is being gone through.
func (tx *Tx) Closing(product int64) (bool, error) {
	var one int
	return tx.get(`SELECT 1 FROM jobs WHERE product = $1 AND held > 0 AND kind IN ('apply', 'close') LIMIT 1`, []any{product}, &one)
}
