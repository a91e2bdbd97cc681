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
	// RedecideAfter is the user up to which a policy change has been applied; NoRedecision when none is under way.
	RedecideAfter int64
	RedecideCause string // the event that the decisions name as their cause
}

// NoRedecision is Product.RedecideAfter when all users stand decided.
const NoRedecision = -1

// Redeciding reports whether users have yet to be decided under the policy in force.
func (p Product) Redeciding() bool { return p.RedecideAfter != NoRedecision }

const productColumns = `id, tenant, name, address, phase, mode, policy_group, conflict, changing, change_group, change_empty,
	settle_at, ask_at, sequence, redecide_after, redecide_cause`

// EnsureProduct makes the tenant's product with that name and address where there is none, and stores another address
// than the known one. It reports whether it did either.
func (tx *Tx) EnsureProduct(tenant int64, name, address string) (changed bool, err error) {
	var known string
	found, err := tx.get(`SELECT address FROM products WHERE tenant = $1 AND name = $2`, []any{tenant, name}, &known)
	switch {
	case err != nil || found && known == address:
		return false, err
	case found:
		return true, tx.exec(`UPDATE products SET address = $1 WHERE tenant = $2 AND name = $3`, address, tenant, name)
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

// NextRedecision returns a product whose users are to be decided again, if there is one: the one that is least advanced.
func (tx *Tx) NextRedecision() (p Product, found bool, err error) {
	return tx.productWhere(`SELECT ` + productColumns + ` FROM products WHERE redecide_after >= 0
		ORDER BY redecide_after, id LIMIT 1`)
}

// DueRound returns a product for which a round should be asked by now, if there is one.
func (tx *Tx) DueRound(now time.Time) (p Product, found bool, err error) {
	return tx.productWhere(`SELECT `+productColumns+` FROM products WHERE ask_at > 0 AND ask_at <= $1
		ORDER BY ask_at, id LIMIT 1`, micros(now))
}

// NextRound returns when the next round should be asked for; zero when none is.
func (tx *Tx) NextRound() (at time.Time, err error) {
	_, err = tx.get(`SELECT MIN(ask_at) FROM products WHERE ask_at > 0`, nil, scanMicros(&at))
	return at, err
}

// Redeciding reports whether any product of a tenant is still being decided again.
func (tx *Tx) Redeciding(tenant int64) (bool, error) {
	var n int
	_, err := tx.get(`SELECT COUNT(*) FROM products WHERE tenant = $1 AND redecide_after >= 0`, []any{tenant}, &n)
	return n > 0, err
}

// SaveProduct stores all but the tenant, the name and the address.
func (tx *Tx) SaveProduct(p Product) error {
	change := licensing.Change{}
	if p.State.Change != nil {
		change = *p.State.Change
	}
	return tx.exec(`UPDATE products SET phase = $1, mode = $2, policy_group = $3, conflict = $4, changing = $5,
		change_group = $6, change_empty = $7, settle_at = $8, ask_at = $9, sequence = $10, redecide_after = $11,
		redecide_cause = $12 WHERE id = $13`,
		string(p.State.Phase), string(p.State.Policy.Mode), p.State.Policy.Group, flag(p.State.Conflict),
		flag(p.State.Change != nil), change.Group, flag(change.Empty), micros(change.SettleAt), micros(p.AskAt),
		int64(p.Sequence), p.RedecideAfter, p.RedecideCause, p.ID) //nolint:gosec // a sequence stays far below 2^63
}

func scanProduct(row scanner) (p Product, err error) {
	var changing bool
	var change licensing.Change
	err = row.Scan(&p.ID, &p.Tenant, &p.Name, &p.Address, &p.State.Phase, &p.State.Policy.Mode,
		&p.State.Policy.Group, &p.State.Conflict, &changing, &change.Group, &change.Empty, scanMicros(&change.SettleAt),
		scanMicros(&p.AskAt), &p.Sequence, &p.RedecideAfter, &p.RedecideCause)
	if changing {
		p.State.Change = &change
	}
	return p, err
}
