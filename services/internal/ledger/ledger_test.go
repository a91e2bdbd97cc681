package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

func failedTransactionLeavesNothing(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	boom := errors.New("boom")
	err := l.Update(t.Context(), func(tx *ledger.Tx) error {
		if _, err := tx.Tenant("contoso"); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("Update returned %v, want the function's own error", err)
	}
	update(t, l, func(tx *ledger.Tx) error {
		names, err := tx.TenantNames()
		if len(names) != 0 {
			t.Errorf("tenants after a rollback: %v", names)
		}
		return err
	})
}

func cancelledTransactionLeavesTheLedgerUsable(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	ctx, cancel := context.WithCancel(t.Context())
	err := l.Update(ctx, func(tx *ledger.Tx) error {
		cancel()
		_, err := tx.Tenant("contoso")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Update returned %v, want the cancellation", err)
	}
	update(t, l, func(tx *ledger.Tx) error { _, err := tx.Tenant("contoso"); return err })
}

// On Postgres nothing can follow a statement that failed; so that no caller comes to count on it elsewhere, nothing does.
func failedStatementFailsTheTransaction(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	err := l.Update(t.Context(), func(tx *ledger.Tx) error {
		if _, err := tx.Tenant("contoso"); err != nil {
			return err
		}
		if _, err := tx.EnsureProduct(99, "p", "p@contoso.com"); err == nil {
			t.Error("a product of a tenant that is none")
		}
		return nil
	})
	if err == nil {
		t.Error("Update says that all stands")
	}
	if _, err := l.Reader().Tenant(t.Context(), "contoso"); !errors.Is(err, ledger.ErrNoTenant) {
		t.Errorf("a part of it stands: %v", err)
	}
}

func ledgerSurvivesReopening(t *testing.T, b ledgertest.Backend) {
	path := b.Address(t)
	l, err := ledger.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	update(t, l, func(tx *ledger.Tx) error { _, err := tx.Tenant("contoso"); return err })
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Update(t.Context(), func(*ledger.Tx) error { return nil }); err == nil {
		t.Error("a closed ledger takes a transaction")
	}
	update(t, open(t, path), func(tx *ledger.Tx) error {
		names, err := tx.TenantNames()
		if len(names) != 1 {
			t.Errorf("tenants after reopening: %v", names)
		}
		return err
	})
}

func stampsOrderWhatIsKnown(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	steps := []struct {
		name   string
		status directory.Status
		stamp  directory.Stamp
		want   ledger.Seen
	}{
		{"first", directory.Active, at(5), ledger.Changed},
		{"older is dropped", directory.Suspended, at(4), ledger.Stale},
		{"same again", directory.Active, at(5), ledger.Same},
		{"newer, same content", directory.Active, at(6), ledger.Same},
		{"now older than the moved stamp", directory.Suspended, at(5), ledger.Stale},
		{"newer", directory.Suspended, at(7), ledger.Changed},
		{"deleted", directory.Deleted, at(8), ledger.Changed},
		{"a tombstone stays against older news", directory.Active, at(7), ledger.Stale},
		{"a later epoch wins with a lower counter", directory.Active, directory.Stamp{Epoch: 2, Counter: 1}, ledger.Changed},
	}
	for _, step := range steps {
		update(t, l, func(tx *ledger.Tx) error {
			tenant, err := tx.Tenant("contoso")
			if err != nil {
				return err
			}
			change, err := tx.PutUser(tenant, alice(step.status), ledger.Evidence{Stamp: step.stamp})
			if change.Seen != step.want {
				t.Errorf("%s: %v, want %v", step.name, change.Seen, step.want)
			}
			return err
		})
	}
}

func withoutARowOlderThanTheSnapshotIsDropped(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	update(t, l, func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant("contoso")
		if err != nil {
			return err
		}
		tenant.Snapshot = at(10)
		user, err := tx.PutUser(tenant, alice(directory.Active), ledger.Evidence{Stamp: at(9)})
		if err != nil || user.Seen != ledger.Stale {
			t.Errorf("user: %v, %v", user.Seen, err)
		}
		group, err := tx.PutGroup(tenant, directory.Group{ID: "g"}, ledger.Evidence{Stamp: at(9)})
		if err != nil || group.Seen != ledger.Stale {
			t.Errorf("group: %v, %v", group.Seen, err)
		}
		member, err := tx.PutMembership(tenant, directory.Membership{GroupID: "g", Kind: directory.UserMember, ID: "u", Present: true}, ledger.Evidence{Stamp: at(9)})
		if err != nil || member.Seen != ledger.Stale {
			t.Errorf("membership: %v, %v", member.Seen, err)
		}
		return nil
	})
}

func forgottenMembershipsCountAgainWhenSeenAgain(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	update(t, l, func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant("contoso")
		if err != nil {
			return err
		}
		member := directory.Membership{GroupID: "g", Kind: directory.UserMember, ID: "u", Present: true}
		has := func(want bool, when string) {
			t.Helper()
			change, err := tx.User(1)
			if err != nil {
				t.Fatal(err)
			}
			group, _, err := tx.Group(tenant.ID, "g")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := tx.DirectGroups(change.ID); err != nil || slices.Contains(got, group.ID) != want {
				t.Errorf("%s: member of %v, %v", when, got, err)
			}
			if got, err := tx.DirectMembers(group.ID, 1); err != nil || (len(got) > 0) != want {
				t.Errorf("%s: members %v, %v", when, got, err)
			}
		}
		if _, err := tx.PutMembership(tenant, member, ledger.Evidence{Stamp: at(1)}); err != nil {
			return err
		}
		has(true, "seen")
		if err := tx.ForgetMembers(tenant.ID, "g", at(3)); err != nil {
			return err
		}
		has(false, "forgotten")
		if c, err := tx.PutMembership(tenant, member, ledger.Evidence{Stamp: at(3)}); err != nil || c.Seen != ledger.Stale {
			t.Errorf("seen at the stamp that forgot: %v, %v", c.Seen, err)
		}
		has(false, "seen at the stamp that forgot")
		if c, err := tx.PutMembership(tenant, member, ledger.Evidence{Stamp: at(4)}); err != nil || c.Seen != ledger.Changed {
			t.Errorf("seen again: %v, %v", c.Seen, err)
		}
		has(true, "seen again")
		return nil
	})
}

func onlyAServerIsShared(t *testing.T, b ledgertest.Backend) {
	if l := open(t, b.Address(t)); l.Shared() != (b.Name == "postgres") {
		t.Errorf("shared: %v", l.Shared())
	}
}
