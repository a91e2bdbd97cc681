package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Parked is what stands between what the rules say of a user and what holds: a place in line, or held changes.
type Parked struct {
	Waiting bool
	Place   int64 // as it was given
	InLine  int   // 1 is next
	// Held are the held changes that wait and have the user on their lists. With none of them that would take the license,
	// Rejected is the last one that would have, where its rejection is why the license stands.
	Held     []ParkedBy
	Rejected *ParkedBy
	Against  string // with reason held: the reason of the revocation that is parked, or was rejected
}

// ParkedBy is a held change with what its list says of one user.
type ParkedBy struct {
	Held
	Would       bool // be licensed
	WouldReason string
}

// Parked returns what is parked of a user and a product.
func (r *Reader) Parked(ctx context.Context, u UserState, product string) (p Parked, err error) {
	id, err := r.productOf(ctx, u, product)
	if err != nil {
		return p, err
	}
	p.Waiting, err = r.one(ctx, `SELECT place, (SELECT COUNT(*) FROM waiting b WHERE b.product = w.product AND b.place <= w.place)
		FROM waiting w WHERE w.product = $1 AND w.user_id = $2`, []any{id, u.id}, &p.Place, &p.InLine)
	if err != nil {
		return p, err
	}
	if _, err := r.one(ctx, `SELECT against FROM entitlements WHERE product = $1 AND user_id = $2`, []any{id, u.id}, &p.Against); err != nil {
		return p, err
	}
	if p.Held, err = r.parkedBy(ctx, parkedNow, id, u.id); err != nil || p.Against == "" {
		return p, err
	}
	if slices.ContainsFunc(p.Held, func(h ParkedBy) bool { return !h.Would && h.Kind != HeldFlip }) {
		return p, nil
	}
	rejected, err := r.parkedBy(ctx, parkedLast, id, u.id)
	if len(rejected) > 0 {
		p.Rejected = &rejected[0]
	}
	return p, err
}

// Held changes of a product that have a user on their lists: those that wait, and the last one that was not to be.
const (
	parkedQuery = `SELECT h.id, h.product, h.ref, h.kind, h.state, h.revision, h.expires_at, h.closed_at, h.closed_by, l.licensed, l.reason
		FROM held h JOIN held_users l ON l.held = h.id AND l.user_id = $2 WHERE h.product = $1 AND l.listed = 1 AND `
	parkedNow  = parkedQuery + `h.state = 'open' ORDER BY h.id`
	parkedLast = parkedQuery + `h.state IN ('rejected', 'expired') AND h.kind <> 'flip' AND l.licensed = 0
		ORDER BY h.closed_at DESC, h.id DESC LIMIT 1`
)

func (r *Reader) parkedBy(ctx context.Context, query string, product, user int64) (all []ParkedBy, err error) {
	rows, err := r.db.QueryContext(ctx, query, product, user)
	err = eachRow(query, rows, err, func(row scanner) error {
		var h ParkedBy
		err := row.Scan(&h.ID, &h.Product, &h.Ref, &h.Kind, &h.State, &h.Revision, scanMicros(&h.ExpiresAt), scanMicros(&h.ClosedAt),
			&h.ClosedBy, &h.Would, &h.WouldReason)
		all = append(all, h)
		return err
	})
	return all, err
}

func (r *Reader) productOf(ctx context.Context, u UserState, product string) (id int64, err error) {
	found, err := r.one(ctx, `SELECT id FROM products WHERE tenant = $1 AND name = $2`, []any{u.tenant, product}, &id)
	if err == nil && !found {
		err = fmt.Errorf("%w: %q", ErrNoProduct, product)
	}
	return id, err
}

// one reads the first row of a query into dest and reports whether there was one.
func (r *Reader) one(ctx context.Context, query string, args []any, dest ...any) (bool, error) {
	switch err := r.db.QueryRowContext(ctx, query, args...).Scan(dest...); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("run %q: %w", query, err)
	default:
		return true, nil
	}
}
