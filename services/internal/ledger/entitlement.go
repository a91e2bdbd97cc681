package ledger

import (
	"slices"
	"time"
)

// Entitlement is one decision as it stands, with the group path as numbers.
type Entitlement struct {
	Product  int64
	User     int64
	Licensed bool
	Since    time.Time // since when Licensed has had this value
	Reason   string
	Path     []int64
	Sequence uint64 // of the event that says so
	Against  string // with reason held: the reason of the revocation that is parked, or was rejected
}

// Says reports whether e states the same decision as other: what differs may be when, not what or why.
func (e Entitlement) Says(other Entitlement) bool {
	return e.Licensed == other.Licensed && e.Reason == other.Reason && slices.Equal(e.Path, other.Path)
}

// Entitlement returns the decision about a user and a product, if one was ever written.
func (tx *Tx) Entitlement(product, user int64) (e Entitlement, found bool, err error) {
	e.Product, e.User = product, user
	found, err = tx.get(`SELECT licensed, since, reason, path, sequence, against FROM entitlements WHERE product = $1 AND user_id = $2`,
		[]any{product, user}, &e.Licensed, scanMicros(&e.Since), &e.Reason, scanPath(&e.Path), &e.Sequence, &e.Against)
	return e, found, err
}

// HoldAgainst stores what a license is held against, where that alone has changed.
func (tx *Tx) HoldAgainst(product, user int64, reason string) error {
	return tx.exec(`UPDATE entitlements SET against = $1 WHERE product = $2 AND user_id = $3`, reason, product, user)
}

// Release lets the rules decide again about the licenses that stand because of an open held change.
func (tx *Tx) Release(h Held) error {
	return tx.exec(`UPDATE entitlements SET against = '' WHERE product = $1 AND reason = 'held'
		AND user_id IN (SELECT user_id FROM held_users WHERE held = $2 AND listed = 1)`, h.Product, h.ID)
}

// ReleaseApproved does so about those whose end was approved and has yet to come.
func (tx *Tx) ReleaseApproved(product int64) error {
	return tx.exec(`UPDATE entitlements SET against = '' WHERE product = $1 AND reason = 'held' AND user_id IN (SELECT l.user_id
		FROM held h JOIN jobs j ON j.product = h.product AND j.held = h.id JOIN held_users l ON l.held = h.id AND l.listed = 1
		WHERE h.product = $1 AND h.state = 'approved')`, product)
}

// Transition writes a decision that differs from the one before, which is nil for the first: the entitlement as it stands
// now, the end of the old period and the begin of the new one, both at the same moment.
func (tx *Tx) Transition(before *Entitlement, e Entitlement, at time.Time, cause string) error {
	path, sequence := pathText(e.Path), int64(e.Sequence) //nolint:gosec // a sequence stays far below 2^63
	if e.Licensed != (before != nil && before.Licensed) {
		tx.move(e.Product, at)
	}
	if before != nil {
		if err := tx.exec(`UPDATE history SET to_at = $1 WHERE product = $2 AND user_id = $3 AND sequence = $4`,
			micros(at), e.Product, e.User, int64(before.Sequence)); err != nil { //nolint:gosec // as above
			return err
		}
	}
	if err := tx.exec(`INSERT INTO history (product, user_id, sequence, from_at, licensed, reason, path, cause)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.Product, e.User, sequence, micros(at), flag(e.Licensed), e.Reason, path, cause); err != nil {
		return err
	}
	return tx.exec(`INSERT INTO entitlements (product, user_id, licensed, since, reason, path, sequence, against)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (product, user_id) DO UPDATE
		SET licensed = excluded.licensed, since = excluded.since, reason = excluded.reason, path = excluded.path,
			sequence = excluded.sequence, against = excluded.against`,
		e.Product, e.User, flag(e.Licensed), micros(e.Since), e.Reason, path, sequence, e.Against)
}
