package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// What a Reader finds wanting.
var (
	ErrNoLedger = errors.New("there is no ledger yet")
	ErrNoTenant = errors.New("the ledger knows no such tenant")
	ErrNoUser   = errors.New("no such user in the directory")
	ErrManyUser = errors.New("several users in the directory have the address")
)

// Reader answers questions from a ledger that another process, or this one, writes. It never holds up the writer and
// sees only what was committed.
type Reader struct {
	db    *sql.DB
	lists string // what a transaction begins with that reads a list
}

// OpenReader opens an existing ledger to read. It fails with ErrNoLedger where none was made yet, and with
// ErrNewerSchema where it is from a version to come.
func OpenReader(ctx context.Context, address string) (*Reader, error) {
	d, err := parse(address)
	if err != nil {
		return nil, err
	}
	if d.missing() {
		return nil, ErrNoLedger
	}
	db, err := openReads(d)
	if err != nil {
		return nil, err
	}
	if err := checkReadable(ctx, d, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Reader{db: db, lists: d.lists}, nil
}

// Reader returns a reader of the ledger, which is closed with it.
func (l *Ledger) Reader() *Reader { return &Reader{db: l.read, lists: l.dialect.lists} }

// Close ends a reader that OpenReader made.
func (r *Reader) Close() error {
	if err := r.db.Close(); err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	return nil
}

// checkReadable refuses a schema that this program does not know, and one that has yet to be brought up to date.
func checkReadable(ctx context.Context, d dialect, db *sql.DB) error {
	provider, err := newProvider(d, db)
	if err != nil {
		return err
	}
	known := int64(0)
	for _, source := range provider.ListSources() {
		known = max(known, source.Version)
	}
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("connect to the ledger: %w", err)
	}
	var current int64
	if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`).Scan(&current); err != nil {
		return fmt.Errorf("%w: its schema cannot be read: %w", ErrNoLedger, err)
	}
	if current > known {
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewerSchema, current, known)
	}
	if current < known {
		return fmt.Errorf("%w: its schema is version %d, want %d: start the worker once", ErrNoLedger, current, known)
	}
	return nil
}

// TenantNames returns the names of all tenants that the ledger has heard of, sorted.
func (r *Reader) TenantNames(ctx context.Context) (names []string, err error) {
	const query = `SELECT name FROM tenants ORDER BY name`
	rows, err := r.db.QueryContext(ctx, query)
	err = eachRow(query, rows, err, func(row scanner) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// TenantState is what the ledger knows of a tenant.
type TenantState struct {
	Tenant
	Users    int // in the directory
	Groups   int // in the directory
	Products []ProductState
}

// ProductState is where one product of a tenant stands.
type ProductState struct {
	ID         string
	Address    string // that makes a group the provisioning group
	State      licensing.State
	GroupName  string // of the group in force, where there is one
	Licensed   int    // users who are licensed
	Seats      licensing.Seats
	Redeciding bool   // a change of policy is still being applied to all users
	Sequence   uint64 // of the product's last event
}

// Tenant returns what is known of a tenant, or ErrNoTenant.
func (r *Reader) Tenant(ctx context.Context, name string) (TenantState, error) {
	t, err := r.TenantUncounted(ctx, name)
	if err != nil {
		return t, err
	}
	if err := r.db.QueryRowContext(ctx, countUsers, t.ID).Scan(&t.Users); err != nil {
		return t, fmt.Errorf("count the users of %s: %w", name, err)
	}
	if err := r.db.QueryRowContext(ctx, countGroups, t.ID).Scan(&t.Groups); err != nil {
		return t, fmt.Errorf("count the groups of %s: %w", name, err)
	}
	return t, nil
}

// TenantUncounted is Tenant without the counts of users and groups, which cost more than all the rest: for who asks at every
// request.
func (r *Reader) TenantUncounted(ctx context.Context, name string) (TenantState, error) {
	var t TenantState
	err := r.db.QueryRowContext(ctx, `SELECT `+tenantColumns+` FROM tenants WHERE name = $1`, storable(name)).Scan(t.columns()...)
	if errors.Is(err, sql.ErrNoRows) {
		return t, fmt.Errorf("tenant %s: %w", name, ErrNoTenant)
	}
	if err != nil {
		return t, fmt.Errorf("read tenant %s: %w", name, err)
	}
	t.Products, err = r.products(ctx, t.ID)
	return t, err
}

func (r *Reader) products(ctx context.Context, tenant int64) (products []ProductState, err error) {
	const query = `SELECT p.name, p.address, p.phase, p.mode, p.policy_group, p.conflict, p.changing, p.change_group,
		p.change_empty, p.change_stage, p.settle_at, p.sequence, p.purchased, p.enforce, p.used, COALESCE(g.name, ''),
		(SELECT COUNT(*) FROM jobs j WHERE j.product = p.id AND j.kind = 'apply')
		FROM products p LEFT JOIN groups g ON g.tenant = p.tenant AND g.ref = p.policy_group
		WHERE p.tenant = $1 ORDER BY p.name`
	rows, err := r.db.QueryContext(ctx, query, tenant)
	err = eachRow(query, rows, err, func(row scanner) error {
		var (
			p        ProductState
			changing bool
			change   licensing.Change
			jobs     int
		)
		err := row.Scan(&p.ID, &p.Address, &p.State.Phase, &p.State.Policy.Mode, &p.State.Policy.Group, &p.State.Conflict,
			&changing, &change.Group, &change.Empty, &change.Stage, scanMicros(&change.SettleAt), &p.Sequence,
			&p.Seats.Purchased, &p.Seats.Enforce, &p.Licensed, &p.GroupName, &jobs)
		if changing {
			p.State.Change = &change
		}
		p.Redeciding = jobs > 0
		products = append(products, p)
		return err
	})
	return products, err
}

// Freshness is how old what is known may be: now minus the begin of the last good round or complete snapshot, whichever
// is later. It is false where there was none.
func (t TenantState) Freshness(now time.Time) (time.Duration, bool) {
	latest := t.RoundBegan
	if t.SnapshotAt.After(latest) {
		latest = t.SnapshotAt
	}
	return now.Sub(latest), !latest.IsZero()
}
