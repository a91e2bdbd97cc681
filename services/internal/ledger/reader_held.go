package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// What a Reader finds wanting of held changes and products.
var (
	ErrNoProduct = errors.New("the tenant has no such product")
	ErrNoHeld    = errors.New("the product has no such held change")
	ErrManyHeld  = errors.New("several products have a held change of that id")
)

// HeldChange is a held change with where it stands.
type HeldChange struct {
	Held
	Tenant      string
	ProductID   string           // the product's id everywhere else
	GroupName   string           // of the group that a flip would put in force
	InForce     licensing.Policy // now
	InForceName string           // of its group
	Licensed    int              // users, now
	Seats       licensing.Seats
	// All is how many users are decided once it is approved, Applied of them so far.
	All int
}

const heldChangeQuery = `SELECT h.id, h.product, h.ref, h.kind, h.state, h.revision, h.mode, h.policy_group, h.grants,
	h.revocations, h.applied, h.opened_at, h.expires_at, h.closed_at, h.closed_by, h.cause, h.snapshot,
	t.name, p.name, p.mode, p.policy_group, p.used, p.purchased, p.enforce, COALESCE(g.name, ''), COALESCE(f.name, ''),
	CASE WHEN h.state = 'applied' THEN h.applied
		WHEN h.kind = 'flip' AND h.state = 'approved' THEN (SELECT COUNT(*) FROM users u WHERE u.tenant = t.id)
		ELSE h.grants + h.revocations END
	FROM held h JOIN products p ON p.id = h.product JOIN tenants t ON t.id = p.tenant
	LEFT JOIN groups g ON g.tenant = t.id AND g.ref = h.policy_group
	LEFT JOIN groups f ON f.tenant = t.id AND f.ref = p.policy_group `

// HeldChanges returns the held changes of a tenant, or of all tenants where its name is empty: those that wait, are being
// listed or are being carried out; with closed also all others that the ledger remembers.
func (r *Reader) HeldChanges(ctx context.Context, tenant string, closed bool) ([]HeldChange, error) {
	if tenant != "" {
		if _, err := r.tenantID(ctx, tenant); err != nil {
			return nil, err
		}
	}
	return r.heldChanges(ctx, heldChangeQuery+`WHERE (t.name = $1 OR $1 = '')
		AND ($2 = 1 OR h.state IN ('listing', 'open', 'approved')) ORDER BY t.name, p.name, h.id`, tenant, flag(closed))
}

// HeldChange returns one held change by its id. The product may be left empty where no other one has such an id.
func (r *Reader) HeldChange(ctx context.Context, tenant, product, ref string) (HeldChange, error) {
	if _, err := r.tenantID(ctx, tenant); err != nil {
		return HeldChange{}, err
	}
	all, err := r.heldChanges(ctx, heldChangeQuery+`WHERE t.name = $1 AND (p.name = $2 OR $2 = '') AND h.ref = $3
		AND h.state <> 'listing' ORDER BY p.name`, tenant, storable(product), storable(ref))
	switch {
	case err != nil:
		return HeldChange{}, err
	case len(all) == 0:
		return HeldChange{}, fmt.Errorf("%s of tenant %s: %w", ref, tenant, ErrNoHeld)
	case len(all) > 1:
		return HeldChange{}, fmt.Errorf("%s of tenant %s: %w", ref, tenant, ErrManyHeld)
	}
	return all[0], nil
}

func (r *Reader) heldChanges(ctx context.Context, query string, args ...any) (all []HeldChange, err error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	err = eachRow(query, rows, err, func(row scanner) error {
		var h HeldChange
		err := row.Scan(&h.ID, &h.Product, &h.Ref, &h.Kind, &h.State, &h.Revision, &h.Mode, &h.Group, &h.Grants, &h.Revocations,
			&h.Applied, scanMicros(&h.OpenedAt), scanMicros(&h.ExpiresAt), scanMicros(&h.ClosedAt), &h.ClosedBy, &h.Cause, &h.Snapshot,
			&h.Tenant, &h.ProductID, &h.InForce.Mode, &h.InForce.Group, &h.Licensed, &h.Seats.Purchased, &h.Seats.Enforce,
			&h.GroupName, &h.InForceName, &h.All)
		all = append(all, h)
		return err
	})
	return all, err
}

// HeldLine is one user on the list of a held change: what the user is, and what the user would become.
type HeldLine struct {
	Number    int64  // of the user: the next page begins behind it
	User      string // the provider's id
	Name      string
	Addresses []string
	Status    directory.Status
	Revision  int // at which the line was last changed

	Would       bool   // be licensed
	WouldReason string // why
	Licensed    bool   // now
	Reason      string // now; empty for one who never was
	Since       time.Time
}

// HeldLines returns up to limit lines of a list, behind the user with that number. The list may change between two
// pages: its revision tells.
func (r *Reader) HeldLines(ctx context.Context, h HeldChange, after int64, limit int) (lines []HeldLine, err error) {
	// The page first, and then what is joined to it: planners that see both at once walk through all users for every page.
	const query = `SELECT u.id, u.ref, u.name, u.addresses, u.status, l.revision, l.licensed, l.reason,
		COALESCE(e.licensed, 0), COALESCE(e.reason, ''), e.since
		FROM (SELECT user_id, revision, licensed, reason FROM held_users
			WHERE held = $1 AND user_id > $3 AND listed = 1 ORDER BY user_id LIMIT $4) AS l
		JOIN users u ON u.id = l.user_id LEFT JOIN entitlements e ON e.product = $2 AND e.user_id = l.user_id
		ORDER BY l.user_id`
	rows, err := r.db.QueryContext(ctx, query, h.ID, h.Product, after, limit)
	err = eachRow(query, rows, err, func(row scanner) error {
		var l HeldLine
		err := row.Scan(&l.Number, &l.User, &l.Name, scanLines(&l.Addresses), &l.Status, &l.Revision, &l.Would, &l.WouldReason,
			&l.Licensed, &l.Reason, scanMicros(&l.Since))
		lines = append(lines, l)
		return err
	})
	return lines, err
}

// Names returns how users are called, by the provider's ids of those whom the mirror knows.
func (r *Reader) Names(ctx context.Context, tenant string, users []string) (map[string]UserState, error) {
	id, err := r.tenantID(ctx, tenant)
	if err != nil {
		return nil, err
	}
	names := map[string]UserState{}
	for _, ref := range users {
		found, err := r.users(ctx, `SELECT `+userColumns+` FROM users u WHERE u.tenant = $1 AND u.ref = $2`, id, ref)
		if err != nil {
			return nil, err
		}
		if len(found) == 1 {
			names[ref] = found[0]
		}
	}
	return names, nil
}
