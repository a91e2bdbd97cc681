package ledger

import "time"

// move remembers when the number of licenses of a product changed, for SaveProduct.
func (tx *Tx) move(product int64, at time.Time) {
	if tx.moved == nil {
		tx.moved = map[int64]time.Time{}
	}
	tx.moved[product] = at
}

func (tx *Tx) putUsage(product int64, at time.Time, used int) error {
	return tx.exec(`INSERT INTO usage (product, minute, used) VALUES ($1, $2, $3)
		ON CONFLICT (product, minute) DO UPDATE SET used = excluded.used`, product, minuteOf(at), used)
}

// minuteOf is the minute of the Unix time that a moment is in.
func minuteOf(at time.Time) int64 { return at.Unix() / 60 }
