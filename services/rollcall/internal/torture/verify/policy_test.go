package verify_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// everybody is a stage where all users are licensed.
func everybody(t *testing.T, users ...string) *stage {
	t.Helper()
	s := newStage(t)
	policy := s.policy("", "")
	for _, u := range users {
		s.user(u, directory.Active)
		s.granted(u, s.page(policy, user(u, directory.Active)))
	}
	s.passes(time.Hour)
	return s
}

func TestFlip(t *testing.T) {
	t.Parallel()
	s := everybody(t, "ann", "bob", "cat")
	s.group(root, address)
	s.join(root, "bob")
	round := s.page("", group(root, address), member(root, "bob", true))
	s.passes(10 * time.Minute) // it settles
	flip := s.policy(root, round)
	s.revoked("ann", "not-a-member", flip)
	s.want(1, 0, 0)
	s.revoked("bob", "not-a-member", flip) // who is a member all the time
	s.want(1, 0, 1)
	s.revoked("cat", "not-a-member", s.page("", user("cat", directory.Active))) // by a page, before the flip has come to her
	s.want(2, 0, 1)
}

// TestFlipThatLags: who joins while a flip is under way may lose the license by it, as she was not in the group when it was
// seen to count; it is known when that was, whatever told of the policy.
func TestFlipThatLags(t *testing.T) {
	t.Parallel()
	s := everybody(t, "ann", "bob")
	s.group(root, address)
	round := s.page("", group(root, address))
	s.join(root, "ann")
	s.join(root, "bob")
	s.passes(time.Minute)
	s.revoked("ann", "not-a-member", s.policy(root, ""))
	s.want(0, 1, 0)

	s.policy("", "")
	s.granted("ann", "")
	s.policy(root, round)
	s.revoked("bob", "not-a-member", s.page("", user("bob", directory.Active)))
	s.want(1, 1, 0)
}

// TestFlipToAGroupThatHasAnotherAddress: the mirror has the address from a replica that never was true.
func TestFlipToAGroupThatHasAnotherAddress(t *testing.T) {
	t.Parallel()
	s := everybody(t, "ann")
	s.group(root, "other@contoso.com")
	s.revoked("ann", "not-a-member", s.policy(root, s.page("", group(root, address))))
	s.want(0, 0, 1)
	s.wantText("which has the address", "not in group root, which has another address")
}

// TestRenameOfTheProvisioningGroup: one group loses the address, another takes it.
func TestRenameOfTheProvisioningGroup(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann", "bob")
	s.group("next", "next@contoso.com")
	s.join("next", "bob")
	s.page("", group("next", "next@contoso.com"), member("next", "bob", true))
	s.group(root, "old@contoso.com")
	s.group("next", address)
	flip := s.policy("next", s.page("", group(root, "old@contoso.com"), group("next", address)))
	s.revoked("ann", "not-a-member", flip)
	s.want(1, 0, 0)
	s.revoked("bob", "not-a-member", flip)
	s.want(1, 0, 1)
}

// TestMembersThatLeftBeforeAFlip: what was seen before the license was given counts, as the group did not count then.
func TestMembersThatLeftBeforeAFlip(t *testing.T) {
	t.Parallel()
	s := everybody(t, "ann")
	s.group(root, "later@contoso.com")
	s.join(root, "ann")
	s.page("", group(root, "later@contoso.com"), member(root, "ann", true))
	s.leave(root, "ann")
	s.page("", member(root, "ann", false))
	s.user("ann", directory.Suspended)
	s.revoked("ann", "suspended", s.page("", user("ann", directory.Suspended)))
	s.user("ann", directory.Active)
	s.granted("ann", s.page("", user("ann", directory.Active)))
	s.group(root, address)
	s.revoked("ann", "not-a-member", s.policy(root, s.page("", group(root, address))))
	s.want(2, 0, 0)
}

// TestAllUsersAreLicensed: nobody can be revoked for want of a group while none counts.
func TestAllUsersAreLicensed(t *testing.T) {
	t.Parallel()
	s := everybody(t, "ann")
	s.revoked("ann", "not-a-member", s.page("", user("ann", directory.Active)))
	s.want(0, 0, 1)
	s.wantText("not a member of a group, while all users are licensed")
}

// TestTornView: ann changes from one way into the group to another, and is read to have left before she is read to have joined.
func TestTornView(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.group("inner", "inner@contoso.com")
	s.join(root, "inner")
	s.page("", event.Observation{Membership: &event.Membership{GroupID: root, MemberKind: "group", MemberID: "inner", Present: true}})
	s.join("inner", "ann")
	s.leave(root, "ann")
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.want(0, 0, 1)
	s.wantText("who was in the group all the time, but by no one way that lasted")
}

func (s *stage) held(eventType, cause string, data any) string {
	s.t.Helper()
	return s.publish(eventType, cause, data)
}

// TestApprovalHoursLater: the page that put each on the list is what the revocation goes back to, hours before.
func TestApprovalHoursLater(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann", "bob", "cat")
	s.leave(root, "ann")
	s.leave(root, "bob")
	first := s.page(s.notified(), member(root, "ann", false), member(root, "bob", false))
	s.held(event.TypeHeldOpened, first, event.HeldOpened{Product: product, Held: "revocations-1", Kind: event.HeldRevocations})
	s.held(event.TypeHeldListed, first, event.HeldListed{Product: product, Held: "revocations-1", Users: []event.HeldUser{
		{User: "ann", Listed: true}, {User: "bob", Listed: true},
	}})
	s.passes(time.Minute)
	s.join(root, "bob")
	s.held(event.TypeHeldListed, s.page("", member(root, "bob", true)), event.HeldListed{
		Product: product, Held: "revocations-1", Users: []event.HeldUser{{User: "bob"}},
	})
	s.passes(3 * time.Hour)
	s.join(root, "ann") // the mirror does not know it yet
	approval := s.command(event.TypeApproveRequested, event.ApproveRequested{Product: product, Held: "revocations-1", By: "cli"})
	closed := s.held(event.TypeHeldClosed, approval, event.HeldClosed{
		Product: product, Held: "revocations-1", Outcome: event.HeldApproved, Kind: event.HeldRevocations, By: "cli",
	})
	s.revoked("ann", "not-a-member", closed)
	s.want(1, 0, 0)
	s.revoked("cat", "not-a-member", closed) // she was on no list, and a member all the time
	s.want(1, 0, 1)
	s.wantText("caused by "+closed, "caused by "+approval, "caused by "+first+" of", "user cat")
}

// TestListedLater: what opened a list is no ground for whom something else put on it later.
func TestListedLater(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann", "bob")
	s.leave(root, "bob")
	s.leave(root, "ann")
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	hint := s.notified()
	s.join(root, "ann")
	s.granted("ann", s.page("", member(root, "ann", true)))
	opened := s.page(hint, member(root, "bob", false))
	s.held(event.TypeHeldOpened, opened, event.HeldOpened{Product: product, Held: "revocations-1", Kind: event.HeldRevocations})
	s.passes(time.Minute)
	flapped := s.page("", member(root, "ann", false))
	s.held(event.TypeHeldListed, flapped, event.HeldListed{Product: product, Held: "revocations-1", Users: []event.HeldUser{{User: "ann", Listed: true}}})
	s.revoked("ann", "not-a-member", s.held(event.TypeHeldClosed, "", event.HeldClosed{Product: product, Held: "revocations-1"}))
	s.want(1, 0, 1)
}

// TestApprovedFlip: the chain of the policy is followed to what had opened the list.
func TestApprovedFlip(t *testing.T) {
	t.Parallel()
	s := everybody(t, "ann")
	s.group(root, address)
	page := s.page(s.notified(), group(root, address))
	s.held(event.TypeHeldOpened, page, event.HeldOpened{Product: product, Held: "flip-1", Kind: event.HeldFlip})
	s.passes(3 * time.Hour)
	s.join(root, "ann") // after it was put before somebody
	closed := s.held(event.TypeHeldClosed, s.command(event.TypeApproveRequested, event.ApproveRequested{}), event.HeldClosed{
		Product: product, Held: "flip-1", Outcome: event.HeldApproved, Kind: event.HeldFlip,
	})
	s.revoked("ann", "not-a-member", s.policy(root, closed))
	s.want(1, 0, 0)
}

// TestHeldRevocationThatIsCarriedOut: a license that stands only because its end is parked was not given anew.
func TestHeldRevocationThatIsCarriedOut(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.leave(root, "ann")
	hint := s.notified()
	s.join(root, "ann")
	left := s.page(hint, member(root, "ann", false))
	s.held(event.TypeHeldOpened, left, event.HeldOpened{Product: product, Held: "freeze-1", Kind: event.HeldFreeze})
	s.publish(event.TypeLicenseReasonChanged, left, event.Entitlement{Product: product, User: "ann", Licensed: true, Reason: "held"})
	s.passes(time.Hour)
	s.revoked("ann", "not-a-member", s.held(event.TypeHeldClosed, s.command(event.TypeSettingsRequested, event.SettingsRequested{}),
		event.HeldClosed{Product: product, Held: "freeze-1", Outcome: event.HeldApproved, Kind: event.HeldFreeze}))
	s.want(1, 0, 0)
}

func TestDisconnected(t *testing.T) {
	t.Parallel()
	for licenses, justified := range map[string]int{event.LicensesRevoke: 1, event.LicensesKeep: 0} {
		t.Run(licenses, func(t *testing.T) {
			t.Parallel()
			s := inGroup(t, "ann")
			cause := s.command(event.TypeDisconnectRequested, event.DisconnectRequested{Licenses: licenses, By: "cli"})
			s.publish(event.TypeSettingsChanged, cause, event.SettingsChanged{Product: product, Connected: false})
			s.revoked("ann", "disconnected", cause)
			s.want(justified, 0, 1-justified)
		})
	}
}

func TestSeats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		purchased int
		enforce   bool
		justified int
	}{"too few": {1, true, 1}, "enough": {2, true, 0}, "too few, and no limit": {1, false, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inGroup(t, "ann", "bob")
			cause := s.publish(event.TypeSeatsChanged, "", event.SeatsChanged{Product: product, Purchased: &c.purchased, Enforce: c.enforce})
			s.revoked("ann", "over-seat-limit", cause)
			s.want(c.justified, 0, 1-c.justified)
		})
	}
}

// TestAnApprovalIsNoGround: who approves says nothing of the directory, whatever clock they have.
func TestAnApprovalIsNoGround(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.leave(root, "ann")
	s.passes(-time.Second)
	approval := s.command(event.TypeApproveRequested, event.ApproveRequested{})
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.join(root, "ann")
	s.granted("ann", s.page("", member(root, "ann", true)))
	s.passes(time.Minute)
	s.revoked("ann", "not-a-member", s.held(event.TypeHeldClosed, approval, event.HeldClosed{Product: product, Held: "none"}))
	s.want(1, 0, 1)
}
