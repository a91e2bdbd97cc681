package ledger

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
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
	// Counts over the tenant's whole life: license events, and what went from the mirror.
	Granted, Revoked, Removed int64
}

// Ready reports whether the tenant has a complete snapshot: before that, nothing may be decided.
func (t Tenant) Ready() bool { return t.Snapshot != directory.Stamp{} }

const tenantColumns = `id, name, seen_epoch, seen_counter, snapshot_epoch, snapshot_counter, snapshot_at, round_began,
	reread_at, granted, revoked, removed`

// Tenant returns the tenant's row, and makes it when there is none. It locks the row.
func (tx *Tx) Tenant(name string) (Tenant, error) {
	t := Tenant{Name: name}
	query := `SELECT ` + tenantColumns + ` FROM tenants WHERE name = $1` + tx.l.dialect.lock
	ok, err := tx.get(query, []any{name}, t.columns()...)
	if ok || err != nil {
		return t, err
	}
	t.ID, err = tx.insert(`INSERT INTO tenants (name) VALUES ($1) RETURNING id`, name)
	return t, err
}

// TenantByID returns a tenant that is known to exist. It locks the row.
func (tx *Tx) TenantByID(id int64) (t Tenant, err error) {
	_, err = tx.get(`SELECT `+tenantColumns+` FROM tenants WHERE id = $1`+tx.l.dialect.lock, []any{id}, t.columns()...)
	return t, err
}

// SaveTenant stores all but the name.
func (tx *Tx) SaveTenant(t Tenant) error {
	seen, snapshot := stampOf(t.Seen), stampOf(t.Snapshot)
	return tx.exec(`UPDATE tenants SET seen_epoch = $1, seen_counter = $2, snapshot_epoch = $3, snapshot_counter = $4,
		snapshot_at = $5, round_began = $6, reread_at = $7, granted = $8, revoked = $9, removed = $10 WHERE id = $11`,
		seen.Epoch, seen.Counter, snapshot.Epoch, snapshot.Counter,
		micros(t.SnapshotAt), micros(t.RoundBegan), micros(t.RereadAt), t.Granted, t.Revoked, t.Removed, t.ID)
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
	}
}
