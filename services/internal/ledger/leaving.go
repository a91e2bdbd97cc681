package ledger

import "time"

// Leaving is somebody whose license is about to end, as no group of a nest has the user any more by what was read so far. Another
// group may have, as soon as it is read: groups are read one after the other.
type Leaving struct {
	Product, User int64     // AllUsers: many are
	SeenAt        time.Time // when it was last seen; later than now: no round tells
	Cause         string    // by which event
	DecideAt      time.Time // whatever is read until then
}

// AllUsers stands for many users, who are yet to be found.
const AllUsers = 0

// AllLeaving reports whether many are leaving a product who are yet to be found.
func (tx *Tx) AllLeaving(product int64) (bool, error) {
	var one int
	return tx.get(`SELECT 1 FROM leaving WHERE product = $1 AND user_id = $2`, []any{product, AllUsers}, &one)
}

// PutLeaving stores that somebody is leaving. What was seen last counts.
func (tx *Tx) PutLeaving(l Leaving) error {
	return tx.exec(`INSERT INTO leaving (product, user_id, seen_at, cause, decide_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (product, user_id) DO UPDATE SET seen_at = excluded.seen_at, cause = excluded.cause, decide_at = excluded.decide_at`,
		l.Product, l.User, micros(l.SeenAt), l.Cause, micros(l.DecideAt))
}

// LeavesAgain stores that somebody who is leaving was seen to be in no group once more.
func (tx *Tx) LeavesAgain(user int64, at time.Time) error {
	return tx.exec(`UPDATE leaving SET seen_at = $1 WHERE user_id = $2 AND seen_at < $1`, micros(at), user)
}

// Leaving reports whether anybody is leaving a product.
func (tx *Tx) Leaving(product int64) (bool, error) {
	var one int
	return tx.get(`SELECT 1 FROM leaving WHERE product = $1 LIMIT 1`, []any{product}, &one)
}

// AwaitsRound reports whether anybody who is leaving a product of a tenant is to be decided about when a round has ended. Whoever
// was put off beyond now is not.
func (tx *Tx) AwaitsRound(tenant int64, now time.Time) (bool, error) {
	var one int
	return tx.get(`SELECT 1 FROM leaving WHERE product`+ofTenant+` AND decide_at > $2 AND seen_at <= $2 LIMIT 1`, []any{tenant, micros(now)}, &one)
}

// Left has those decided about now who were seen to leave a product before a time, and reports whether others were since.
func (tx *Tx) Left(product int64, before, now time.Time) (others bool, err error) {
	err = tx.exec(`UPDATE leaving SET decide_at = $1 WHERE product = $2 AND seen_at < $3 AND decide_at > $1`,
		micros(now), product, micros(before))
	if err != nil {
		return false, err
	}
	var one int
	return tx.get(`SELECT 1 FROM leaving WHERE product = $1 AND decide_at > $2 AND seen_at <= $2 LIMIT 1`,
		[]any{product, micros(now)}, &one)
}

// DueLeaving returns a product of a partition, its tenant, and an event by which somebody was seen to leave who is to be decided
// about by now, if there is one.
func (tx *Tx) DueLeaving(part int, now time.Time) (l Leaving, tenant int64, found bool, err error) {
	found, err = tx.get(`SELECT l.product, l.cause, p.tenant FROM leaving l JOIN products p ON p.id = l.product
		JOIN tenants t ON t.id = p.tenant WHERE l.decide_at <= $1 AND t.part = $2 ORDER BY l.decide_at, l.product, l.seen_at, l.cause LIMIT 1`,
		[]any{micros(now), part}, &l.Product, &l.Cause, &tenant)
	return l, tenant, found, err
}

// TakeLeaving forgets all who were seen to leave a product by an event and are to be decided about by now, and returns them.
func (tx *Tx) TakeLeaving(product int64, cause string, now time.Time) (users []int64, err error) {
	const due = ` FROM leaving WHERE product = $1 AND cause = $2 AND decide_at <= $3`
	if users, err = tx.numbers(`SELECT user_id`+due+` ORDER BY user_id`, product, cause, micros(now)); err != nil {
		return nil, err
	}
	return users, tx.exec(`DELETE`+due, product, cause, micros(now))
}

// DropLeaving forgets all who are leaving a product: nobody is decided about.
func (tx *Tx) DropLeaving(product int64) error {
	return tx.exec(`DELETE FROM leaving WHERE product = $1`, product)
}
