package apply_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// The law of cost: a membership change writes the same rows, and takes about the same time, however large the group.
func BenchmarkMembershipChange(b *testing.B) {
	for _, users := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			h := largeTenant(b, users)
			rows := int64(0)
			stamp := uint64(1_000_000)
			b.ResetTimer()
			for i := range b.N {
				stamp++
				h.page("contoso", stamp, member("g", userID(i/2%users), i%2 == 1))
				rows += h.last.Rows
			}
			b.StopTimer()
			b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
		})
	}
}

func TestMembershipChangeWritesTheSameRowsInAnyTenant(t *testing.T) {
	t.Parallel()
	var rows []int64
	for _, users := range []int{10, 2_000} {
		h := largeTenant(t, users)
		h.page("contoso", 1_000_000, member("g", userID(5), false))
		rows = append(rows, h.last.Rows)
	}
	// Position, membership, end of a period, begin of another, entitlement, usage, outbox, product, tenant.
	if rows[0] != 11 || rows[1] != 11 {
		t.Errorf("rows written: %v, want 11 and 11", rows)
	}
}

func userID(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

// largeTenant has all its users in its provisioning group.
func largeTenant(tb testing.TB, users int) *harness {
	tb.Helper()
	h := newHarness(tb, contoso())
	h.chunk = 1000
	h.restart()
	const size = 500
	pages, stamp := 0, uint64(1)
	for from := 0; from < users; from += size {
		observations := []directory.Observation{group("g", address)}
		for i := from; i < min(from+size, users); i++ {
			observations = append(observations, person(userID(i)), member("g", userID(i), true))
		}
		stamp++
		h.snapshotPage("contoso", "s1", stamp, observations...)
		pages++
	}
	h.snapshotEnded("contoso", "s1", 1, pages, "g")
	for {
		more, _, err := h.applier.Tick(context.Background(), apply.Owner{})
		if err != nil {
			tb.Fatal(err)
		}
		h.clear()
		if !more {
			return h
		}
	}
}

// clear empties the outbox without a look at it.
func (h *harness) clear() {
	h.t.Helper()
	h.cleared = true
	out, err := h.ledger.Outbox(context.Background(), 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	ids := make([]int64, len(out))
	for i, o := range out {
		ids[i] = o.ID
	}
	if err := h.ledger.Update(context.Background(), func(tx *ledger.Tx) error { return tx.Sent(ids) }); err != nil {
		h.t.Fatal(err)
	}
}
