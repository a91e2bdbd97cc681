package ledger_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// BenchmarkReadersOfAMillion reads a tenant of a million users, all licensed and all on the list of a held change. What it
// reports as heap is what a reader holds at most.
func BenchmarkReadersOfAMillion(b *testing.B) {
	const users = 1_000_000
	for _, backend := range ledgertest.Backends() {
		b.Run(backend.Name, func(b *testing.B) {
			address := backend.Address(b)
			ledgertest.Load(b, address, ledgertest.Bulk{
				Tenant: "contoso", Product: "p", Domain: "contoso.com", Group: "g", Address: "g@contoso.com", Users: users, Members: users, At: nine,
			})
			l, err := ledger.Open(b.Context(), address)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			holdAll(b, l)
			readAll(b, l.Reader())
		})
	}
}

// holdAll puts everybody on a list.
func holdAll(b *testing.B, l *ledger.Ledger) {
	b.Helper()
	err := l.Update(b.Context(), func(tx *ledger.Tx) error {
		t, err := tx.Tenant("contoso")
		if err != nil {
			return err
		}
		held, err := tx.AddHeld(ledger.Held{Product: 1, Ref: "flip-1", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 1})
		for after := int64(0); err == nil; {
			page, e := tx.UsersAfter(t.ID, after, 10_000)
			if err = e; len(page) == 0 {
				break
			}
			for _, u := range page {
				if err := tx.PutHeldUser(held.ID, ledger.HeldUser{User: u.ID, Revision: 1, Listed: true, Reason: "not-a-member"}); err != nil {
					return err
				}
				after = u.ID
			}
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

func readAll(b *testing.B, r *ledger.Reader) {
	for name, read := range map[string]func(context.Context, func()) error{
		"licenses": func(ctx context.Context, one func()) error {
			return r.Licenses(ctx, "contoso", "p", nine.Add(time.Hour), func(ledger.License) error { one(); return nil })
		},
		"seats": func(ctx context.Context, one func()) error {
			return r.SeatsMoments(ctx, "contoso", "p", func(ledger.SeatsMoment) error { one(); return nil })
		},
		"a page of an audit": func(ctx context.Context, one func()) error {
			q := ledger.AuditQuery{Tenant: "contoso", Since: nine.Add(time.Second)}
			return r.Audit(ctx, q, func(ledger.Audited) error { one(); return nil })
		},
		"audit of a user": func(ctx context.Context, one func()) error {
			q := ledger.AuditQuery{Tenant: "contoso", User: ledgertest.UserRef(500_000)}
			return r.Audit(ctx, q, func(ledger.Audited) error { one(); return nil })
		},
		"audit of all": func(ctx context.Context, one func()) error {
			return r.Audit(ctx, ledger.AuditQuery{Tenant: "contoso"}, func(ledger.Audited) error { one(); return nil })
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
