package apply_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

func (h *harness) expect(when string, want ...string) {
	h.t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, h.told()); diff != "" {
		h.t.Fatalf("%s (-want +got):\n%s", when, diff)
	}
}

// connected is a tenant whose three users are licensed by default.
func connected(t testing.TB) *harness {
	t.Helper()
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 1, person("ann"), person("bob"), person("cid"))
	h.expect("before the snapshot is whole")
	h.snapshotEnded("contoso", "s1", 1, 1)
	h.expect("the policy comes first", "policy all-users")
	h.tick()
	h.expect("then everyone, and the refresh is over when all are told",
		"granted ann domain-default", "granted bob domain-default", "granted cid domain-default",
		"refreshed users=3 groups=0 granted=3 revoked=0 removed=0 unproven=0")
	return h
}

func TestStoryOfAGroup(t *testing.T) { onEach(t, storyOfAGroup) }

func storyOfAGroup(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address))
	h.clock.Advance(time.Hour)
	h.tick()
	h.roundEnded("contoso")
	h.expect("an empty group changes nothing, ever")

	h.page("contoso", 3, member("g", "ann", true))
	h.clock.Advance(settle - time.Second)
	h.page("contoso", 4, member("g", "bob", true))
	h.clock.Advance(time.Second)
	h.tick()
	h.roundEnded("contoso")
	h.expect("a change of its membership begins the settle time anew")

	h.clock.Advance(settle)
	h.expect("nothing before a round is asked for")
	h.tick()
	h.expect("a round is asked for", "read users=[] groups=[] members=0")
	h.tick()
	h.expect("once")
	h.roundEnded("contoso")
	h.tick()
	h.expect("the round flips", "policy group-members g",
		"reason ann group-member", "reason bob group-member", "revoked cid not-a-member")
	policy := h.events[len(h.events)-4]
	for _, ev := range h.events[len(h.events)-3:] {
		if event.Cause(ev) != policy.ID() {
			t.Errorf("%s names %s as its cause, want %s", ev.ID(), event.Cause(ev), policy.ID())
		}
	}

	h.page("contoso", 5, member("g", "cid", true), member("g", "bob", false))
	h.expect("members come and go", "revoked bob not-a-member", "granted cid group-member")
	h.page("contoso", 6, personAs("cid", directory.Suspended))
	h.expect("suspended", "revoked cid suspended")
	h.page("contoso", 7, personAs("cid", directory.Deleted))
	h.expect("deleted", "reason cid deleted")
	renamed := person("ann")
	renamed.User.Name, renamed.User.Addresses = "Anna", []string{"anna@contoso.com"}
	h.page("contoso", 8, renamed)
	h.expect("renamed is nobody's business")
	h.page("contoso", 9, member("g", "dan", true))
	h.expect("a member whom no read has shown is not licensed")
	h.page("contoso", 10, person("dan"))
	h.expect("until one does", "granted dan group-member")

	h.page("contoso", 11, noGroup("g"))
	h.tick()
	h.expect("deleted and proved: all users, at once", "policy all-users",
		"reason ann domain-default", "granted bob domain-default", "reason dan domain-default")
}

func TestGroupThereAtConnectCountsAtOnce(t *testing.T) { onEach(t, groupThereAtConnectCountsAtOnce) }

func groupThereAtConnectCountsAtOnce(t on) {
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 1, person("ann"), person("bob"), group("g", address), member("g", "ann", true))
	h.snapshotEnded("contoso", "s1", 1, 1, "g")
	h.tick()
	h.expect("at once", "policy group-members g", "granted ann group-member",
		"refreshed users=2 groups=1 granted=1 revoked=0 removed=0 unproven=0")
}

func TestGroupWithoutItsMembersIsWaitedFor(t *testing.T) {
	onEach(t, groupWithoutItsMembersIsWaitedFor)
}

func groupWithoutItsMembersIsWaitedFor(t on) {
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 1, person("ann"), person("bob"), group("g", address))
	h.snapshotEnded("contoso", "s1", 1, 1)
	h.tick()
	h.expect("it asks", "refreshed users=2 groups=1 granted=0 revoked=0 removed=0 unproven=0", "read users=[] groups=[] members=0")
	h.page("contoso", 2, member("g", "ann", true))
	h.roundEnded("contoso")
	h.tick()
	h.expect("and starts with them", "policy group-members g", "granted ann group-member")
}

// A group that was made and deleted within the settle time never counts, also while its end is still being proved.
func TestGroupThatIsVanishingNeverCounts(t *testing.T) { onEach(t, groupThatIsVanishingNeverCounts) }

func groupThatIsVanishingNeverCounts(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	h.clock.Advance(settle)
	h.tick()
	h.expect("a round is asked for", "read users=[] groups=[] members=0")
	h.roundEnded("contoso", "g")
	h.tick()
	h.expect("it says that the group is going")
	h.page("contoso", 3, noGroup("g"))
	h.roundEnded("contoso")
	h.tick()
	h.expect("it is gone")
}

func TestSettleTimeSurvivesARestart(t *testing.T) { onEach(t, settleTimeSurvivesARestart) }

func settleTimeSurvivesARestart(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	h.restart()
	h.clock.Advance(settle)
	h.tick()
	h.expect("asked after the restart", "read users=[] groups=[] members=0")
	h.clock.Advance(time.Minute)
	h.tick()
	h.expect("and again when no round comes", "read users=[] groups=[] members=0")
	h.restart()
	h.roundEnded("contoso")
	h.restart() // in the middle of the bulk
	h.tick()
	h.expect("flipped", "policy group-members g",
		"revoked bob not-a-member", "reason ann group-member", "revoked cid not-a-member")
}

func TestSingleChangesPassABulk(t *testing.T) { onEach(t, singleChangesPassABulk) }

func singleChangesPassABulk(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	h.clock.Advance(settle)
	h.roundEnded("contoso")
	h.told()
	h.tickUntil(func() bool { return slices.Equal(h.told(), []string{"policy group-members g"}) })
	h.page("contoso", 3, personAs("cid", directory.Suspended)) // three users, two a chunk: two transactions are ahead
	h.expect("cid is not made to wait", "revoked cid suspended")
	h.tick()
	h.expect("and is not told again", "revoked bob not-a-member", "reason ann group-member")
}

// Absence proves nothing; a statement does.
func TestRemovalNeedsProof(t *testing.T) { onEach(t, removalNeedsProof) }

func removalNeedsProof(t on) {
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 1, person("ann"), person("bob"), person("cid"), group("g", address), group("x"),
		member("g", "ann", true), member("g", "bob", true), member("g", "cid", true))
	h.snapshotEnded("contoso", "s1", 1, 1, "g")
	h.tick()
	h.told()

	h.snapshotPage("contoso", "s2", 5, person("ann"), group("g", address), member("g", "ann", true))
	h.snapshotEnded("contoso", "s2", 5, 1, "g")
	h.expect("candidates are asked for, and nobody is revoked", "read users=[bob cid] groups=[x] members=2")
	request := h.events[len(h.events)-1].ID()
	h.page("contoso", 6, personAs("bob", directory.Deleted), person("cid"), noGroup("x"), member("g", "cid", false))
	h.expect("what is stated counts", "revoked bob deleted", "revoked cid not-a-member")
	h.apply("contoso", event.TypeCandidatesRead, event.CandidatesRead{Snapshot: "s2", Request: "another"})
	h.expect("another answer ends nothing")
	h.apply("contoso", event.TypeCandidatesRead, event.CandidatesRead{Snapshot: "s2", Request: request, Unproven: 1})
	h.expect("the refresh is over", "refreshed users=2 groups=1 granted=0 revoked=2 removed=3 unproven=1")
	if cause := event.Cause(h.events[len(h.events)-1]); cause != "s2" {
		t.Errorf("refresh-completed names %q as its cause, want the snapshot", cause)
	}
}

func TestSetAsideIsSpared(t *testing.T) { onEach(t, setAsideIsSpared) }

func setAsideIsSpared(t on) {
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 1, person("ann"), person("bob"), person("cid"), group("g", address), group("x"), group("y"),
		member("g", "ann", true), member("g", "bob", true), member("g", "cid", true))
	h.snapshotEnded("contoso", "s1", 1, 1, "g")
	h.tick()
	h.told()
	again := func(snapshot string, at uint64, aside ...string) {
		h.snapshotPage("contoso", snapshot, at, person("ann"), group("g", address), member("g", "ann", true))
		h.apply("contoso", event.TypeSnapshotEnded, event.SnapshotEnded{
			Snapshot: snapshot, Began: event.Stamp{Epoch: 1, Counter: at}, Users: true, Groups: true, Members: []string{"g"}, Pages: 1, SetAside: aside,
		})
	}
	again("s2", 5, "bob", "x")
	h.expect("bob and x could not be understood, cid and y were not shown", "read users=[cid] groups=[y] members=1")
	again("s3", 6, "g", "x", "y")
	h.expect("of a group that could not be, nobody knows who is in it", "read users=[bob cid] groups=[] members=0")
}

func TestIncompleteSnapshotProvesNothing(t *testing.T) { onEach(t, incompleteSnapshotProvesNothing) }

func incompleteSnapshotProvesNothing(t on) {
	h := connected(t)
	h.snapshotPage("contoso", "s2", 5, person("ann"))
	h.snapshotEnded("contoso", "s2", 5, 2)
	h.expect("a page is missing", "refresh", "refreshed users=3 groups=0 granted=0 revoked=0 removed=0 unproven=0 1 of 2 pages arrived")
	h.snapshotPage("contoso", "s3", 6, person("ann"))
	h.snapshotEnded("contoso", "s3", 6, 2)
	h.expect("again, so soon: no further read", "refreshed users=3 groups=0 granted=0 revoked=0 removed=0 unproven=0 1 of 2 pages arrived")
}

func TestOlderStampsUndoNothing(t *testing.T) { onEach(t, olderStampsUndoNothing) }

func olderStampsUndoNothing(t on) {
	h := connected(t)
	h.page("contoso", 9, personAs("ann", directory.Suspended))
	h.expect("suspended", "revoked ann suspended")
	h.page("contoso", 8, person("ann"))
	h.expect("an older read is dropped")
}

func TestRedeliveryIsHarmless(t *testing.T) { onEach(t, redeliveryIsHarmless) }

func redeliveryIsHarmless(t on) {
	h := connected(t)
	m := h.message("contoso", event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp:        event.Stamp{Epoch: 1, Counter: 9},
		Observations: event.FromObservations([]directory.Observation{personAs("ann", directory.Suspended)}),
	})
	for range 3 {
		if err := h.deliver(m); err != nil {
			t.Fatal(err)
		}
		h.restart()
	}
	h.expect("once", "revoked ann suspended")
	if !h.last.Skipped || h.last.Rows != 0 {
		t.Errorf("the last delivery did %+v", h.last)
	}
}

func TestConflictHoldsEverything(t *testing.T) { onEach(t, conflictHoldsEverything) }

func conflictHoldsEverything(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	h.page("contoso", 3, group("h", "other@contoso.com", address))
	if h.last.Conflicts != 1 {
		t.Errorf("conflicts: %d", h.last.Conflicts)
	}
	h.clock.Advance(time.Hour)
	h.tick()
	h.roundEnded("contoso")
	h.expect("nothing changes while two groups hold the address")
	h.page("contoso", 4, noGroup("h"))
	h.clock.Advance(settle)
	h.roundEnded("contoso")
	h.tick()
	h.expect("when one is left it settles and counts", "policy group-members g",
		"revoked bob not-a-member", "reason ann group-member", "revoked cid not-a-member")
}

// A group that comes back is as its next read shows it, not as it was when it was last watched.
func TestMembersOfAReturningGroupAreForgotten(t *testing.T) {
	onEach(t, membersOfAReturningGroupAreForgotten)
}

func membersOfAReturningGroupAreForgotten(t on) {
	h := newHarness(t, contoso())
	h.snapshotPage("contoso", "s1", 1, person("ann"), person("bob"), group("g", address), member("g", "ann", true), member("g", "bob", true))
	h.snapshotEnded("contoso", "s1", 1, 1, "g")
	h.page("contoso", 2, noGroup("g"))
	h.tick()
	h.told()
	h.page("contoso", 3, group("g", address))
	h.page("contoso", 4, member("g", "bob", true))
	h.clock.Advance(settle)
	h.roundEnded("contoso")
	h.tick()
	h.expect("ann was not seen in it again", "policy group-members g",
		"revoked ann not-a-member", "reason bob group-member")
}

func TestTenantsThatShareIDsNeverMeet(t *testing.T) { onEach(t, tenantsThatShareIDsNeverMeet) }

func tenantsThatShareIDsNeverMeet(t on) {
	other := contoso()
	other.ID = "fabrikam"
	h := newHarness(t, contoso(), other)
	for _, id := range []string{"contoso", "fabrikam"} {
		h.snapshotPage(id, "s1", 1, person("ann"), person("bob"), group("g", address), member("g", "ann", true))
		h.snapshotEnded(id, "s1", 1, 1, "g")
	}
	h.tick()
	h.told()
	h.page("contoso", 2, member("g", "bob", true), personAs("ann", directory.Deleted))
	h.expect("one tenant", "revoked ann deleted", "granted bob group-member")
	for _, ev := range h.events[len(h.events)-2:] {
		if ev.Source() != event.LicenseSource("contoso", "secure-share") || event.Tenant(ev) != "contoso" {
			t.Errorf("%s is of %s", ev.ID(), ev.Source())
		}
	}
	h.page("fabrikam", 2, noGroup("g"))
	h.tick()
	h.expect("the other tenant", "policy all-users", "reason ann domain-default", "granted bob domain-default")
	h.page("contoso", 3, member("g", "bob", false))
	h.expect("the first is as it was", "revoked bob not-a-member")
}

func TestBadObservationsStopNobody(t *testing.T) { onEach(t, badObservationsStopNobody) }

func badObservationsStopNobody(t on) {
	h := connected(t)
	m := h.message("contoso", event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: 5},
		Observations: []event.Observation{
			{User: &event.User{ID: "a.b", Status: "active"}},
			{User: &event.User{ID: "ann", Status: "on-leave"}},
			{},
			{User: &event.User{ID: "bob", Status: "suspended"}},
		},
	})
	err := h.deliver(m)
	if !errors.Is(err, apply.ErrRefused) || !errors.Is(err, apply.ErrPartly) {
		t.Fatalf("error %v", err)
	}
	h.expect("the good one counts", "revoked bob suspended")
	if h.last.Refused != 3 {
		t.Errorf("refused %d", h.last.Refused)
	}
}

func TestUnusableMessageIsRefusedWhole(t *testing.T) { onEach(t, unusableMessageIsRefusedWhole) }

func unusableMessageIsRefusedWhole(t on) {
	h := connected(t)
	for name, data := range map[string]any{
		"page of another shape": map[string]any{"stamp": "x"}, "page without stamp": event.DirectoryObserved{},
	} {
		err := h.deliver(h.message("contoso", event.TypeDirectoryObserved, data))
		if !errors.Is(err, apply.ErrRefused) || errors.Is(err, apply.ErrPartly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.expect("nothing")
	if err := h.applier.OrderReread(t.Context(), apply.Owner{}, contoso(), "in.9"); err != nil {
		t.Fatal(err)
	}
	h.expect("a full read is ordered", "refresh")
}

func TestStreamMadeAnewOrdersFullReads(t *testing.T) { onEach(t, streamMadeAnewOrdersFullReads) }

func streamMadeAnewOrdersFullReads(t on) {
	h := connected(t)
	after, err := h.applier.Resume(t.Context(), apply.Owner{}, "LEDGER_IN", h.created, 1000)
	if err != nil || after != h.stream {
		t.Fatalf("resume after %d, %v; want %d", after, err, h.stream)
	}
	h.expect("nothing is amiss")
	after, err = h.applier.Resume(t.Context(), apply.Owner{}, "LEDGER_IN", h.created.Add(time.Hour), 3)
	if err != nil || after != 0 {
		t.Fatalf("resume in a new stream after %d, %v", after, err)
	}
	h.expect("what it lost is read again", "refresh")
	h.created, h.stream = h.created.Add(time.Hour), 0
	h.page("contoso", 7, personAs("bob", directory.Suspended))
	h.expect("and its messages count", "revoked bob suspended")
	h.clock.Advance(time.Hour)
	if after, err = h.applier.Resume(t.Context(), apply.Owner{}, "LEDGER_IN", h.created, 0); err != nil || after != 0 {
		t.Fatalf("resume in a stream that lost its end after %d, %v", after, err)
	}
	h.expect("so does a stream that lost its end", "refresh")
}
