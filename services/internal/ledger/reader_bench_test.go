package ledger_test

import (
	"context"
	"database/sql"
	"runtime"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// BenchmarkReadersOfAMillion reads a product with a million users who were licensed, named by another reason, and of whom
// every tenth was revoked: 2.1 million periods. What it reports as heap is what a reader holds at most.
func BenchmarkReadersOfAMillion(b *testing.B) {
	path := b.TempDir() + "/ledger.db"
	l, err := ledger.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	fillMillion(b, path)
	r := l.Reader()
	for name, read := range map[string]func(context.Context, func()) error{
		"licenses": func(ctx context.Context, one func()) error {
			return r.Licenses(ctx, "contoso", "p", nine.Add(24*time.Hour), func(ledger.License) error { one(); return nil })
		},
		"seats": func(ctx context.Context, one func()) error {
			return r.SeatsMoments(ctx, "contoso", "p", func(ledger.SeatsMoment) error { one(); return nil })
		},
		"audit of the last": func(ctx context.Context, one func()) error {
			q := ledger.AuditQuery{Tenant: "contoso", Since: time.UnixMicro(2_099_000).Add(nine.Sub(time.UnixMicro(0)))}
			return r.Audit(ctx, q, func(ledger.Audited) error { one(); return nil })
		},
		"audit of a user": func(ctx context.Context, one func()) error {
			return r.Audit(ctx, ledger.AuditQuery{Tenant: "contoso", User: "u500000"}, func(ledger.Audited) error { one(); return nil })
		},
		"list of a held change": func(ctx context.Context, one func()) error {
			h, err := r.HeldChange(ctx, "contoso", "p", "flip-1")
			for after := int64(0); err == nil; {
				page, e := r.HeldLines(ctx, h, after, 1000)
				if err = e; len(page) == 0 {
					break
				}
				for _, line := range page {
					one()
					after = line.Number
				}
			}
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			rows, peak := 0, uint64(0)
			for b.Loop() {
				err := read(b.Context(), func() {
					if rows++; rows%100_000 == 0 {
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						peak = max(peak, m.HeapAlloc)
					}
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
			b.ReportMetric(float64(peak)/(1<<20), "heap-MiB")
		})
	}
}

func fillMillion(b *testing.B, path string) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const users = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) `
	at := nine.UnixMicro()
	for _, statement := range []string{
		`INSERT INTO tenants (id, name) VALUES (1, 'contoso')`,
		`INSERT INTO products (id, tenant, name, address) VALUES (1, 1, 'p', 'p@contoso.com')`,
		`INSERT INTO held (id, product, ref, kind, state, revision) VALUES (1, 1, 'flip-1', 'flip', 'open', 1)`,
		users + `INSERT INTO users (id, tenant, ref, name, addresses, status)
			SELECT i, 1, 'u' || i, 'User ' || i, 'u' || i || '@contoso.com', 'active' FROM n`,
		users + `INSERT INTO history (product, user_id, sequence, from_at, to_at, licensed, reason, path, cause)
			SELECT 1, i, i, $1 + i, $1 + i + 1000000, 1, 'domain-default', '', 'contoso.1-1.0' FROM n
			UNION ALL SELECT 1, i, i + 1000000, $1 + i + 1000000, NULL, 1, 'group-member', '', 'contoso.p.1' FROM n
			UNION ALL SELECT 1, i, i + 2000000, $1 + i + 2000000, NULL, 0, 'not-a-member', '', 'contoso.p.1' FROM n WHERE i % 10 = 0
			ORDER BY 2, 3`,
		users + `INSERT INTO held_users (held, user_id, revision, listed, licensed, reason) SELECT 1, i, 1, 1, 0, 'not-a-member' FROM n`,
	} {
		if _, err := db.ExecContext(b.Context(), statement, at); err != nil {
			b.Fatal(err)
		}
	}
}
