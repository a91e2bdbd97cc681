package ledger

import "time"

// Activate keeps when a product has reported a user's first sign-in. Of several reports the earliest one counts. The user may be
// one that no read has shown yet.
func (tx *Tx) Activate(tenant, product int64, user string, at time.Time) error {
	id, err := tx.internUser(tenant, user)
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO activations (product, user_id, at) VALUES ($1, $2, $3)
		ON CONFLICT (product, user_id) DO UPDATE SET at = excluded.at WHERE excluded.at < activations.at`, product, id, micros(at))
}
