package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// doubtsAreAskedFor: what would undo a change of a moment ago is dropped, kept in mind, and told when its time has come.
func doubtsAreAskedFor(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	people(t, l, someone("ann", directory.Active))
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var stamp uint64 = 10
	seen := func(after time.Duration) ledger.Evidence {
		stamp++
		return ledger.Evidence{Stamp: at(stamp), At: noon.Add(after), Doubt: time.Hour}
	}
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		here.Snapshot, here.Part = at(9), 3 // it has been read completely
		if err := tx.SaveTenant(here); err != nil {
			t.Fatal(err)
		}
		here = tenant(t, tx)
		var got []ledger.Seen
		user := func(e ledger.Evidence, status directory.Status) {
			c, err := tx.PutUser(here, someone("ann", status), e)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c.Seen)
		}
		user(seen(0), directory.Suspended)
		user(seen(0), directory.Active)
		if !tx.Doubted() {
			t.Error("nothing is in doubt")
		}
		group := directory.Group{ID: "g", Name: "g"}
		for _, deleted := range []bool{false, true} {
			group.Deleted = deleted
			c, err := tx.PutGroup(here, group, seen(0))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c.Seen)
		}
		for _, present := range []bool{true, false} {
			m := directory.Membership{GroupID: "g", Kind: directory.UserMember, ID: "ann", Present: present}
			c, err := tx.PutMembership(here, m, seen(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c.Seen)
		}
		want := []ledger.Seen{ledger.Changed, ledger.Doubtful, ledger.Changed, ledger.Doubtful, ledger.Changed, ledger.Doubtful}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return nil
	})
	update(t, l, func(tx *ledger.Tx) error {
		id := tenant(t, tx).ID
		due := func(after time.Duration) bool {
			t.Helper()
			got, found, err := tx.DueDoubts(3, noon.Add(after))
			if err != nil || found && got.ID != id {
				t.Fatalf("due after %s: %d, %v", after, got.ID, err)
			}
			return found
		}
		if due(6*time.Minute-time.Microsecond) || !due(6*time.Minute) {
			t.Error("a gain is not read after a tenth of the time")
		}
		ann, err := tx.PutUser(tenant(t, tx), someone("ann", directory.Suspended), seen(0))
		must(t, err)
		inDoubt := func(what string, user int64, want bool) {
			t.Helper()
			if in, err := tx.InDoubt(id, user); in != want || err != nil {
				t.Errorf("%s: %v, want %v, %v", what, in, want, err)
			}
		}
		inDoubt("whether a member has left", ann.ID, false)
		sees := func(present bool, e ledger.Evidence) {
			t.Helper()
			m := directory.Membership{GroupID: "h", Kind: directory.UserMember, ID: "ann", Present: present}
			_, err := tx.PutMembership(tenant(t, tx), m, e)
			must(t, err)
		}
		sees(true, seen(-3*time.Hour))
		sees(false, seen(0))
		inDoubt("who has left", ann.ID, false)
		sees(true, seen(time.Minute))
		inDoubt("who may be back", ann.ID, true)
		inDoubt("another", ann.ID+1, false)
		sees(true, seen(30*time.Minute))
		inDoubt("who is back, and is read once more", ann.ID, false)
		must(t, tx.ForgetMembers(id, "h", at(stamp)))
		if _, found, err := tx.DueDoubts(4, noon.Add(time.Hour)); found || err != nil {
			t.Errorf("of another partition: %v, %v", found, err)
		}
		asked, err := tx.AskDoubts(id, noon.Add(61*time.Minute), 2, "first", time.Minute)
		if diff := cmp.Diff(ledger.Things{Users: []string{"ann"}, Groups: []string{"g"}}, asked); diff != "" || err != nil {
			t.Errorf("the first two (-want +got), %v:\n%s", err, diff)
		}
		asked, err = tx.AskDoubts(id, noon.Add(61*time.Minute), 2, "second", time.Minute)
		want := ledger.Things{Members: []directory.Membership{{GroupID: "g", Kind: directory.UserMember, ID: "ann", Present: true}}}
		if diff := cmp.Diff(want, asked); diff != "" || err != nil {
			t.Errorf("the rest (-want +got), %v:\n%s", err, diff)
		}
		if due(62*time.Minute-time.Microsecond) || !due(62*time.Minute) {
			t.Error("what was not answered is not asked for again")
		}
		if err := tx.DropDoubts(id, "first"); err != nil {
			t.Fatal(err)
		}
		if asked, err = tx.AskDoubts(id, noon.Add(62*time.Minute), 9, "third", time.Minute); len(asked.Members) != 1 || asked.Users != nil || err != nil {
			t.Errorf("after an answer: %+v, %v", asked, err)
		}
		if err := tx.DropDoubts(id, ""); err != nil {
			t.Fatal(err)
		}
		if due(1000 * time.Hour) {
			t.Error("forgotten, and due")
		}
		return nil
	})
}

// missedThingsAreDoubted: what a proof has shown to be gone is in doubt no more; what it has shown to be there, or could not show, is.
func missedThingsAreDoubted(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	people(t, l, someone("ann", directory.Active), someone("bob", directory.Active))
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	in := func(group, user string, present bool) directory.Membership {
		return directory.Membership{GroupID: group, Kind: directory.UserMember, ID: user, Present: present}
	}
	var stamp uint64 = 10
	observe := func(tx *ledger.Tx, gone bool) {
		stamp++
		here, seen := tenant(t, tx), ledger.Evidence{Stamp: at(stamp), At: noon}
		for _, id := range []string{"g", "h"} {
			_, err := tx.PutGroup(here, directory.Group{ID: id, Deleted: gone && id == "h"}, seen)
			must(t, err)
		}
		for _, user := range []string{"ann", "bob"} {
			_, err := tx.PutMembership(here, in("g", user, !gone || user == "ann"), seen)
			must(t, err)
		}
		if gone {
			_, err := tx.PutUser(here, someone("bob", directory.Deleted), seen)
			must(t, err)
		}
	}
	update(t, l, func(tx *ledger.Tx) error {
		observe(tx, false)
		all := ledger.Things{
			Users: []string{"ann", "bob"}, Groups: []string{"g", "h"}, Members: []directory.Membership{in("g", "ann", true), in("g", "bob", true)},
		}
		id := tenant(t, tx).ID
		for _, request := range []string{"proof", "another"} { // which comes too late: all are in doubt
			must(t, tx.DoubtMissed(id, all, request, noon.Add(time.Hour)))
		}
		if !tx.Doubted() {
			t.Error("nothing is in doubt")
		}
		observe(tx, true)
		must(t, tx.DropGone(id, "another"))
		must(t, tx.DropGone(id, "proof"))
		asked, err := tx.AskDoubts(id, noon.Add(time.Hour-time.Microsecond), 9, "early", time.Minute)
		if asked.Count() != 0 || err != nil {
			t.Errorf("asked before the time: %+v, %v", asked, err)
		}
		asked, err = tx.AskDoubts(id, noon.Add(time.Hour), 9, "late", time.Minute)
		want := ledger.Things{Users: []string{"ann"}, Groups: []string{"g"}, Members: []directory.Membership{in("g", "ann", true)}}
		if diff := cmp.Diff(want, asked); diff != "" || err != nil {
			t.Errorf("what is left (-want +got), %v:\n%s", err, diff)
		}
		return nil
	})
}
