package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// UserState is a user as the mirror holds it.
type UserState struct {
	directory.User
	Stamp directory.Stamp // of the read that showed it last

	id     int64
	tenant int64
}

const userColumns = `u.id, u.tenant, u.ref, u.name, u.addresses, u.status, u.guest, u.epoch, u.counter`

// FindUsers returns the users that ref names: the one with that provider id, deleted or not, or else the users in the
// directory that have it as an address. None is an empty result.
func (r *Reader) FindUsers(ctx context.Context, tenant, ref string) ([]UserState, error) {
	ref = storable(ref)
	id, err := r.tenantID(ctx, tenant)
	if err != nil {
		return nil, err
	}
	found, err := r.users(ctx, `SELECT `+userColumns+` FROM users u WHERE u.tenant = $1 AND u.ref = $2 AND u.status <> ''`, id, ref)
	if len(found) > 0 || err != nil {
		return found, err
	}
	return r.users(ctx, `SELECT `+userColumns+` FROM user_addresses a JOIN users u ON u.id = a.user_id
		WHERE a.tenant = $1 AND a.address = $2 AND u.status NOT IN ('', 'deleted') ORDER BY u.id`, id, directory.Address(ref))
}

// FindUser is FindUsers where one is wanted: ErrNoUser for none, ErrManyUser for several.
func (r *Reader) FindUser(ctx context.Context, tenant, ref string) (UserState, error) {
	found, err := r.FindUsers(ctx, tenant, ref)
	switch {
	case err != nil:
		return UserState{}, err
	case len(found) == 0:
		return UserState{}, fmt.Errorf("tenant %s: %w", tenant, ErrNoUser)
	case len(found) > 1:
		return UserState{}, fmt.Errorf("tenant %s: %w: name one by its id", tenant, ErrManyUser)
	}
	return found[0], nil
}

func (r *Reader) tenantID(ctx context.Context, name string) (id int64, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT id FROM tenants WHERE name = $1`, storable(name)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("tenant %s: %w", name, ErrNoTenant)
	}
	if err != nil {
		return 0, fmt.Errorf("read tenant %s: %w", name, err)
	}
	return id, nil
}

func (r *Reader) users(ctx context.Context, query string, args ...any) (users []UserState, err error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	err = eachRow(query, rows, err, func(row scanner) error {
		var u UserState
		err := row.Scan(&u.id, &u.tenant, &u.ID, &u.Name, scanLines(&u.Addresses), &u.Status, &u.Guest, &u.Stamp.Epoch, &u.Stamp.Counter)
		users = append(users, u)
		return err
	})
	return users, err
}

// Period is one stretch of time in which a decision held.
type Period struct {
	Product  string
	Licensed bool
	Reason   string
	Path     []string // the provider's ids of the groups
	From     time.Time
	To       time.Time // zero: still so
	Cause    string    // id of the event that caused it
	Sequence uint64    // of the license event
}

// History returns all periods of a user, of one product or, with an empty product, of all, oldest first.
func (r *Reader) History(ctx context.Context, u UserState, product string) (periods []Period, err error) {
	const query = `SELECT p.name, h.licensed, h.reason, h.path, h.from_at, h.to_at, h.cause, h.sequence
		FROM products p JOIN history h ON h.product = p.id
		WHERE p.tenant = $1 AND h.user_id = $2 AND (p.name = $3 OR $3 = '') ORDER BY p.name, h.sequence`
	rows, err := r.db.QueryContext(ctx, query, u.tenant, u.id, product)
	var paths [][]int64
	err = eachRow(query, rows, err, func(row scanner) error {
		var p Period
		var path []int64
		err := row.Scan(&p.Product, &p.Licensed, &p.Reason, scanPath(&path), scanMicros(&p.From), scanMicros(&p.To), &p.Cause, &p.Sequence)
		periods, paths = append(periods, p), append(paths, path)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, path := range paths {
		if periods[i].Path, err = r.refs(ctx, path); err != nil {
			return nil, err
		}
	}
	return periods, nil
}

// CurrentEntitlement is the decision about a user and a product as it stands. Since is when Licensed took this value.
type CurrentEntitlement struct {
	Product  string
	Licensed bool
	Since    time.Time
	Reason   string
	Path     []string
	Sequence uint64
}

// Entitlements returns the decisions about a user, by product. A user who was never licensed has none.
func (r *Reader) Entitlements(ctx context.Context, u UserState) (all []CurrentEntitlement, err error) {
	const query = `SELECT p.name, e.licensed, e.since, e.reason, e.path, e.sequence
		FROM products p JOIN entitlements e ON e.product = p.id WHERE p.tenant = $1 AND e.user_id = $2 ORDER BY p.name`
	rows, err := r.db.QueryContext(ctx, query, u.tenant, u.id)
	var paths [][]int64
	err = eachRow(query, rows, err, func(row scanner) error {
		var e CurrentEntitlement
		var path []int64
		err := row.Scan(&e.Product, &e.Licensed, scanMicros(&e.Since), &e.Reason, scanPath(&path), &e.Sequence)
		all, paths = append(all, e), append(paths, path)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, path := range paths {
		if all[i].Path, err = r.refs(ctx, path); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Activations returns when products have reported a first sign-in of a user, by product. Those that have not are left out.
func (r *Reader) Activations(ctx context.Context, u UserState) (map[string]time.Time, error) {
	const query = `SELECT p.name, x.at FROM products p JOIN activations x ON x.product = p.id WHERE p.tenant = $1 AND x.user_id = $2`
	all := map[string]time.Time{}
	rows, err := r.db.QueryContext(ctx, query, u.tenant, u.id)
	err = eachRow(query, rows, err, func(row scanner) error {
		var product string
		var at time.Time
		err := row.Scan(&product, scanMicros(&at))
		all[product] = at
		return err
	})
	return all, err
}

// GroupNames returns the display names of groups by their provider ids. Groups that no read has shown are left out.
func (r *Reader) GroupNames(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	names := map[string]string{}
	id, err := r.tenantID(ctx, tenant)
	if err != nil {
		return nil, err
	}
	for _, ref := range ids {
		var name string
		err := r.db.QueryRowContext(ctx, `SELECT name FROM groups WHERE tenant = $1 AND ref = $2 AND state <> ''`, id, ref).Scan(&name)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return nil, fmt.Errorf("read the name of a group: %w", err)
		default:
			names[ref] = name
		}
	}
	return names, nil
}

func (r *Reader) refs(ctx context.Context, path []int64) ([]string, error) {
	var refs []string
	for _, id := range path {
		var ref string
		if err := r.db.QueryRowContext(ctx, `SELECT ref FROM groups WHERE id = $1`, id).Scan(&ref); err != nil {
			return nil, fmt.Errorf("read a group of path %s: %w", pathText(path), err)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}
