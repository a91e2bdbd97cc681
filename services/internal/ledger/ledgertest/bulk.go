package ledgertest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Bulk is a tenant as it stands after its first full read. Its users are called by UserRef, from 1 on; all rows have the
// stamp (1, 1).
type Bulk struct {
	Tenant  string
	Product string
	Domain  string // its users have an address in it
	Group   string // the provider's id of the provisioning group, which is in force; empty: there is none
	Address string // of that group, or of one to come
	Users   int
	Members int // the first so many users are in the group, and licensed; without a group all are licensed
	At      time.Time
}

// UserRef is the provider's id of a user of a Bulk.
func UserRef(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

// Load puts a large tenant into a ledger, past the ledger's own code: a million users in about 20 seconds. Nobody
// may write the ledger meanwhile.
func Load(tb testing.TB, address string, b Bulk) {
	tb.Helper()
	ctx := context.Background()
	if l, err := ledger.Open(ctx, address); err != nil { // makes the tables
		tb.Fatal(err)
	} else if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	db, err := openRaw(address)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if strings.HasPrefix(address, "postgres") { // the rows fit together: their references need no look, where we may do without
		if _, err := tx.ExecContext(ctx, `SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles
			WHERE rolname = current_user AND rolsuper`); err != nil {
			tb.Fatal(err)
		}
	}
	if err := b.load(ctx, tx); err != nil {
		tb.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	if strings.HasPrefix(address, "postgres") { // which does so by itself, as SQLite does not
		if _, err := db.ExecContext(ctx, "ANALYZE"); err != nil {
			tb.Fatal(err)
		}
	}
}

// openRaw opens a database past the ledger, with nothing that makes it slow.
func openRaw(address string) (*sql.DB, error) {
	if strings.HasPrefix(address, "postgres") {
		return sql.Open("pgx", address)
	}
	path := strings.TrimPrefix(address, "sqlite:")
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=synchronous(OFF)&_pragma=cache_size(-200000)")
}

func (b Bulk) load(ctx context.Context, tx *sql.Tx) (err error) {
	mode, reason, licensed := "group-members", "group-member", b.Members
	if b.Group == "" {
		mode, reason, licensed = "all-users", "domain-default", b.Users
	}
	insert := func(query string, args ...any) (id int64) {
		if err == nil {
			err = tx.QueryRowContext(ctx, query, args...).Scan(&id)
		}
		return id
	}
	at := b.At.UnixMicro()
	tenant := insert(`INSERT INTO tenants (name, seen_epoch, seen_counter, snapshot_epoch, snapshot_counter, snapshot_at, round_began, granted)
		VALUES ($1, 1, 1, 1, 1, $2, $2, $3) RETURNING id`, b.Tenant, at, licensed)
	product := insert(`INSERT INTO products (tenant, name, address, phase, mode, policy_group, sequence, used)
		VALUES ($1, $2, $3, 'in-force', $4, $5, $6, $7) RETURNING id`,
		tenant, b.Product, b.Address, mode, b.Group, licensed+1, licensed)
	path := ""
	var steps []step
	if b.Group != "" {
		group := insert(`INSERT INTO groups (tenant, ref, name, name_key, addresses, kind, state, epoch, counter)
			VALUES ($1, $2, $2, LOWER($2), $3, 'security', 'live', 1, 1) RETURNING id`, tenant, b.Group, b.Address)
		path = fmt.Sprint(group)
		steps = []step{
			{`INSERT INTO group_addresses (tenant, address, group_id) VALUES ($1, $2, $3)`, []any{tenant, b.Address, group}},
			{`INSERT INTO memberships (group_id, kind, member, present, epoch, counter)
				SELECT CAST($2 AS BIGINT), 1, id, 1, 1, 1 FROM users WHERE tenant = $1 ORDER BY id LIMIT $3`, []any{tenant, group, b.Members}},
		}
	}
	if err != nil {
		return fmt.Errorf("load the tenant: %w", err)
	}
	for _, s := range append([]step{
		{`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
			INSERT INTO users (tenant, ref, name, name_key, addresses, address_key, status, epoch, counter)
			SELECT CAST($1 AS BIGINT), '00000000-0000-4000-8000-' || SUBSTR(CAST(1000000000000 + i AS TEXT), 2), 'User ' || CAST(i AS TEXT),
			'user ' || CAST(i AS TEXT), 'user' || CAST(i AS TEXT) || '@' || $2, 'user' || CAST(i AS TEXT) || '@' || $2, 'active', 1, 1 FROM n`, []any{tenant, b.Domain, b.Users}},
		{`INSERT INTO user_addresses (tenant, address, user_id) SELECT tenant, addresses, id FROM users WHERE tenant = $1`, []any{tenant}},
		{`INSERT INTO entitlements (product, user_id, licensed, since, reason, path, sequence)
			SELECT CAST($2 AS BIGINT), id, 1, CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT), 1 + ROW_NUMBER() OVER (ORDER BY id)
			FROM users WHERE tenant = $1 ORDER BY id LIMIT $6`, []any{tenant, product, at, reason, path, licensed}},
		{`INSERT INTO history (product, user_id, sequence, from_at, licensed, reason, path, cause)
			SELECT product, user_id, sequence, since, licensed, reason, path, 'bulk' FROM entitlements WHERE product = $1`, []any{product}},
	}, steps...) {
		if _, err := tx.ExecContext(ctx, s.query, s.args...); err != nil {
			return fmt.Errorf("run %q: %w", s.query, err)
		}
	}
	return nil
}

// step is a statement that fills a table.
type step struct {
	query string
	args  []any
}
