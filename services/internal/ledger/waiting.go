package ledger

// Place returns a user's place in the waiting line of a product, if the user waits.
func (tx *Tx) Place(product, user int64) (place int64, waits bool, err error) {
	waits, err = tx.get(`SELECT place FROM waiting WHERE product = $1 AND user_id = $2`, []any{product, user}, &place)
	return place, waits, err
}

// Ahead counts those who wait before a place, up to limit: more make no difference.
func (tx *Tx) Ahead(product, place int64, limit int) (n int, err error) {
	_, err = tx.get(`SELECT COUNT(*) FROM (SELECT 1 FROM waiting WHERE product = $1 AND place < $2 LIMIT $3) AS ahead`,
		[]any{product, place, limit}, &n)
	return n, err
}

// Join puts a user at a place in the waiting line.
func (tx *Tx) Join(product, user, place int64) error {
	return tx.exec(`INSERT INTO waiting (product, user_id, place) VALUES ($1, $2, $3)`, product, user, place)
}

// LeaveLine takes a user out of the waiting line.
func (tx *Tx) LeaveLine(product, user int64) error {
	return tx.exec(`DELETE FROM waiting WHERE product = $1 AND user_id = $2`, product, user)
}

// Waiting returns up to limit users who wait, the first in line first.
func (tx *Tx) Waiting(product int64, limit int) (users []int64, err error) {
	err = tx.each(`SELECT user_id FROM waiting WHERE product = $1 ORDER BY place LIMIT $2`, []any{product, limit}, func(row scanner) error {
		var id int64
		err := row.Scan(&id)
		users = append(users, id)
		return err
	})
	return users, err
}
