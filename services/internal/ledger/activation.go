package ledger

import "time"

// Activate keeps when a product has reported a user's first sign-in. Of several reports the earliest one counts. It reports
// whether a read has ever shown the user.
func (tx *Tx) Activate(tenant, product int64, user string, at time.Time) (found bool, err error) {
	var id int64
	found, err = tx.get(`SELECT id FROM users WHERE tenant = $1 AND ref = $2 AND status <> ''`, []any{tenant, storable(user)}, &id)
	if err != nil || !found {
		return found, err
	}
	return true, tx.exec(`INSERT INTO activations (product, user_id, at) VALUES ($1, $2, $3)
		ON CONFLICT (product, user_id) DO UPDATE SET at = excluded.at WHERE excluded.at < activations.at`, product, id, micros(at))
}
