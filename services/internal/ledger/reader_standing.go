package ledger

import (
	"context"
	"fmt"
	"time"
)

// Tenants returns what the ledger keeps of every tenant as a whole, by name.
func (r *Reader) Tenants(ctx context.Context) (map[string]Tenant, error) {
	const query = `SELECT ` + tenantColumns + ` FROM tenants`
	all := map[string]Tenant{}
	rows, err := r.db.QueryContext(ctx, query)
	err = eachRow(query, rows, err, func(row scanner) error {
		var t Tenant
		err := row.Scan(t.columns()...)
		all[t.Name] = t
		return err
	})
	return all, err
}

// Stale returns since when something is missing of what was said of a tenant, by its name, for each of which that is so.
func (r *Reader) Stale(ctx context.Context) (map[string]time.Time, error) {
	const query = `SELECT name, stale_since FROM tenants WHERE stale_since > 0`
	all := map[string]time.Time{}
	rows, err := r.db.QueryContext(ctx, query)
	err = eachRow(query, rows, err, func(row scanner) error {
		var name string
		var since time.Time
		err := row.Scan(&name, scanMicros(&since))
		all[name] = since
		return err
	})
	return all, err
}

// productID finds a product of a tenant.
func (r *Reader) productID(ctx context.Context, tenant, product string) (id int64, err error) {
	of, err := r.tenantID(ctx, tenant)
	if err != nil {
		return 0, err
	}
	found, err := r.one(ctx, `SELECT id FROM products WHERE tenant = $1 AND name = $2`, []any{of, storable(product)}, &id)
	if err == nil && !found {
		err = fmt.Errorf("tenant %s: %w: %q", tenant, ErrNoProduct, product)
	}
	return id, err
}
