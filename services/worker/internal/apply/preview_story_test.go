package apply_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// preview asks for a refresh that shows first what it would change, and returns the id of its snapshot.
func (h *harness) preview() string {
	h.t.Helper()
	return h.ask("contoso", "refresh", event.TypeRefreshRequested, event.RefreshRequested{RequestedBy: "cli", Preview: true})
}

// showAll delivers one page of a complete read and its end.
func (h *harness) showAll(snapshot string, observations []obs, members ...string) {
	h.t.Helper()
	h.at++
	h.snapshotPage("contoso", snapshot, h.at, observations...)
	h.snapshotEnded("contoso", snapshot, h.at, 1, members...)
	h.tick()
}

// eightMembers are ten users of whom u1 to u8 are in the provisioning group.
func eightMembers(h *harness) {
	h.t.Helper()
	h.chunk = 100
	h.restart()
	h.read(join(people(10), []obs{group("g", address)}, members("g", true, ids(1, 8)...)), "g")
	h.told()
}

func TestPreviewShowsFirst(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		eightMembers(h)
		id := h.preview()
		h.expect("nothing yet")
		h.at++
		h.snapshotPage("contoso", id, h.at, person("u1"), personAs("u2", "suspended"), person("u3"), group("g", address),
			member("g", "u1", true), member("g", "u2", true), member("g", "u9", true))
		h.tick()
		h.expect("nothing is applied, though it is seen")
		h.snapshotEnded("contoso", id, h.at, 1, "g")
		h.tick()
		h.expect("what it did not show is to be proved", "read users=[u4 u5 u6 u7 u8 u9 u10] groups=[] members=6")
		h.see(personAs("u7", "suspended"))
		h.expect("changes beside it go on", "revoked u7 suspended")
		h.answer(id, person("u5"), person("u6"), person("u9"), person("u10"), personAs("u4", "deleted"), member("g", "u5", false))
		h.tick()
		h.expect("the list comes first", "opened refresh#1 r1 +1 -3 of 7", "refreshed users=9 groups=1 granted=0 revoked=1 removed=2 unproven=0 refresh#1 r1 +1 -3", "listed refresh#1 r1 u2:-suspended u4:-deleted u5:-not-a-member u9:+group-member")
		h.see(renamed("u5"), renamed("u9"))
		h.expect("a listed user is decided no earlier; grants go on", "granted u9 group-member", "listed refresh#1 r2 u9:off")
		h.see(personAs("u5", "deleted"))
		h.expect("but for single deletions", "revoked u5 deleted", "listed refresh#1 r3 u5:off")
		h.approve("refresh#1", 2)
		h.expect("", "refused revision refresh#1 r3 u5:off")
		h.approve("refresh#1", 3)
		h.tick()
		h.expect("what is on it, and no more", "closed refresh#1 r3 approved +0 -2 user:ops", "done refresh#1 r3",
			"revoked u2 suspended", "revoked u4 deleted")
	})
}

// answer delivers what a proof has shown, with its end.
func (h *harness) answer(snapshot string, observations ...directory.Observation) {
	h.t.Helper()
	h.at++
	request := snapshot + ".proof.0"
	m := h.messageAs(event.Meta{
		ID: "proof", Source: event.DirectorySource("contoso"), Tenant: "contoso", Cause: request,
	}, event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: h.at}, Observations: event.FromObservations(observations),
	})
	if err := h.deliver(m); err != nil {
		h.t.Fatal(err)
	}
	h.apply("contoso", event.TypeCandidatesRead, event.CandidatesRead{Snapshot: snapshot, Request: request})
}

func TestRejectedPreview(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		eightMembers(h)
		h.showAll(h.preview(), join(people(7), []obs{personAs("u8", "suspended"), person("u9"), person("u10"), group("g", address)},
			members("g", false, "u1"), members("g", true, ids(2, 9)...)), "g")
		h.expect("", "opened refresh#1 r1 +1 -2 of 8", "refreshed users=10 groups=1 granted=0 revoked=0 removed=1 unproven=0 refresh#1 r1 +1 -2", "listed refresh#1 r1 u1:-not-a-member u8:-suspended u9:+group-member")
		h.reject("refresh#1")
		h.see(renamed("u1"))
		h.expect("rejected is rejected, also before the job has come there", "closed refresh#1 r1 rejected +1 -2 user:ops", "done refresh#1 r1",
			"reason u1 held")
		h.tick()
		h.expect("who has a license keeps it, who may have one gets it", "reason u8 held", "granted u9 group-member")
		h.showAll(h.preview(), join(people(7), []obs{personAs("u8", "suspended"), person("u9"), person("u10"), group("g", address)},
			members("g", true, ids(2, 9)...)), "g")
		h.expect("the same evidence is no news", "refreshed users=10 groups=1 granted=0 revoked=0 removed=0 unproven=0")
		h.see(personAs("u1", "deleted"))
		h.expect("other evidence is", "revoked u1 deleted")
	})
}

// What an earlier preview has brought, and nobody has answered, is on the list of the next, though its pages show nothing new.
func TestPreviewAfterAPreview(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		eightMembers(h)
		shown := join([]obs{personAs("u1", "suspended"), personAs("u2", "deleted")}, people(10)[2:], []obs{group("g", address)},
			members("g", true, ids(2, 9)...), members("g", false, "u1"))
		h.showAll(h.preview(), shown, "g")
		h.told()
		h.showAll(h.preview(), shown, "g")
		h.expect("", "closed refresh#1 r1 withdrawn +1 -2", "opened refresh#2 r1 +1 -2 of 8", "refreshed users=9 groups=1 granted=0 revoked=0 removed=0 unproven=0 refresh#2 r1 +1 -2", "listed refresh#2 r1 u1:-suspended u2:-deleted u9:+group-member")
		h.clock.Advance(week)
		h.tick()
		h.expect("nobody comes", "closed refresh#2 r1 expired +1 -2", "reason u1 held", "reason u2 held", "granted u9 group-member")
	})
}

// What a preview that failed has brought is decided as ever.
func TestPreviewThatFails(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		eightMembers(h)
		id := h.preview()
		h.at++
		h.snapshotPage("contoso", id, h.at, personAs("u1", "suspended"))
		h.snapshotEnded("contoso", id, h.at, 2, "g")
		h.tick()
		h.expect("", "refresh", "refreshed users=10 groups=1 granted=0 revoked=0 removed=0 unproven=0 1 of 2 pages arrived",
			"revoked u1 suspended")
	})
}

// The snapshot is one of nested groups too large for a page.
func TestPreviewOfManyAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		all := join(people(9), []obs{group("g", address), group("h"), nested("g", "h", true), member("g", "u9", true)},
			members("h", true, ids(1, 8)...))
		h.read(all, "g", "h")
		h.told()
		all[11] = nested("g", "h", false)
		h.showAll(h.preview(), all, "g")
		got := h.told()
		if got[0] != "opened refresh#1 r1 +0 -8 of 9" || len(got) != 1+1+4 {
			t.Fatalf("a list, and nothing else: %v", got)
		}
	})
}

func TestPreviewWithNothingToChange(t *testing.T) {
	t.Parallel()
	both, _ := twoProducts()
	each(t, func(t *testing.T, h *harness) {
		h.tenants["contoso"] = contoso()
		eightMembers(h)
		id := h.preview()
		h.tenants["contoso"] = both // the second product comes in between: its first policy is none that would be previewed
		h.showAll(id, join(people(10), []obs{group("g", address)}, members("g", true, ids(1, 8)...)), "g")
		got := h.told()
		if len(got) != 12 || got[0] != "policy all-users" || got[11] != "refreshed users=10 groups=1 granted=10 revoked=0 removed=0 unproven=0" {
			t.Errorf("nothing is held: %v", got)
		}
		if n := h.rowsIn("held"); n != 0 {
			t.Errorf("%d held changes are left", n)
		}
		if _, _, err := h.applier.Tick(t.Context(), apply.Owner{}); err != nil {
			t.Error(err)
		}
	}, both)
}

// A frozen tenant is previewed like any other; nothing of it can be approved.
func TestPreviewOfAFrozenTenant(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		eightMembers(h)
		h.freeze(true)
		h.told()
		h.showAll(h.preview(), join(people(10), []obs{group("g", address)}, members("g", true, ids(2, 9)...), members("g", false, "u1")), "g")
		h.expect("", "opened refresh#1 r1 +1 -1 of 8", "refreshed users=10 groups=1 granted=0 revoked=0 removed=1 unproven=0 refresh#1 r1 +1 -1", "listed refresh#1 r1 u1:-not-a-member u9:+group-member")
		h.approve("refresh#1", 1)
		h.expect("not now", "refused frozen")
		h.freeze(false)
		h.approve("refresh#1", 1)
		h.tick()
		h.expect("", "settings paused=false frozen=false connected=true hold 20% 5 604800s", "done",
			"closed refresh#1 r1 approved +1 -1 user:ops", "done refresh#1 r1", "revoked u1 not-a-member", "granted u9 group-member")
	})
}
