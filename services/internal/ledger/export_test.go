package ledger

import (
	"context"
	"time"
)

// Ask reads one value, for tests of what the connection is set to.
func Ask(tx *Tx, query string) (answer string, err error) {
	_, err = tx.get(query, nil, &answer)
	return answer, err
}

// LicensesInPages is Licenses in pages of another size.
func (r *Reader) LicensesInPages(ctx context.Context, tenant, product string, at time.Time, size int, each func(License) error) error {
	return r.licenses(ctx, tenant, product, at, size, each)
}

// AuditInPages is Audit in pages of another size.
func (r *Reader) AuditInPages(ctx context.Context, q AuditQuery, size int, each func(Audited) error) error {
	return r.audit(ctx, q, size, each)
}

// ActivityWithin is Activity that looks at fewer records.
func (r *Reader) ActivityWithin(ctx context.Context, q ActivityQuery, scan int) (ActivityPage, error) {
	return r.activityPage(ctx, q, scan)
}

// Bounds are how far a list of users looks.
type Bounds struct{ Most, Set, Scan, First int }

// UsersWithin is Users that looks less far.
func (r *Reader) UsersWithin(ctx context.Context, q UsersQuery, after string, limit int, b Bounds) (UsersPage, error) {
	return r.usersPage(ctx, q, after, limit, userBounds{most: b.Most, set: b.Set, scan: b.Scan, first: b.First})
}
