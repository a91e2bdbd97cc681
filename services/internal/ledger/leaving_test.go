package ledger_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// whoLeavesIsDecidedAboutLater: at the latest when its time is over, at the earliest when a round has shown the rest.
func whoLeavesIsDecidedAboutLater(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, here ledger.Tenant, p ledger.Product) {
		leaves := func(user int64, seen time.Duration, cause string) {
			t.Helper()
			at := nine.Add(seen)
			must(t, tx.PutLeaving(ledger.Leaving{Product: p.ID, User: user, SeenAt: at, Cause: cause, DecideAt: at.Add(time.Minute)}))
		}
		due := func(after time.Duration) string {
			t.Helper()
			l, of, found, err := tx.DueLeaving(3, nine.Add(after))
			must(t, err)
			if found && (l.Product != p.ID || of != here.ID) {
				t.Errorf("of product %d of tenant %d", l.Product, of)
			}
			return l.Cause
		}
		take := func(cause string, after time.Duration, want ...int64) {
			t.Helper()
			users, err := tx.TakeLeaving(p.ID, cause, nine.Add(after))
			same(t, "by "+cause, want, users, err)
		}
		leaving := func(want bool, after time.Duration) {
			t.Helper()
			got, err := tx.AwaitsRound(here.ID, nine.Add(after))
			same(t, "a round is awaited", want, got, err)
		}
		left := func(want bool, before, now time.Duration) {
			t.Helper()
			others, err := tx.Left(p.ID, nine.Add(before), nine.Add(now))
			same(t, "others leave", want, others, err)
		}
		leaving(false, 0)
		leaves(2, 0, "first")
		leaves(1, 0, "first")
		leaves(3, 2*time.Second, "second")
		leaves(2, 3*time.Second, "third")
		leaving(true, time.Minute)
		leaving(false, time.Minute+3*time.Second)
		leaving(true, 0)
		leaving(false, -time.Microsecond)
		same(t, "due before", "", due(time.Minute-time.Microsecond), nil)
		same(t, "due in time", "first", due(time.Minute), nil)
		if _, _, found, err := tx.DueLeaving(4, nine.Add(time.Hour)); found || err != nil {
			t.Errorf("of another partition: %v, %v", found, err)
		}
		next, err := tx.NextTimer(3)
		same(t, "the next", nine.Add(time.Minute), next, err)

		left(true, 0, 4*time.Second) // a round that began when the first were seen may not have shown what was true then
		same(t, "due by that", "", due(4*time.Second), nil)
		left(true, 3*time.Second, 5*time.Second)
		next, err = tx.NextTimer(3)
		same(t, "the next after a round", nine.Add(5*time.Second), next, err)
		same(t, "due by a round", "first", due(5*time.Second), nil)
		take("third", 5*time.Second)
		take("first", 5*time.Second, 1)
		take("second", 5*time.Second, 3)
		same(t, "due then", "", due(5*time.Second), nil)
		left(false, 4*time.Second, 6*time.Second)
		take("third", 6*time.Second, 2)
		leaving(false, 0)
		leaves(2, 0, "fourth")
		must(t, tx.LeavesAgain(2, nine.Add(7*time.Second)))
		must(t, tx.LeavesAgain(2, nine.Add(6*time.Second))) // told late
		must(t, tx.LeavesAgain(1, nine.Add(6*time.Second))) // who is not leaving
		left(true, 7*time.Second, 8*time.Second)
		left(false, 8*time.Second, 9*time.Second)
		some := func(want bool) {
			t.Helper()
			got, err := tx.Leaving(p.ID)
			same(t, "somebody is leaving", want, got, err)
		}
		some(true)
		take("fourth", 9*time.Second, 2)
		some(false)

		all := func(want bool) {
			t.Helper()
			got, err := tx.AllLeaving(p.ID)
			same(t, "all are leaving", want, got, err)
		}
		leaves(1, 0, "fourth")
		all(false)
		leaves(ledger.AllUsers, 0, "fourth")
		all(true)
		take("fourth", time.Minute, ledger.AllUsers, 1)
		leaves(ledger.AllUsers, 0, "fourth")
		must(t, tx.DropLeaving(p.ID))
		leaving(false, 0)
	})
}
