package ledger

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// Product is where one product of one tenant stands.
type Product struct {
	ID       int64
	Tenant   int64
	Name     string // the product's id everywhere else
	Address  string // that makes a group the provisioning group
	State    licensing.State
	AskAt    time.Time // when to ask for the round that a settled change waits for; zero: not at all
	Sequence uint64    // of the product's last event
	// Readdressed: its address became another one while it was in force. Whatever group that brings is held.
	Readdressed bool
	Seats       licensing.Seats
	Used        int   // users who are licensed
	Exceeded    bool  // it was announced that more are used than purchased
	Line        int64 // the last place given in the waiting line
}

const productColumns = `id, tenant, name, address, phase, mode, policy_group, conflict, changing, change_group, change_empty,
	change_stage, settle_at, ask_at, sequence, readdressed, purchased, enforce, used, exceeded, line`

// EnsureProduct makes the tenant's product with that name and address where there is none, and stores another address
// than the known one. It reports whether it did either.
func (tx *Tx) EnsureProduct(tenant int64, name, address string) (changed bool, err error) {
	var known string
	found, err := tx.get(`SELECT address FROM products WHERE tenant = $1 AND name = $2`, []any{tenant, name}, &known)
	switch {
	case err != nil || found && known == address:
		return false, err
	case found:
		return true, tx.exec(`UPDATE products SET address = $1, readdressed = CASE WHEN phase = 'in-force' THEN 1 ELSE 0 END
			WHERE tenant = $2 AND name = $3`, address, tenant, name)
	default:
		return true, tx.exec(`INSERT INTO products (tenant, name, address) VALUES ($1, $2, $3)`, tenant, name, address)
	}
}

// Products returns all products of a tenant that were ever heard of, by name. It locks their rows.
func (tx *Tx) Products(tenant int64) (products []Product, err error) {
	query := `SELECT ` + productColumns + ` FROM products WHERE tenant = $1 ORDER BY name` + tx.l.dialect.lock
	err = tx.each(query, []any{tenant}, func(row scanner) error {
		p, err := scanProduct(row)
		products = append(products, p)
		return err
	})
	return products, err
}

// productWhere returns the one product that a query finds, if it finds one.
func (tx *Tx) productWhere(query string, args ...any) (p Product, found bool, err error) {
	err = tx.each(query, args, func(row scanner) error {
		found = true
		p, err = scanProduct(row)
		return err
	})
	return p, found, err
}

// DueRound returns a product of a partition for which a round should be asked by now, if there is one.
func (tx *Tx) DueRound(part int, now time.Time) (p Product, found bool, err error) {
	return tx.productWhere(`SELECT `+productColumns+` FROM products WHERE ask_at > 0 AND ask_at <= $1
		AND tenant IN (SELECT id FROM tenants WHERE part = $2) ORDER BY ask_at, id LIMIT 1`, micros(now), part)
}

// NextTimer returns when a partition next has something to do by itself: a round or another read to ask for, a
// parked change that expires, or somebody who has left. Zero when it has nothing.
func (tx *Tx) NextTimer(part int) (at time.Time, err error) {
	_, err = tx.get(`SELECT MIN(due) FROM (
		SELECT p.ask_at AS due FROM products p JOIN tenants t ON t.id = p.tenant WHERE p.ask_at > 0 AND t.part = $1
		UNION ALL SELECT h.expires_at FROM held h JOIN products p ON p.id = h.product JOIN tenants t ON t.id = p.tenant
		WHERE t.part = $1 AND `+expires+`
		UNION ALL SELECT d.ask_at FROM doubts d JOIN tenants t ON t.id = d.tenant WHERE t.part = $1
		UNION ALL SELECT l.decide_at FROM leaving l JOIN products p ON p.id = l.product JOIN tenants t ON t.id = p.tenant WHERE t.part = $1
		UNION ALL SELECT reread_due FROM tenants WHERE reread_due > 0 AND part = $1) AS timers`, []any{part}, scanMicros(&at))
	return at, err
}

// SaveProduct stores all but the tenant, the name and the address. How many licenses are used from now on is kept by the
// minute.
func (tx *Tx) SaveProduct(p Product) error {
	change := licensing.Change{}
	if p.State.Change != nil {
		change = *p.State.Change
	}
	if at, moved := tx.moved[p.ID]; moved {
		if err := tx.putUsage(p.ID, at, p.Used); err != nil {
			return err
		}
	}
	return tx.exec(`UPDATE products SET phase = $1, mode = $2, policy_group = $3, conflict = $4, changing = $5,
		change_group = $6, change_empty = $7, change_stage = $8, settle_at = $9, ask_at = $10, sequence = $11,
		readdressed = $12, purchased = $13, enforce = $14, used = $15, exceeded = $16, line = $17 WHERE id = $18`,
		string(p.State.Phase), string(p.State.Policy.Mode), p.State.Policy.Group, flag(p.State.Conflict),
		flag(p.State.Change != nil), change.Group, flag(change.Empty), string(change.Stage), micros(change.SettleAt),
		micros(p.AskAt), int64(p.Sequence), flag(p.Readdressed), p.Seats.Purchased, flag(p.Seats.Enforce), p.Used, //nolint:gosec // a sequence stays far below 2^63
		flag(p.Exceeded), p.Line, p.ID)
}

func scanProduct(row scanner) (p Product, err error) {
	var changing bool
	var change licensing.Change
	err = row.Scan(&p.ID, &p.Tenant, &p.Name, &p.Address, &p.State.Phase, &p.State.Policy.Mode,
		&p.State.Policy.Group, &p.State.Conflict, &changing, &change.Group, &change.Empty, &change.Stage,
		scanMicros(&change.SettleAt), scanMicros(&p.AskAt), &p.Sequence, &p.Readdressed, &p.Seats.Purchased, &p.Seats.Enforce,
		&p.Used, &p.Exceeded, &p.Line)
	if changing {
		p.State.Change = &change
	}
	return p, err
}
