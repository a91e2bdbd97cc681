package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// onProduct runs do with a product of a tenant of partition 3 that has the users ann and bob, numbers 1 and 2.
func onProduct(t *testing.T, b ledgertest.Backend, do func(*ledger.Tx, ledger.Tenant, ledger.Product)) {
	t.Helper()
	l := open(t, b.Address(t))
	people(t, l, someone("ann", directory.Active), someone("bob", directory.Active))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		here.Part = 3
		_, err := tx.EnsureProduct(here.ID, "p", "p@contoso.com")
		if err := errors.Join(err, tx.SaveTenant(here)); err != nil {
			return err
		}
		products, err := tx.Products(here.ID)
		if err != nil {
			return err
		}
		do(tx, here, products[0])
		return nil
	})
}

// must fails the test where a statement has failed.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, want, got any, err error) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s (-want +got), %v:\n%s", what, err, diff)
	}
}

func heldChangesAreStoredWhole(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, here ledger.Tenant, p ledger.Product) {
		h, err := tx.AddHeld(ledger.Held{
			Product: p.ID, Ref: "new", Kind: ledger.HeldFlip, State: ledger.HeldListing, Mode: "group-members", Group: "g", Cause: "e", Snapshot: "s",
		})
		must(t, err)
		h.Ref, h.State, h.Revision, h.Grants, h.Revocations, h.Applied = "flip-7", ledger.HeldOpen, 1, 2, 3, 4
		h.OpenedAt, h.ExpiresAt, h.ClosedAt, h.ClosedBy, h.Cause = nine, nine.Add(time.Hour), nine.Add(2*time.Hour), "me", "f"
		must(t, tx.SaveHeld(h))
		later, err := tx.RestoreHeld(ledger.Held{Product: p.ID, Ref: "flip-9", Kind: ledger.HeldFlip, State: ledger.HeldOpen, ExpiresAt: nine.Add(3 * time.Hour)})
		must(t, err)
		frozen, err := tx.RestoreHeld(ledger.Held{Product: p.ID, Ref: "freeze-9", Kind: ledger.HeldFreeze, State: ledger.HeldOpen, ExpiresAt: nine.Add(4 * time.Hour)})
		must(t, err)
		closed, err := tx.RestoreHeld(ledger.Held{Product: p.ID, Ref: "flip-8", Kind: ledger.HeldFlip, State: ledger.HeldExpired, ExpiresAt: nine})
		must(t, err)

		got, found, err := tx.Held(h.ID)
		same(t, "by number", h, got, err)
		byRef, foundByRef, err := tx.HeldByRef(p.ID, "flip-7")
		same(t, "by its id", h, byRef, err)
		if _, other, err := tx.HeldByRef(p.ID, "flip-6"); !found || !foundByRef || other || err != nil {
			t.Errorf("found %v, %v, and another %v, %v", found, foundByRef, other, err)
		}
		all, err := tx.OpenHolds(p.ID)
		same(t, "not closed", []ledger.Held{h, later, frozen}, all, err)
		for _, c := range []struct {
			part int
			now  time.Time
			want bool
		}{{3, nine, false}, {3, nine.Add(time.Hour), true}, {4, nine.Add(9 * time.Hour), false}} {
			due, found, err := tx.ExpiredHold(c.part, c.now)
			if found != c.want || err != nil || found && due.ID != h.ID {
				t.Errorf("expired by %s in %d: %+v, %v, %v", c.now, c.part, due, found, err)
			}
		}
		at, err := tx.NextTimer(3)
		same(t, "the next to expire", nine.Add(time.Hour), at, err)
		must(t, tx.PutHeldUser(closed.ID, ledger.HeldUser{User: 1, Revision: 1}), tx.DropHeld(closed.ID))
		if _, found, err := tx.Held(closed.ID); found || err != nil {
			t.Errorf("dropped: %v, %v", found, err)
		}
		if owner, err := tx.TenantOf(p.ID); owner != here.ID || err != nil {
			t.Errorf("the tenant of the product: %d, %v", owner, err)
		}
	})
}

func listsOfHeldChangesFold(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, _ ledger.Tenant, p ledger.Product) {
		h, err := tx.AddHeld(ledger.Held{Product: p.ID, Ref: "flip-1", Kind: ledger.HeldFlip, State: ledger.HeldOpen})
		must(t, err)
		ann := ledger.HeldUser{User: 1, Revision: 1, Listed: true, Licensed: true, Reason: "group-member"}
		bob := ledger.HeldUser{User: 2, Revision: 1, Listed: true, Reason: "not-a-member"}
		must(t, tx.PutHeldUser(h.ID, bob), tx.PutHeldUser(h.ID, ann))
		if _, found, err := tx.HeldUser(h.ID, 3); found || err != nil {
			t.Errorf("a user who is not listed: %v, %v", found, err)
		}
		if undone, err := tx.Undone(h); !undone || err != nil {
			t.Errorf("before it is carried out: undone %v, %v", undone, err)
		}
		must(t, tx.Transition(nil, ledger.Entitlement{Product: p.ID, User: 1, Licensed: true, Since: nine, Reason: "group-member", Sequence: 1}, nine, "e"))
		if undone, err := tx.Undone(h); undone || err != nil {
			t.Errorf("when it is carried out: undone %v, %v", undone, err)
		}
		bob.Revision, bob.Listed = 2, false
		must(t, tx.PutHeldUser(h.ID, bob))
		got, found, err := tx.HeldUser(h.ID, 2)
		if !found {
			t.Error("a line that was taken off is forgotten")
		}
		same(t, "taken off", bob, got, err)
		ann.Ref, bob.Ref = "ann", "bob"
		page, err := tx.ListedAfter(h.ID, 0, 1)
		same(t, "listed", []ledger.HeldUser{ann}, page, err)
		page, err = tx.ListedAfter(h.ID, 1, 9)
		same(t, "listed behind ann", []ledger.HeldUser(nil), page, err)
		page, err = tx.ListedSince(h.ID, 0, 9)
		same(t, "changed ever", []ledger.HeldUser{ann, bob}, page, err)
		page, err = tx.ListedSince(h.ID, 1, 9)
		same(t, "changed since the first revision", []ledger.HeldUser{bob}, page, err)
	})
}

func licensesAreHeldAgainstAReason(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, _ ledger.Tenant, p ledger.Product) {
		stands := func(when, want string) {
			t.Helper()
			e, _, err := tx.Entitlement(p.ID, 1)
			same(t, when, want, e.Against, err)
		}
		must(t, tx.Transition(nil, ledger.Entitlement{
			Product: p.ID, User: 1, Licensed: true, Since: nine, Reason: "held", Sequence: 1, Against: "suspended",
		}, nine, "e"))
		stands("written", "suspended")
		must(t, tx.HoldAgainst(p.ID, 1, "deleted"))
		stands("changed", "deleted")
		h, err := tx.RestoreHeld(ledger.Held{Product: p.ID, Ref: "revocations-1", Kind: ledger.HeldRevocations, State: ledger.HeldOpen})
		must(t, err, tx.PutHeldUser(h.ID, ledger.HeldUser{User: 1, Revision: 1, Listed: true, Reason: "not-a-member"}), tx.RestoreAgainst())
		stands("found in the list", "not-a-member")
		n, err := tx.CountLicensed(p.ID)
		same(t, "licensed", 1, n, err)
	})
}

func parkedRevocationsAreFound(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, _ ledger.Tenant, p ledger.Product) {
		parked := func(when string, want ...string) {
			t.Helper()
			words, err := tx.Words(p.ID, 1)
			var got []string
			for _, w := range words {
				got = append(got, fmt.Sprintf("%s %s: %s%s", w.Held.Kind, w.Held.State, w.Reason, w.Cause))
			}
			same(t, when, want, got, err)
		}
		held := ledger.Entitlement{Product: p.ID, User: 1, Licensed: true, Since: nine, Reason: "held", Against: "not-a-member", Sequence: 1}
		must(t, tx.Transition(nil, held, nine, "e"))
		parked("on no list")
		at, err := tx.DecidedAt(p.ID, 1)
		same(t, "that it is held is no decision", uint64(0), at, err)
		refresh, err := tx.AddHeld(ledger.Held{Product: p.ID, Ref: "r", Kind: ledger.HeldRefresh, State: ledger.HeldOpen, Revision: 1})
		must(t, err, tx.PutHeldUser(refresh.ID, ledger.HeldUser{User: 1, Revision: 1, Listed: true, Reason: "not-a-member"}))
		parked("on that of a refresh", "refresh open: not-a-member")
		bulk, err := tx.AddHeld(ledger.Held{Product: p.ID, Ref: "b", Kind: ledger.HeldRevocations, State: ledger.HeldApproved, Revision: 1})
		must(t, err, tx.PutHeldUser(bulk.ID, ledger.HeldUser{User: 1, Revision: 1, Listed: true, Reason: "suspended"}),
			tx.PutJob(ledger.Job{Product: p.ID, Kind: ledger.JobClose, Cause: "f", Held: bulk.ID}))
		parked("what was approved comes first", "revocations approved: suspendedf", "refresh open: not-a-member")
		must(t, tx.PutJob(ledger.Job{Product: p.ID, Kind: ledger.JobClose, After: 1, Cause: "f", Held: bulk.ID}))
		parked("until it has come to the user", "refresh open: not-a-member")
		against := func(when, want string) {
			t.Helper()
			e, _, err := tx.Entitlement(p.ID, 1)
			same(t, when, want, e.Against, err)
		}
		must(t, tx.Release(refresh))
		against("released", "")
		must(t, tx.HoldAgainst(p.ID, 1, "suspended"), tx.DropUnsaid(p.ID), tx.ReleaseApproved(p.ID))
		against("approved, and yet to come", "")
		must(t, tx.HoldAgainst(p.ID, 1, "suspended"), tx.DropJobs(p.ID), tx.ReleaseApproved(p.ID))
		against("approved, and done", "suspended")
		member := ledger.Entitlement{Product: p.ID, User: 1, Licensed: true, Since: nine, Reason: "group-member", Sequence: 2}
		again := held
		again.Sequence = 3
		must(t, tx.Transition(&held, member, nine, "e"), tx.Transition(&member, again, nine, "e"))
		at, err = tx.DecidedAt(p.ID, 1)
		same(t, "the last decision of its own", uint64(2), at, err)
	})
}

func groupsAreFoundAroundAGroup(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		for i, outer := range []string{"a", "b"} {
			_, err := tx.PutMembership(here, directory.Membership{GroupID: outer, Kind: directory.GroupMember, ID: "in", Present: i == 0}, ledger.Evidence{Stamp: at(2)})
			must(t, err)
		}
		inner, a := groupOf(t, tx, "in"), groupOf(t, tx, "a")
		around, err := tx.Around(inner.ID)
		same(t, "around", []int64{a.ID}, around, err)
		return nil
	})
}

func jobsTakeTurns(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, here ledger.Tenant, p ledger.Product) {
		apply := ledger.Job{Product: p.ID, Kind: ledger.JobApply, After: 5, Cause: "e"}
		survey := ledger.Job{Product: p.ID, Kind: ledger.JobSurvey, After: 7, Cause: "f", Held: 9}
		next := func(when string, part int, want ...ledger.Job) {
			t.Helper()
			got, owner, found, err := tx.NextJob(part)
			if found != (len(want) == 1) || err != nil || found && (got != want[0] || owner != here.ID) {
				t.Errorf("%s: %+v of %d, %v, %v", when, got, owner, found, err)
			}
		}
		busy := func(want bool) {
			t.Helper()
			got, err := tx.Busy(here.ID)
			same(t, "busy", want, got, err)
		}
		next("none yet", 3)
		busy(false)
		must(t, tx.PutJob(apply), tx.PutJob(survey))
		next("the least advanced", 3, apply)
		next("of another partition", 4)
		busy(true)
		apply.After = 8
		must(t, tx.PutJob(apply))
		next("in turn", 3, survey)
		got, found, err := tx.Job(p.ID, ledger.JobApply)
		if !found {
			t.Error("a job is not found")
		}
		same(t, "stored", apply, got, err)
		must(t, tx.DropJob(survey), tx.DropJob(survey))
		here.Frozen = true
		must(t, tx.SaveTenant(here))
		next("a new policy is applied while the tenant is frozen", 3, apply)
		approved := ledger.Job{Product: p.ID, Kind: ledger.JobApply, Cause: "g", Held: 9}
		must(t, tx.PutJob(approved), tx.DropJob(apply))
		next("what was approved rests", 3)
		got, found, err = tx.JobOn(p.ID, ledger.JobApply, 9)
		if !found {
			t.Error("a job is not found by what it works on")
		}
		same(t, "by what it works on", approved, got, err)
		closing, err := tx.Closing(p.ID)
		same(t, "closing", true, closing, err)
		must(t, tx.DropJobsOf(9), tx.PutJob(apply))
		closing, err = tx.Closing(p.ID)
		same(t, "closing, dropped", false, closing, err)
		erase := ledger.Job{Product: p.ID, Kind: ledger.JobErase, Cause: "h"}
		must(t, tx.PutJob(approved), tx.PutJob(survey), tx.PutJob(erase), tx.DropUnsaid(p.ID))
		for _, c := range []struct {
			job  ledger.Job
			want bool
		}{{apply, false}, {survey, false}, {approved, true}, {erase, true}} {
			_, found, err := tx.JobOn(p.ID, c.job.Kind, c.job.Held)
			same(t, fmt.Sprintf("somebody's word, %+v", c.job), c.want, found, err)
		}
		here.Frozen, here.Disconnected = false, ledger.LicensesKept
		must(t, tx.SaveTenant(here))
		next("what is known of a tenant that nobody follows is forgotten", 3, erase)
		must(t, tx.DropJobs(p.ID))
		if _, found, err := tx.Job(p.ID, ledger.JobErase); !found || err != nil {
			t.Errorf("the job that erases is dropped with the others: %v", err)
		}
		must(t, tx.DropJob(erase), tx.PutJob(approved))
		next("what was approved rests while nobody follows the tenant", 3)
		here.Disconnected = ledger.LicensesEnded
		must(t, tx.SaveTenant(here), tx.PutJob(apply))
		next("the end of its licenses does not", 3, apply)
		here.Disconnected, here.Paused = ledger.Connected, true
		must(t, tx.SaveTenant(here))
		next("everything rests while it is paused", 3)
		must(t, tx.DropJobs(p.ID))
		if _, found, err := tx.Job(p.ID, ledger.JobApply); found || err != nil {
			t.Errorf("dropped: %v, %v", found, err)
		}
		busy(false)
	})
}

func lineKeepsItsOrder(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, _ ledger.Tenant, p ledger.Product) {
		must(t, tx.Join(p.ID, 2, 10), tx.Join(p.ID, 1, 11))
		line, err := tx.Waiting(p.ID, 9)
		same(t, "the line", []int64{2, 1}, line, err)
		line, err = tx.Waiting(p.ID, 1)
		same(t, "the first", []int64{2}, line, err)
		for place, want := range map[int64]int{10: 0, 11: 1, 99: 2} {
			n, err := tx.Ahead(p.ID, place, 9)
			same(t, "ahead", want, n, err)
		}
		n, err := tx.Ahead(p.ID, 99, 1)
		same(t, "ahead, at most", 1, n, err)
		must(t, tx.LeaveLine(p.ID, 2))
		if place, waits, err := tx.Place(p.ID, 1); place != 11 || !waits || err != nil {
			t.Errorf("place %d, %v, %v", place, waits, err)
		}
		if _, waits, err := tx.Place(p.ID, 2); waits || err != nil {
			t.Errorf("who has left waits: %v, %v", waits, err)
		}
	})
}

func revocationsAreCountedByTheMinute(t *testing.T, b ledgertest.Backend) {
	onProduct(t, b, func(tx *ledger.Tx, _ ledger.Tenant, p ledger.Product) {
		hourBefore := func(now time.Time) time.Time { return now.Add(-time.Hour) }
		for _, c := range []struct {
			after time.Duration
			n     int
			want  int
		}{{0, 2, 2}, {time.Second, 3, 5}, {59 * time.Minute, 1, 6}, {60 * time.Minute, 1, 2}} {
			now := nine.Add(c.after)
			must(t, tx.CountRevocations(p.ID, now, hourBefore(now), c.n))
			n, err := tx.RevokedWithin(p.ID, hourBefore(now))
			same(t, c.after.String(), c.want, n, err)
		}
	})
}
