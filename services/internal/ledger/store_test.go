package ledger_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

func tenantsAreStoredWhole(t *testing.T, b ledgertest.Backend) {
	address := b.Address(t)
	l := open(t, address)
	var want ledger.Tenant
	update(t, l, func(tx *ledger.Tx) error {
		want = tenant(t, tx)
		if want.Ready() || !want.RoundBegan.IsZero() || tx.RowsWritten() != 1 {
			t.Errorf("a new tenant: %+v, %d rows", want, tx.RowsWritten())
		}
		want.Seen, want.Snapshot = directory.Stamp{Epoch: 1 << 40, Counter: 1 << 40}, at(7)
		want.SnapshotAt, want.RoundBegan, want.RereadAt = nine, nine.Add(time.Microsecond), nine.AddDate(200, 0, 0)
		want.Granted, want.Revoked, want.Removed = 1<<40, 2, 3
		want.RereadDue, want.StaleSince, want.Stale = nine.Add(time.Minute), nine.Add(time.Hour), at(6)
		_, err := tx.Tenant("Alpha") // by bytes, before "contoso"
		if err != nil {
			return err
		}
		return tx.SaveTenant(want)
	})
	update(t, l, func(tx *ledger.Tx) error {
		if diff := cmp.Diff(want, tenant(t, tx)); diff != "" {
			t.Errorf("by name (-want +got):\n%s", diff)
		}
		got, err := tx.TenantByID(want.ID)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("by id (-want +got), %v:\n%s", err, diff)
		}
		names, err := tx.TenantNames()
		if err != nil || !cmp.Equal(names, []string{"Alpha", "contoso"}) {
			t.Errorf("names %v, %v", names, err)
		}
		return nil
	})
	r, err := ledger.OpenReader(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Tenant(t.Context(), "contoso")
	if diff := cmp.Diff(want, got.Tenant); diff != "" || err != nil {
		t.Errorf("read (-want +got), %v:\n%s", err, diff)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func staleTenantsAreFound(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	update(t, l, func(tx *ledger.Tx) error {
		here, err := tx.Tenant("contoso")
		must(t, err)
		other, err := tx.Tenant("initech")
		must(t, err)
		here.Part, here.RereadDue, here.StaleSince = 3, nine.Add(time.Minute), nine
		other.Part, other.RereadDue = 4, nine
		must(t, tx.SaveTenant(here), tx.SaveTenant(other))
		at, err := tx.NextTimer(3)
		same(t, "the next full read", here.RereadDue, at, err)
		if due, found, err := tx.DueReread(3, nine); found || err != nil {
			t.Errorf("too early: %+v, %v, %v", due, found, err)
		}
		due, found, err := tx.DueReread(3, nine.Add(time.Minute))
		if same(t, "the tenant to read", here, due, err); !found {
			t.Error("no full read is due")
		}
		return nil
	})
	all, err := l.Reader().Stale(t.Context())
	same(t, "stale", map[string]time.Time{"contoso": nine}, all, err)
}

func snapshotsWaitForTheirProofs(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		here.Granted, here.Revoked, here.Removed = 4, 5, 6
		s, err := tx.Snapshot(here, "s1")
		if err != nil {
			return err
		}
		here.Granted = 40 // counts as it began
		s.Pages, s.Ended, s.Unproven = 3, true, 1
		for _, write := range []error{
			tx.SaveSnapshot(s), tx.AwaitProof(s, "r1"), tx.AwaitProof(s, "r1"), tx.AwaitProof(s, "r2"),
		} {
			if write != nil {
				return write
			}
		}
		again, err := tx.Snapshot(here, "s1")
		want := ledger.Snapshot{Tenant: here.ID, Ref: "s1", Pages: 3, Ended: true, Unproven: 1, GrantedUntil: 4, RevokedUntil: 5, RemovedUntil: 6}
		if diff := cmp.Diff(want, again); diff != "" || err != nil {
			t.Errorf("stored (-want +got), %v:\n%s", err, diff)
		}
		if _, err := tx.Snapshot(here, "abandoned"); err != nil {
			return err
		}
		done := func(when string, want ...ledger.Snapshot) {
			t.Helper()
			got, err := tx.DoneSnapshots(here)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("done %s (-want +got), %v:\n%s", when, err, diff)
			}
		}
		came := func(request string, want bool) {
			t.Helper()
			if got, err := tx.ProofCame(here.ID, request); err != nil || got != want {
				t.Errorf("%s came: %v, %v", request, got, err)
			}
		}
		done("with two proofs to come")
		came("r1", true)
		came("r1", false)
		came("never asked", false)
		done("with one to come")
		came("r2", true)
		done("with all of them", want)
		if err := tx.DropAbandoned(here); err != nil {
			return err
		}
		if s, err := tx.Snapshot(here, "abandoned"); err != nil || s.GrantedUntil != 40 {
			t.Errorf("abandoned, and begun again: %+v, %v", s, err)
		}
		if err := tx.AwaitProof(s, "r3"); err != nil {
			return err
		}
		if err := tx.DropSnapshot(s); err != nil {
			return err
		}
		came("r3", false)
		done("and dropped")
		return nil
	})
}

func outboxKeepsItsOrder(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	event := func(n int) ledger.Outgoing {
		return ledger.Outgoing{Stream: "LICENSES", Subject: "license.x", EventID: fmt.Sprint(n), Body: []byte{0, byte(n), 0xff}}
	}
	put := func(from, to int) {
		t.Helper()
		update(t, l, func(tx *ledger.Tx) error {
			if tx.Emitted() {
				t.Error("emitted before it did")
			}
			for n := from; n <= to; n++ {
				if err := tx.Emit(event(n)); err != nil {
					return err
				}
			}
			if !tx.Emitted() || tx.RowsWritten() != int64(to-from+1) {
				t.Errorf("emitted %v, %d rows", tx.Emitted(), tx.RowsWritten())
			}
			return nil
		})
	}
	last := int64(0)
	expect := func(limit int, want ...int) (ids []int64) {
		t.Helper()
		got, err := l.Outbox(t.Context(), limit)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d in the outbox, want %d: %v", len(got), len(want), err)
		}
		for i, o := range got {
			if w := event(want[i]); o.ID <= 0 || i > 0 && o.ID <= got[i-1].ID || o.EventID != w.EventID || !bytes.Equal(o.Body, w.Body) || o.Subject != w.Subject || o.Stream != w.Stream {
				t.Errorf("number %d: %+v", i, o)
			}
			ids = append(ids, o.ID)
		}
		return ids
	}
	before := l.RowsWritten()
	put(1, 3)
	put(4, 5)
	expect(2, 1, 2)
	ids := expect(9, 1, 2, 3, 4, 5)
	if depth, err := l.OutboxDepth(t.Context()); err != nil || depth != 5 || l.RowsWritten() != before+5 {
		t.Errorf("depth %d, %v; %d rows", depth, err, l.RowsWritten()-before)
	}
	update(t, l, func(tx *ledger.Tx) error { return tx.Sent(append(ids[1:], -1)) })
	expect(9, 1)
	update(t, l, func(tx *ledger.Tx) error { return tx.Sent(ids[:1]) })
	expect(9)
	last = ids[4]
	put(6, 6)
	if again := expect(9, 6); again[0] <= last {
		t.Errorf("id %d came twice", again[0])
	}
}

func positionsAreOfOneStream(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	if p, found, err := l.Position(t.Context(), "LEDGER_IN", 3); found || err != nil {
		t.Errorf("before there is one: %+v, %v", p, err)
	}
	want := ledger.Position{Stream: "LEDGER_IN", Part: 3, Created: nine, Sequence: 1 << 40}
	update(t, l, func(tx *ledger.Tx) error {
		for range 2 {
			if _, found, err := tx.Position("LEDGER_IN", 3); found || err != nil {
				t.Errorf("before there is one: %v, %v", found, err)
			}
		}
		if err := tx.SavePosition(ledger.Position{Stream: "LEDGER_IN", Part: ledger.Written, Created: nine, Sequence: 1}); err != nil {
			return err
		}
		return tx.SavePosition(want)
	})
	update(t, l, func(tx *ledger.Tx) error {
		got, found, err := tx.Position("LEDGER_IN", 3)
		if diff := cmp.Diff(want, got); diff != "" || !found || err != nil {
			t.Errorf("locked (-want +got), %v, %v:\n%s", found, err, diff)
		}
		return nil
	})
	got, found, err := l.Position(t.Context(), "LEDGER_IN", 3)
	if diff := cmp.Diff(want, got); diff != "" || !found || err != nil {
		t.Errorf("read (-want +got), %v, %v:\n%s", found, err, diff)
	}
	if !got.Of(nine) || got.Of(nine.Add(time.Microsecond)) {
		t.Error("it does not know its stream")
	}
}
