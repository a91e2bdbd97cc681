package ledger

import "time"

// Activate keeps when a product has reported a user's first sign-in. Of several reports the earliest one counts: it reports
// whether this one does, and whether a read has ever shown the user.
func (tx *Tx) Activate(tenant, product int64, user string, at time.Time) (found, counts bool, err error) {
	var id int64
	found, err = tx.get(`SELECT id FROM users WHERE tenant = $1 AND ref = $2 AND status <> ''`, []any{tenant, storable(user)}, &id)
	if err != nil || !found {
		return found, false, err
	}
	before := tx.rows
	err = tx.RestoreActivation(product, id, at)
	return true, tx.rows > before, err
}

// RestoreActivation does so for a user of whom a read need not have shown anything yet.
func (tx *Tx) RestoreActivation(product, user int64, at time.Time) error {
	return tx.exec(`INSERT INTO activations (product, user_id, at) VALUES ($1, $2, $3)
		ON CONFLICT (product, user_id) DO UPDATE SET at = excluded.at WHERE excluded.at < activations.at`, product, user, micros(at))
}
