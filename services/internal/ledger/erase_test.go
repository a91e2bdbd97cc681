package ledger_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

func causesAreKeptOnce(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, here ledger.Tenant, p ledger.Product) {
		before := tx.RowsWritten()
		cause := ledger.Cause{Event: "c1", Type: "io.rollcall.x.v1", At: nine, Cause: "n1", By: "me"}
		must(t, tx.PutCause(here.ID, cause), tx.PutCause(here.ID, cause))
		must(t, tx.PutRecord(ledger.Record{Product: p.ID, Sequence: 1, Type: "t", At: nine, Cause: "C2", Data: []byte(`{"a":1}`)}))
		if n := tx.RowsWritten() - before; n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
		for i, cause := range []string{"c3", "c1", "c3"} {
			e := ledger.Entitlement{Product: p.ID, User: 1, Licensed: true, Since: nine, Reason: "group-member", Sequence: uint64(i) + 2}
			must(t, tx.Transition(nil, e, nine, cause))
		}
		ids, err := tx.WantedCauses(here.ID, "", 9) // by bytes
		same(t, "named as causes", []string{"C2", "c1", "c3"}, ids, err)
		ids, err = tx.WantedCauses(here.ID, "C2", 1)
		same(t, "the next of them", []string{"c1"}, ids, err)
	})
}

// erasedTenantsAreGone erases a tenant from beside a large one, of which nothing may go and nothing may be looked through.
func erasedTenantsAreGone(t *testing.T, b ledgertest.Backend) {
	address := b.Address(t)
	for _, name := range []string{"contoso", "fabrikam"} {
		ledgertest.Load(t, address, ledgertest.Bulk{
			Tenant: name, Product: "p", Domain: name + ".com", Group: "g", Address: "g@" + name + ".com", Users: 30, Members: 20, At: nine,
		})
	}
	l := open(t, address)
	r := l.Reader()
	count := func(name string) string {
		state, err := r.Tenant(t.Context(), name)
		decisions, decisionsErr := r.Decisions(t.Context(), name, "p")
		must(t, err, decisionsErr)
		return fmt.Sprintf("%d users, %d groups, %d decisions, sequence %d", state.Users, state.Groups, len(decisions), state.Products[0].Sequence)
	}
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		products, err := tx.Products(here.ID)
		must(t, err)
		p := products[0].ID
		h, err := tx.AddHeld(ledger.Held{Product: p, Ref: "r", Kind: ledger.HeldFlip, State: ledger.HeldOpen})
		must(t, err, tx.PutHeldUser(h.ID, ledger.HeldUser{User: 1}), tx.PutJob(ledger.Job{Product: p, Kind: ledger.JobApply}), tx.Join(p, 1, 1),
			tx.PutLeaving(ledger.Leaving{Product: p, User: 1, DecideAt: nine}),
			tx.CountRevocations(p, nine, nine, 1), tx.PutRecord(ledger.Record{Product: p}), tx.PutCause(here.ID, ledger.Cause{}),
			tx.PutConnection(ledger.Connection{Product: p, Class: "consent", Since: nine}))
		for user, want := range map[string]bool{ledgertest.UserRef(1): true, "nobody": false} {
			found, _, err := tx.Activate(here.ID, p, user, nine)
			same(t, user+" is there", want, found, err)
		}
		s, err := tx.Snapshot(here, "s")
		must(t, err, tx.AwaitProof(s, "r"))
		for more, chunks := true, 0; more; chunks++ {
			before := tx.RowsWritten()
			more, err = tx.Erase(here.ID, 20)
			must(t, err)
			if n := tx.RowsWritten() - before; n > 20 || more && n < 20 || chunks > 99 {
				t.Fatalf("chunk %d: %d rows, more %v", chunks, n, more)
			}
		}
		if users, err := tx.UsersAfter(here.ID, 0, 9); len(users) != 0 || err != nil {
			t.Errorf("users are left: %v, %v", users, err)
		}
		if some, err := tx.AwaitsRound(here.ID, nine); some || err != nil {
			t.Errorf("somebody is leaving: %v, %v", some, err)
		}
		return nil
	})
	if got, want := count("contoso"), "0 users, 0 groups, 0 decisions, sequence 21"; got != want {
		t.Errorf("erased: %s, want %s", got, want)
	}
	if got, want := count("fabrikam"), "30 users, 1 groups, 20 decisions, sequence 21"; got != want {
		t.Errorf("the other tenant: %s, want %s", got, want)
	}
}

func nestsAreWalkedDown(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, here ledger.Tenant, _ ledger.Product) {
		for i, m := range []directory.Membership{
			{GroupID: "g", Kind: directory.GroupMember, ID: "h", Present: true},
			{GroupID: "g", Kind: directory.GroupMember, ID: "gone", Present: true},
			{GroupID: "g", Kind: directory.GroupMember, ID: "left"},
			{GroupID: "h", Kind: directory.UserMember, ID: "ann", Present: true},
			{GroupID: "h", Kind: directory.UserMember, ID: "bob", Present: true},
			{GroupID: "i", Kind: directory.UserMember, ID: "ann", Present: true},
			{GroupID: "i", Kind: directory.CustomerMember, Present: true},
		} {
			_, err := tx.PutMembership(here, m, ledger.Evidence{Stamp: at(uint64(i) + 10)})
			must(t, err)
		}
		_, err := tx.PutGroup(here, directory.Group{ID: "gone", Deleted: true}, ledger.Evidence{Stamp: at(20)})
		must(t, err)
		numbers, err := tx.NameGroups(here.ID, []string{"g", "h", "i", "yet to be named"})
		must(t, err)
		g, h, i := numbers[0], numbers[1], numbers[2]
		inside, err := tx.Inside(g)
		same(t, "inside g", []int64{h}, inside, err)
		of, err := tx.DirectGroups(1)
		same(t, "groups of ann", []int64{h, i}, of, err)
		names, err := tx.NameGroups(here.ID, []string{"gone"})
		must(t, err)
		for group, want := range map[int64]bool{h: false, names[0]: true} {
			ended, err := tx.Ended(group)
			same(t, "ended", want, ended, err)
		}
		members, err := tx.DirectMembers(h, 1)
		same(t, "the first of h", []int64{1}, members, err)
		members, err = tx.DirectMembers(h, 9)
		same(t, "members of h", []int64{1, 2}, members, err)
		for group, want := range map[int64]bool{g: false, i: true} {
			holds, err := tx.HoldsCustomer(group)
			same(t, "holds the customer", want, holds, err)
		}
		must(t, tx.ForgetMembers(here.ID, "i", at(99)))
		of, err = tx.DirectGroups(1)
		same(t, "groups of ann that are watched", []int64{h}, of, err)
		ref, err := tx.GroupRef(h)
		same(t, "h", "h", ref, err)
		number, found, err := tx.GroupNumber(here.ID, "h")
		if !found {
			t.Error("h has no number")
		}
		same(t, "number of h", h, number, err)
		if _, found, err := tx.GroupNumber(here.ID, "nobody's"); found || err != nil {
			t.Errorf("a group that is none: %v, %v", found, err)
		}
		user, err := tx.NameUser(here.ID, "ann")
		same(t, "ann", int64(1), user, err)
	})
}

func newLedgersAreEmpty(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	empty := func(want bool) {
		t.Helper()
		update(t, l, func(tx *ledger.Tx) error {
			got, err := tx.Empty()
			same(t, "empty", want, got, err)
			return err
		})
	}
	empty(true)
	update(t, l, func(tx *ledger.Tx) error { _, _, err := tx.Position("LEDGER_IN", 0); return err })
	empty(true)
	update(t, l, step)
	empty(false)
}
