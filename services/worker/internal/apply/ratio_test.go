package apply_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// durable are databases that write through to the disk, as in production.
func durable(b *testing.B) map[string]func() string {
	b.Helper()
	return map[string]func() string{
		"sqlite":   func() string { return b.TempDir() + "/ledger.db" },
		"postgres": func() string { return ledgertest.Durable(b) },
	}
}

// bulk is contoso with half of its users in the provisioning group.
func bulk(users int) ledgertest.Bulk {
	return ledgertest.Bulk{
		Tenant: "contoso", Product: "secure-share", Domain: "contoso.com", Group: "g", Address: address,
		Users: users, Members: users / 2, At: began,
	}
}

func loaded(b *testing.B, address string, users int) *harness {
	b.Helper()
	ledgertest.Load(b, address, bulk(users))
	h := newHarnessAt(b, address, eventtest.Shared(b), contoso())
	b.Cleanup(h.close)
	return h
}

// One membership change costs the same in a small tenant and in a large one: go test -run '^$' -bench ChangeByTenantSize.
// The two are changed in turn, so that a machine that drifts does not tell.
func BenchmarkChangeByTenantSize(b *testing.B) {
	sizes := []int{1_000, 1_000_000}
	for name, open := range durable(b) {
		b.Run(name, func(b *testing.B) {
			var harnesses []*harness
			took := make([][]time.Duration, len(sizes))
			for _, users := range sizes {
				harnesses = append(harnesses, loaded(b, open(), users))
			}
			stamp := uint64(10)
			for n := 0; b.Loop(); n++ {
				for i, h := range harnesses {
					stamp++
					o := member("g", ledgertest.UserRef(1+n*7919%sizes[i]/2), n%2 == 1)
					begun := time.Now()
					h.page("contoso", stamp, o)
					took[i] = append(took[i], time.Since(begun))
				}
			}
			for i := range took {
				slices.Sort(took[i])
			}
			p50 := func(i int) float64 { return float64(took[i][len(took[i])/2].Microseconds()) }
			b.ReportMetric(p50(0), "p50-µs-small")
			b.ReportMetric(p50(1), "p50-µs-large")
			b.ReportMetric(p50(1)/p50(0), "large/small")
		})
	}
}

// batchSize is how many changes a page of the batch benchmark has.
const batchSize = 500

// Batches of changes, with all that follows from them, against bare upserts of the same rows into the same database by the
// same driver: go test -run '^$' -bench BatchesAgainstUpserts. Pages and bare batches take turns.
func BenchmarkBatchesAgainstUpserts(b *testing.B) {
	const users = 100_000
	for name, open := range durable(b) {
		b.Run(name, func(b *testing.B) {
			h := loaded(b, open(), users)
			bare := newBare(b, name, open(), users)
			var ours, theirs time.Duration
			changes, stamp := 0, uint64(10)
			for n := 0; b.Loop(); n++ {
				stamp++
				var page []directory.Observation
				for i := range batchSize {
					page = append(page, member("g", ledgertest.UserRef(1+(n*batchSize+i)%users), n*batchSize/users%2 == 1 != (n*batchSize%users >= users/2)))
				}
				begun := time.Now()
				h.page("contoso", stamp, page...)
				ours += time.Since(begun)
				rows := int(h.last.Rows)
				begun = time.Now()
				bare.batch(b, n, stamp, page)
				theirs += time.Since(begun)
				if decided := h.last.Decisions[event.TypeLicenseGranted] + h.last.Decisions[event.TypeLicenseRevoked]; decided != batchSize {
					b.Fatalf("%d of %d changes were decided, %d rows", decided, batchSize, rows)
				}
				changes += batchSize
				h.clock.Advance(time.Hour) // never a bulk
			}
			b.ReportMetric(float64(changes)/ours.Seconds(), "changes/s")
			b.ReportMetric(float64(changes)/theirs.Seconds(), "upserts/s")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
		})
	}
}

// bare writes what a change writes, and nothing else: five rows by prepared statements, a batch in a transaction.
type bare struct {
	db    *sql.DB
	stmts []*sql.Stmt
	body  []byte
}

func newBare(b *testing.B, name, address string, users int) *bare {
	b.Helper()
	ledgertest.Load(b, address, bulk(users))
	driver, source := "pgx", address
	if name == "sqlite" {
		driver, source = "sqlite", "file:"+address+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(16000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { _ = db.Close() })
	w := &bare{db: db, body: []byte(strings.Repeat("x", 700))}
	for _, query := range []string{
		`INSERT INTO memberships (group_id, kind, member, present, epoch, counter) VALUES (1, 1, $1, $2, 1, $3)
			ON CONFLICT (group_id, kind, member) DO UPDATE SET present = excluded.present, counter = excluded.counter`,
		`UPDATE history SET to_at = $1 WHERE product = 1 AND user_id = $2 AND to_at IS NULL`,
		`INSERT INTO history (product, user_id, sequence, from_at, licensed, reason, path, cause) VALUES (1, $1, $2, $3, $4, 'group-member', '1', 'in.1')`,
		`INSERT INTO entitlements (product, user_id, licensed, since, reason, path, sequence) VALUES (1, $1, $2, $3, 'group-member', '1', $4)
			ON CONFLICT (product, user_id) DO UPDATE SET licensed = excluded.licensed, since = excluded.since, sequence = excluded.sequence`,
		`INSERT INTO outbox (stream, subject, event_id, body) VALUES ('LICENSES', $1, $2, $3)`,
	} {
		stmt, err := db.PrepareContext(context.Background(), query)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = stmt.Close() })
		w.stmts = append(w.stmts, stmt)
	}
	return w
}

func (w *bare) batch(b *testing.B, n int, stamp uint64, page []directory.Observation) {
	b.Helper()
	ctx := context.Background()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		b.Fatal(err)
	}
	at := time.Now().UnixMicro()
	for i, o := range page {
		var user int64
		if _, err := fmt.Sscanf(o.Membership.ID[24:], "%d", &user); err != nil {
			b.Fatal(err)
		}
		present := 0
		if o.Membership.Present {
			present = 1
		}
		sequence := int64(1_000_000 + n*batchSize + i)
		id := fmt.Sprintf("contoso.secure-share.%d", sequence)
		for s, args := range [][]any{
			{user, present, int64(stamp)},
			{at, user},
			{user, sequence, at, present},
			{user, present, at, sequence},
			{"license.contoso.secure-share.user." + o.Membership.ID, id, w.body},
		} {
			if _, err := tx.StmtContext(ctx, w.stmts[s]).ExecContext(ctx, args...); err != nil { //nolint:sqlclosecheck // it ends with the transaction
				b.Fatal(err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}
