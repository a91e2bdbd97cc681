package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

var nine = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// people puts users into a tenant, in order.
func people(t *testing.T, l *ledger.Ledger, users ...directory.User) {
	t.Helper()
	update(t, l, func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant("contoso")
		if err != nil {
			return err
		}
		for i, u := range users {
			if _, err := tx.PutUser(tenant, u, ledger.Evidence{Stamp: at(uint64(i) + 1)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func someone(id string, status directory.Status, addresses ...string) directory.User {
	return directory.User{ID: id, Name: "Some " + id, Addresses: addresses, Status: status}
}

func findUsers(t *testing.T, b ledgertest.Backend) {
	path := b.Address(t)
	l := open(t, path)
	people(t, l,
		someone("1", directory.Active, "ann@contoso.com", "shared@contoso.com"),
		someone("2", directory.Suspended, "bob@contoso.com", "shared@contoso.com"),
		someone("3", directory.Active, "old@contoso.com"), someone("3", directory.Deleted),
		someone("4", directory.Active, "old@contoso.com"),
		someone("5", directory.Active, "five@contoso.com"), someone("5", directory.Active, "six@contoso.com"),
	)
	r, err := ledger.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for _, c := range []struct {
		ref, want string
		err       error
	}{
		{"1", "1", nil},
		{" ANN@contoso.com", "1", nil},
		{"bob@contoso.com", "2", nil},
		{"shared@contoso.com", "", ledger.ErrManyUser},
		{"3", "3", nil},               // by id, a deleted user is found
		{"old@contoso.com", "4", nil}, // by address, only one who is there
		{"five@contoso.com", "", ledger.ErrNoUser},
		{"six@contoso.com", "5", nil},
		{"nobody@contoso.com", "", ledger.ErrNoUser},
		{"", "", ledger.ErrNoUser},
	} {
		u, err := r.FindUser(t.Context(), "contoso", c.ref)
		if !errors.Is(err, c.err) || u.ID != c.want {
			t.Errorf("%q: user %q, %v; want %q, %v", c.ref, u.ID, err, c.want, c.err)
		}
	}
	if _, err := r.FindUsers(t.Context(), "fabrikam", "1"); !errors.Is(err, ledger.ErrNoTenant) {
		t.Errorf("another tenant: %v", err)
	}
	deleted, err := r.FindUser(t.Context(), "contoso", "3")
	if err != nil || deleted.Status != directory.Deleted || deleted.Name != "Some 3" {
		t.Errorf("the tombstone: %+v, %v", deleted, err)
	}
}

func readerTellsDecisionsAndTheirHistory(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	people(t, l, someone("ann", directory.Active))
	update(t, l, func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant("contoso")
		if err != nil {
			return err
		}
		if _, err := tx.EnsureProduct(tenant.ID, "p", "p@contoso.com"); err != nil {
			return err
		}
		if _, err := tx.PutGroup(tenant, directory.Group{ID: "g", Name: "Group"}, ledger.Evidence{Stamp: at(1)}); err != nil {
			return err
		}
		first := ledger.Entitlement{Product: 1, User: 1, Licensed: true, Since: nine, Reason: "domain-default", Sequence: 2}
		if err := tx.Transition(nil, first, nine, "e1"); err != nil {
			return err
		}
		must(t, tx.RestoreActivation(1, 1, nine.Add(4*time.Hour)))
		for _, report := range []struct {
			hours  time.Duration
			counts bool
		}{{5, false}, {4, false}, {2, true}} {
			found, counts, err := tx.Activate(tenant.ID, 1, "ann", nine.Add(report.hours*time.Hour))
			if err != nil || !found || counts != report.counts {
				t.Errorf("activate after %d hours: %t, %t, %v", report.hours, found, counts, err)
			}
		}
		second := first
		second.Reason, second.Path, second.Sequence = "group-member", []int64{1}, 7
		return tx.Transition(&first, second, nine.Add(time.Hour), "e2")
	})
	r := l.Reader()
	ann, err := r.FindUser(t.Context(), "contoso", "ann")
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Entitlements(t.Context(), ann)
	want := []ledger.CurrentEntitlement{{Product: "p", Licensed: true, Since: nine, Reason: "group-member", Path: []string{"g"}, Sequence: 7}}
	if diff := cmp.Diff(want, all); diff != "" || err != nil {
		t.Errorf("entitlements (-want +got), %v:\n%s", err, diff)
	}
	decisions, err := r.Decisions(t.Context(), "contoso", "p")
	if diff := cmp.Diff(map[string]ledger.Current{"ann": {Licensed: true, Sequence: 7}}, decisions); diff != "" || err != nil {
		t.Errorf("decisions (-want +got), %v:\n%s", err, diff)
	}
	if none, err := r.Decisions(t.Context(), "contoso", "q"); err != nil || len(none) != 0 {
		t.Errorf("decisions for another product: %v, %v", none, err)
	}
	activated, err := r.Activations(t.Context(), ann)
	if diff := cmp.Diff(map[string]time.Time{"p": nine.Add(2 * time.Hour)}, activated); diff != "" || err != nil {
		t.Errorf("activations (-want +got), %v:\n%s", err, diff)
	}
	periods, err := r.History(t.Context(), ann, "")
	wantPeriods := []ledger.Period{
		{Product: "p", Licensed: true, Reason: "domain-default", From: nine, To: nine.Add(time.Hour), Cause: "e1", Sequence: 2},
		{Product: "p", Licensed: true, Reason: "group-member", Path: []string{"g"}, From: nine.Add(time.Hour), Cause: "e2", Sequence: 7},
	}
	if diff := cmp.Diff(wantPeriods, periods); diff != "" || err != nil {
		t.Errorf("history (-want +got), %v:\n%s", err, diff)
	}
	names, err := r.GroupNames(t.Context(), "contoso", []string{"g", "unknown"})
	if diff := cmp.Diff(map[string]string{"g": "Group"}, names); diff != "" || err != nil {
		t.Errorf("names (-want +got), %v:\n%s", err, diff)
	}
	state, err := r.Tenant(t.Context(), "contoso")
	if err != nil || state.Users != 1 || state.Groups != 1 || len(state.Products) != 1 || state.Products[0].Licensed != 0 {
		t.Errorf("tenant: %+v, %v", state, err)
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	var state ledger.TenantState
	if _, ok := state.Freshness(nine); ok {
		t.Error("nothing was ever read")
	}
	state.SnapshotAt = nine.Add(-time.Hour)
	state.RoundBegan = nine.Add(-time.Minute)
	if age, ok := state.Freshness(nine); !ok || age != time.Minute {
		t.Errorf("age %v, %v", age, ok)
	}
}

func readerSeesWhatIsCommittedWhileTheWriterWrites(t *testing.T, b ledgertest.Backend) {
	path := b.Address(t)
	l := open(t, path)
	people(t, l, someone("1", directory.Active))
	r, err := ledger.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	update(t, l, func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant("contoso")
		if err != nil {
			return err
		}
		if _, err := tx.PutUser(tenant, someone("2", directory.Active), ledger.Evidence{Stamp: at(9)}); err != nil {
			return err
		}
		found, err := r.FindUsers(t.Context(), "contoso", "2")
		if len(found) != 0 {
			t.Error("the reader sees what may yet be rolled back")
		}
		return err
	})
	if _, err := r.FindUser(t.Context(), "contoso", "2"); err != nil {
		t.Error(err)
	}
}

func TestOpenReaderSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{"no file": ledgertest.SQLite(t), "no tables": ledgertest.EmptyPostgres(t)} {
		if _, err := ledger.OpenReader(t.Context(), address); !errors.Is(err, ledger.ErrNoLedger) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ledger.OpenReader(t.Context(), "postgres://me@127.0.0.1:1/ledger"); err == nil || errors.Is(err, ledger.ErrNoLedger) {
		t.Errorf("no server: %v", err)
	}
	if _, err := ledger.Open(t.Context(), ""); err == nil {
		t.Error("no path")
	}
}

func newerSchemaIsRefused(t *testing.T, b ledgertest.Backend) {
	path := b.Address(t)
	l, err := ledger.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	raise(t, path)
	if _, err := ledger.Open(t.Context(), path); !errors.Is(err, ledger.ErrNewerSchema) {
		t.Errorf("writer: %v", err)
	}
	if _, err := ledger.OpenReader(t.Context(), path); !errors.Is(err, ledger.ErrNewerSchema) {
		t.Errorf("reader: %v", err)
	}
}

// raise makes a ledger look as if a later version had been there.
func raise(t *testing.T, address string) {
	t.Helper()
	if _, err := raw(t, address).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`); err != nil {
		t.Fatal(err)
	}
}

func productsAreStoredWhole(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	update(t, l, func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant("contoso")
		if err != nil {
			return err
		}
		for _, address := range []string{"a@contoso.com", "b@contoso.com"} {
			if changed, err := tx.EnsureProduct(tenant.ID, "p", address); err != nil || !changed {
				t.Errorf("%s: changed %v, %v", address, changed, err)
			}
		}
		products, err := tx.Products(tenant.ID)
		if err != nil {
			return err
		}
		want := products[0]
		if want.Address != "b@contoso.com" || want.Seats.Purchased != licensing.Unlimited {
			t.Errorf("a new product: %+v", want)
		}
		want.State = changeOf("g", nine)
		want.AskAt, want.Sequence, want.Readdressed, want.Exceeded = nine, 7, true, true
		want.Seats, want.Used, want.Line = licensing.Seats{Purchased: 5, Enforce: true}, 6, 3
		if err := tx.SaveProduct(want); err != nil {
			return err
		}
		if err := tx.SaveTenant(ledger.Tenant{ID: tenant.ID, Part: 3}); err != nil {
			return err
		}
		got, found, err := tx.DueRound(3, nine)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || !found || err != nil {
			t.Errorf("stored (-want +got), %v, %v:\n%s", found, err, diff)
		}
		if _, found, err := tx.DueRound(3, nine.Add(-time.Second)); found || err != nil {
			t.Errorf("due too early: %v, %v", found, err)
		}
		if _, found, err := tx.DueRound(4, nine); found || err != nil {
			t.Errorf("due in another partition: %v, %v", found, err)
		}
		if next, err := tx.NextTimer(3); err != nil || !next.Equal(nine) {
			t.Errorf("next round %v, %v", next, err)
		}
		return nil
	})
}
