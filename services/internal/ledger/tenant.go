package ledger

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// Tenant is what the ledger keeps of a connected directory as a whole.
type Tenant struct {
	ID   int64
	Name string // the tenant's id everywhere else
	// Seen is the latest stamp that was applied, Snapshot the begin of the last complete snapshot: zero before the first.
	Seen       directory.Stamp
	Snapshot   directory.Stamp
	SnapshotAt time.Time // when it was complete
	RoundBegan time.Time // of the last good round
	RereadAt   time.Time // when the worker last ordered a full read by itself
	RereadDue  time.Time // when it orders the one that it has put off; zero: none was
	// StaleSince is when something was lost of what was said of the tenant, zero when nothing is missing; Stale the latest
	// stamp that had been applied when something last was. A complete snapshot that began behind it makes up for it.
	StaleSince time.Time
	Stale      directory.Stamp
	// Counts over the tenant's whole life: license events, and what went from the mirror.
	Granted, Revoked, Removed int64

	Part        int   // partition of its messages
	NestVersion int64 // rises when a group joins, leaves or ends in another
	Paused      bool  // observations are taken, nothing is decided
	Frozen      bool  // nothing is revoked
	// Restoring: the mirror is not complete, after a rebuild or while the tenant was away. Nothing is decided until it is.
	Restoring    bool
	Disconnected Disconnection
	Hold         Hold
}

// Disconnection says whether a tenant is followed, and what became of its licenses if it is not.
type Disconnection int

// The states of a connection.
const (
	Connected     Disconnection = 0
	LicensesKept  Disconnection = 1
	LicensesEnded Disconnection = 2
)

// Hold says which changes are parked until somebody approves them.
type Hold struct {
	Flips  bool // of a product's provisioning group
	Guard  licensing.Guard
	Expiry time.Duration // after which a parked change counts as rejected
}

// Follows reports whether the tenant's directory is followed.
func (t Tenant) Follows() bool { return t.Disconnected == Connected }

// Decides reports whether users are decided at all now.
func (t Tenant) Decides() bool {
	return !t.Paused && !t.Restoring && t.Disconnected != LicensesKept
}

// Ready reports whether the tenant has a complete snapshot: before that, nothing may be decided.
func (t Tenant) Ready() bool { return t.Snapshot != directory.Stamp{} }

const tenantColumns = `id, name, seen_epoch, seen_counter, snapshot_epoch, snapshot_counter, snapshot_at, round_began,
	reread_at, granted, revoked, removed, part, nest_version, paused, frozen, restoring, disconnected, hold_flips, hold_share,
	hold_least, hold_expiry, reread_due, stale_since, stale_epoch, stale_counter`

// Tenant returns the tenant's row, and makes it when there is none. It locks the row.
func (tx *Tx) Tenant(name string) (Tenant, error) {
	t := Tenant{Name: name}
	query := `SELECT ` + tenantColumns + ` FROM tenants WHERE name = $1` + tx.l.dialect.lock
	ok, err := tx.get(query, []any{name}, t.columns()...)
	if ok || err != nil {
		return t, err
	}
	if _, err = tx.insert(`INSERT INTO tenants (name) VALUES ($1) RETURNING id`, name); err != nil {
		return t, err
	}
	_, err = tx.get(query, []any{name}, t.columns()...)
	return t, err
}

// TenantByID returns a tenant that is known to exist. It locks the row.
func (tx *Tx) TenantByID(id int64) (t Tenant, err error) {
	_, err = tx.get(`SELECT `+tenantColumns+` FROM tenants WHERE id = $1`+tx.l.dialect.lock, []any{id}, t.columns()...)
	return t, err
}

// DueReread returns a tenant of a partition of which a full read was put off until now, if there is one. It locks the row.
func (tx *Tx) DueReread(part int, now time.Time) (t Tenant, found bool, err error) {
	var id int64
	found, err = tx.get(`SELECT id FROM tenants WHERE reread_due > 0 AND reread_due <= $1 AND part = $2 ORDER BY reread_due, id LIMIT 1`,
		[]any{micros(now), part}, &id)
	if !found || err != nil {
		return t, false, err
	}
	t, err = tx.TenantByID(id)
	return t, err == nil, err
}

// TenantOf returns the number of a product's tenant.
func (tx *Tx) TenantOf(product int64) (id int64, err error) {
	_, err = tx.get(`SELECT tenant FROM products WHERE id = $1`, []any{product}, &id)
	return id, err
}

// SaveTenant stores all but the name.
func (tx *Tx) SaveTenant(t Tenant) error {
	seen, snapshot, stale := stampOf(t.Seen), stampOf(t.Snapshot), stampOf(t.Stale)
	return tx.exec(`UPDATE tenants SET seen_epoch = $1, seen_counter = $2, snapshot_epoch = $3, snapshot_counter = $4,
		snapshot_at = $5, round_began = $6, reread_at = $7, granted = $8, revoked = $9, removed = $10, part = $11,
		nest_version = $12, paused = $13, frozen = $14, restoring = $15, disconnected = $16, hold_flips = $17,
		hold_share = $18, hold_least = $19, hold_expiry = $20, reread_due = $21, stale_since = $22, stale_epoch = $23,
		stale_counter = $24 WHERE id = $25`,
		seen.Epoch, seen.Counter, snapshot.Epoch, snapshot.Counter,
		micros(t.SnapshotAt), micros(t.RoundBegan), micros(t.RereadAt), t.Granted, t.Revoked, t.Removed, t.Part,
		t.NestVersion, flag(t.Paused), flag(t.Frozen), flag(t.Restoring), int(t.Disconnected), flag(t.Hold.Flips),
		t.Hold.Guard.Share, t.Hold.Guard.Least, t.Hold.Expiry.Microseconds(), micros(t.RereadDue), micros(t.StaleSince),
		stale.Epoch, stale.Counter, t.ID)
}

// TenantNames returns the names of all tenants that the ledger has heard of.
func (tx *Tx) TenantNames() (names []string, err error) {
	err = tx.each(`SELECT name FROM tenants ORDER BY name`, nil, func(row scanner) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

func (t *Tenant) columns() []any {
	return []any{
		&t.ID, &t.Name, &t.Seen.Epoch, &t.Seen.Counter, &t.Snapshot.Epoch, &t.Snapshot.Counter,
		scanMicros(&t.SnapshotAt), scanMicros(&t.RoundBegan), scanMicros(&t.RereadAt), &t.Granted, &t.Revoked, &t.Removed,
		&t.Part, &t.NestVersion, &t.Paused, &t.Frozen, &t.Restoring, &t.Disconnected, &t.Hold.Flips, &t.Hold.Guard.Share,
		&t.Hold.Guard.Least, scanDuration(&t.Hold.Expiry), scanMicros(&t.RereadDue), scanMicros(&t.StaleSince),
		&t.Stale.Epoch, &t.Stale.Counter,
	}
}
