package ledger

import "time"

// HeldKind says what was parked.
type HeldKind string

// The kinds of held changes. At most one of a kind is open for a product.
const (
	HeldFlip        HeldKind = "flip"        // of a product's provisioning group
	HeldRevocations HeldKind = "revocations" // many at once
	HeldRefresh     HeldKind = "refresh"     // what a previewed refresh would change
	HeldFreeze      HeldKind = "freeze"      // revocations while the tenant is frozen
)

// HeldState says how far a held change has come.
type HeldState string

// The states of a held change.
const (
	HeldListing   HeldState = "listing"  // its list is being made
	HeldOpen      HeldState = "open"     // it waits for somebody
	HeldApproved  HeldState = "approved" // it is being carried out
	HeldApplied   HeldState = "applied"
	HeldRejected  HeldState = "rejected"
	HeldExpired   HeldState = "expired" // nobody came: it counts as rejected
	HeldWithdrawn HeldState = "withdrawn"
)

// Held is a change that is, or was, parked until somebody approves or rejects it.
type Held struct {
	ID          int64
	Product     int64
	Ref         string // its id everywhere else
	Kind        HeldKind
	State       HeldState
	Revision    int    // of the list
	Mode        string // that a flip would put in force
	Group       string // the provider's id, with that mode
	Grants      int    // on the list
	Revocations int    // on the list
	Applied     int    // users decided since it was approved
	OpenedAt    time.Time
	ExpiresAt   time.Time
	ClosedAt    time.Time
	ClosedBy    string // who asked
	Cause       string // the event that led to it
	Snapshot    string // whose effects a refresh parks
}

const heldColumns = `id, product, ref, kind, state, revision, mode, policy_group, grants, revocations, applied, opened_at,
	expires_at, closed_at, closed_by, cause, snapshot`

// AddHeld stores a new held change and returns it with its number.
func (tx *Tx) AddHeld(h Held) (Held, error) {
	id, err := tx.insert(`INSERT INTO held (product, ref, kind, state, revision, mode, policy_group, cause, snapshot)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		h.Product, h.Ref, string(h.Kind), string(h.State), h.Revision, h.Mode, h.Group, h.Cause, h.Snapshot)
	h.ID = id
	return h, err
}

// SaveHeld stores what changes of a held change.
func (tx *Tx) SaveHeld(h Held) error {
	return tx.exec(`UPDATE held SET ref = $1, state = $2, revision = $3, grants = $4, revocations = $5, applied = $6,
		opened_at = $7, expires_at = $8, closed_at = $9, closed_by = $10, cause = $11 WHERE id = $12`,
		h.Ref, string(h.State), h.Revision, h.Grants, h.Revocations, h.Applied, micros(h.OpenedAt), micros(h.ExpiresAt),
		micros(h.ClosedAt), h.ClosedBy, h.Cause, h.ID)
}

// DropHeld forgets a held change that was never announced, with its list.
func (tx *Tx) DropHeld(id int64) error {
	if err := tx.exec(`DELETE FROM held_users WHERE held = $1`, id); err != nil {
		return err
	}
	return tx.exec(`DELETE FROM held WHERE id = $1`, id)
}

// OpenHolds returns the held changes of a product that are not closed yet.
func (tx *Tx) OpenHolds(product int64) (all []Held, err error) {
	err = tx.each(`SELECT `+heldColumns+` FROM held WHERE product = $1 AND state IN ('listing', 'open') ORDER BY id`,
		[]any{product}, func(row scanner) error {
			h, err := scanHeld(row)
			all = append(all, h)
			return err
		})
	return all, err
}

// Held returns a held change by its number.
func (tx *Tx) Held(id int64) (h Held, found bool, err error) {
	return tx.heldWhere(`SELECT `+heldColumns+` FROM held WHERE id = $1`, id)
}

// HeldByRef returns a product's held change by its id.
func (tx *Tx) HeldByRef(product int64, ref string) (h Held, found bool, err error) {
	return tx.heldWhere(`SELECT `+heldColumns+` FROM held WHERE product = $1 AND ref = $2`, product, ref)
}

// expires are the held changes h that wait for somebody and not for ever. While a list is still made or told, nobody can have
// said anything of it.
const expires = `h.state = 'open' AND h.kind <> 'freeze' AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.held = h.id)`

// ExpiredHold returns a held change of a partition whose time is over, and its tenant, if there is one.
func (tx *Tx) ExpiredHold(part int, now time.Time) (h Held, found bool, err error) {
	return tx.heldWhere(`SELECT `+heldColumns+` FROM held h WHERE `+expires+` AND expires_at <= $1
		AND product IN (SELECT p.id FROM products p JOIN tenants t ON t.id = p.tenant WHERE t.part = $2)
		ORDER BY expires_at, id LIMIT 1`, micros(now), part)
}

func (tx *Tx) heldWhere(query string, args ...any) (h Held, found bool, err error) {
	err = tx.each(query, args, func(row scanner) error {
		found = true
		h, err = scanHeld(row)
		return err
	})
	return h, found, err
}

func scanHeld(row scanner) (h Held, err error) {
	err = row.Scan(&h.ID, &h.Product, &h.Ref, &h.Kind, &h.State, &h.Revision, &h.Mode, &h.Group, &h.Grants, &h.Revocations,
		&h.Applied, scanMicros(&h.OpenedAt), scanMicros(&h.ExpiresAt), scanMicros(&h.ClosedAt), &h.ClosedBy, &h.Cause, &h.Snapshot)
	return h, err
}
