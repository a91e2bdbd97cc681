package ledger

import "time"

// RevokedWithin counts the revocations of a product since a time, to the minute, that nobody has approved.
func (tx *Tx) RevokedWithin(product int64, since time.Time) (n int, err error) {
	_, err = tx.get(`SELECT COALESCE(SUM(revoked), 0) FROM revocations WHERE product = $1 AND minute > $2`,
		[]any{product, minute(since)}, &n)
	return n, err
}

// CountRevocations adds to that count, and forgets what is older than since.
func (tx *Tx) CountRevocations(product int64, at, since time.Time, n int) error {
	if err := tx.exec(`DELETE FROM revocations WHERE product = $1 AND minute <= $2`, product, minute(since)); err != nil {
		return err
	}
	return tx.exec(`INSERT INTO revocations (product, minute, revoked) VALUES ($1, $2, $3)
		ON CONFLICT (product, minute) DO UPDATE SET revoked = revocations.revoked + excluded.revoked`, product, minute(at), n)
}

func minute(t time.Time) int64 { return t.Unix() / 60 }
