package verify_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestWhatIsSoIsJustified(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann", "bob", "cat", "dan")
	s.leave(root, "ann")
	s.revoked("ann", "not-a-member", s.page(s.notified(), member(root, "ann", false)))
	s.user("bob", directory.Suspended)
	s.revoked("bob", "suspended", s.page("", user("bob", directory.Suspended)))
	s.log(control.Entry{Kind: control.UserEntry, ID: "cat"}) // for good
	s.revoked("cat", "deleted", s.page("", user("cat", directory.Deleted)))
	s.log(control.Entry{Kind: control.UserEntry, ID: "dan", User: &control.User{ID: "dan", Status: directory.Active, Guest: true}})
	dan := user("dan", directory.Active)
	dan.User.Guest = true
	s.revoked("dan", "guest", s.page("", dan))
	s.want(4, 0, 0)
	s.wantText("contoso secure-share: 4 revocations (1 deleted, 1 guest, 1 not-a-member, 1 suspended): 4 justified, 0 true once")
}

func TestWhatNeverWasIsNot(t *testing.T) {
	t.Parallel()
	for reason, page := range map[string]event.Observation{
		"not-a-member": member(root, "ann", false), "suspended": user("ann", directory.Suspended),
		"deleted": user("ann", directory.Deleted), "guest": user("ann", directory.Active), "a-new-one": user("ann", directory.Active),
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			s := inGroup(t, "ann")
			s.revoked("ann", reason, s.page(s.notified(), page))
			s.want(0, 0, 1)
			s.wantText("user ann lost the license", "reason "+reason, "active, in group root")
		})
	}
}

// TestHealedLaterIsAFailureAllTheSame: what somebody's license is at the end says nothing of what it was.
func TestHealedLaterIsAFailureAllTheSame(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.granted("ann", s.page("", member(root, "ann", true)))
	s.want(0, 0, 1)
}

// TestReplicaThatFlapsBack: ann left and came back, which the mirror has followed; then a replica that is still behind shows
// once more that she has left.
func TestReplicaThatFlapsBack(t *testing.T) {
	t.Parallel()
	for name, hinted := range map[string]bool{"by a poll": false, "after a hint": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inGroup(t, "ann")
			s.leave(root, "ann")
			s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
			s.join(root, "ann")
			s.granted("ann", s.page("", member(root, "ann", true)))
			s.passes(time.Second)
			hint := ""
			if hinted {
				hint = s.notified()
			}
			s.revoked("ann", "not-a-member", s.page(hint, member(root, "ann", false)))
			s.want(1, 0, 1)
			s.wantText("before that, from 10:00:08.000 on active, not in group root", "from 10:00:11.000 on active, in group root")
		})
	}
}

// TestNothingWasSeenSince: she was out for a while, but nobody has seen that since she got her license.
func TestNothingWasSeenSince(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.group(root, address)
	s.policy(root, s.page("", group(root, address)))
	s.user("ann", directory.Active)
	s.page("", member(root, "ann", false))
	s.join(root, "ann")
	s.granted("ann", s.page("", user("ann", directory.Active), member(root, "ann", true)))
	s.leave(root, "ann")
	s.join(root, "ann")
	s.passes(time.Minute)
	s.revoked("ann", "not-a-member", "")
	s.want(0, 0, 1)
	s.wantText("caused by nothing")
}

// TestMirrorThatLags: ann is back by the time that the mirror, which never saw her return, says that she has left.
func TestMirrorThatLags(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.leave(root, "ann")
	s.join(root, "ann")
	s.passes(time.Minute)
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.want(0, 1, 0)
}

// TestWorkerThatLags: the page was true; that the next one says otherwise is not known yet to who decides.
func TestWorkerThatLags(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.leave(root, "ann")
	left := s.page(s.notified(), member(root, "ann", false))
	s.join(root, "ann")
	back := s.page(s.notified(), member(root, "ann", true))
	s.passes(time.Minute)
	s.revoked("ann", "not-a-member", left)
	s.granted("ann", back)
	s.want(1, 0, 0)
}

// TestLateRedelivery: a page comes again behind one that undid it. It was true in its time, which is no excuse.
func TestLateRedelivery(t *testing.T) {
	t.Parallel()
	setting := func(t *testing.T) (s *stage, left string) {
		s = inGroup(t, "ann")
		s.leave(root, "ann")
		left = s.page(s.notified(), member(root, "ann", false))
		s.revoked("ann", "not-a-member", left)
		s.join(root, "ann")
		s.granted("ann", s.page(s.notified(), member(root, "ann", true)))
		s.passes(time.Minute)
		return s, left
	}
	t.Run("to the worker", func(t *testing.T) {
		t.Parallel()
		s, left := setting(t)
		s.revoked("ann", "not-a-member", left)
		s.want(1, 0, 1)
		s.wantText("which had been seen before what gave the license")
	})
	t.Run("to the stream, with its old stamp", func(t *testing.T) {
		t.Parallel()
		s, _ := setting(t)
		s.revoked("ann", "not-a-member", s.stamped(s.stamp-1, "", member(root, "ann", false)))
		s.want(1, 0, 1)
	})
}

// TestLatePageIsNoContraryEvidence: that ann was a member is told late, by a page that was asked for before she left.
func TestLatePageIsNoContraryEvidence(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.stamp += 10
	s.page("", user("ann", directory.Active), member(root, "ann", true))
	s.leave(root, "ann")
	s.join(root, "ann")
	s.stamped(s.stamp-1, "", member(root, "ann", true))
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.want(0, 1, 0)
}

func TestDeletedAndRestored(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.user("ann", directory.Deleted)
	s.leave(root, "ann")
	s.revoked("ann", "deleted", s.page("", user("ann", directory.Deleted)))
	s.user("ann", directory.Active)
	s.join(root, "ann")
	s.granted("ann", s.page("", user("ann", directory.Active), member(root, "ann", true)))
	s.want(1, 0, 0)

	s.passes(time.Minute) // a replica remembers that she was deleted
	s.revoked("ann", "deleted", s.page(s.notified(), user("ann", directory.Deleted)))
	s.want(1, 0, 1)
}

// TestRestoredInOneMutation: between the user's return and that of her links, under one time, nobody has seen anything.
func TestRestoredInOneMutation(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.user("ann", directory.Deleted)
	s.passes(-time.Second)
	s.leave(root, "ann")
	s.revoked("ann", "deleted", s.page("", user("ann", directory.Deleted)))
	s.user("ann", directory.Active)
	s.passes(-time.Second)
	s.join(root, "ann")
	s.granted("ann", s.page("", user("ann", directory.Active), member(root, "ann", true)))
	s.passes(time.Minute)
	hint := s.notified()
	s.revoked("ann", "not-a-member", s.page(hint, member(root, "ann", false)))
	s.want(1, 0, 1)
}

func TestNestedMembership(t *testing.T) {
	t.Parallel()
	s := inGroup(t)
	s.user("ann", directory.Active)
	for _, g := range []string{"outer", "inner"} {
		s.group(g, g+"@contoso.com")
	}
	s.join(root, "outer")
	s.join("outer", "inner")
	s.join("inner", "outer") // a cycle
	s.join("inner", "ann")
	nested := event.Observation{Membership: &event.Membership{GroupID: "outer", MemberKind: "group", MemberID: "inner", Present: true}}
	s.granted("ann", s.page("", user("ann", directory.Active), member("inner", "ann", true), nested))
	ended := event.Observation{Membership: &event.Membership{GroupID: "outer", MemberKind: "group", MemberID: "inner"}}
	s.passes(time.Minute)

	s.leave("outer", "inner")
	s.revoked("ann", "not-a-member", s.page("", ended))
	s.want(1, 0, 0)
	s.join("outer", "inner")
	s.granted("ann", s.page("", nested))
	s.passes(time.Minute)
	s.revoked("ann", "not-a-member", s.page("", ended)) // a replica that is behind
	s.want(1, 0, 1)
	s.granted("ann", s.page("", nested))

	s.log(control.Entry{Kind: control.GroupEntry, ID: "inner", Group: &control.Group{ID: "inner", Deleted: true}})
	s.revoked("ann", "not-a-member", s.page("", event.Observation{Group: &event.Group{ID: "inner", Deleted: true}}))
	s.want(2, 0, 1)
}

// TestGroupThatIsMadeAgain: under the id of one that is gone for good, without its members.
func TestGroupThatIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := inGroup(t)
	s.user("ann", directory.Active)
	s.group("inner", "inner@contoso.com")
	s.join(root, "inner")
	s.join("inner", "ann")
	s.granted("ann", s.page("", user("ann", directory.Active), member("inner", "ann", true)))
	s.log(control.Entry{Kind: control.GroupEntry, ID: "inner"})
	s.group("inner", "inner@contoso.com")
	s.passes(time.Hour)
	s.revoked("ann", "not-a-member", s.page(s.notified(), member("inner", "ann", false)))
	s.want(1, 0, 0)
}

// TestGroupInForceThatIsDeleted: until its end is proved and another policy is in force, its members stand.
func TestGroupInForceThatIsDeleted(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.log(control.Entry{Kind: control.GroupEntry, ID: root, Group: &control.Group{ID: root, Deleted: true}})
	s.revoked("ann", "not-a-member", s.page("", event.Observation{Group: &event.Group{ID: root, Deleted: true}}))
	s.want(0, 0, 1)
	s.wantText("which is not there")
}

func TestWholeCustomer(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.leave(root, "ann")
	s.log(control.Entry{Kind: control.JoinedEntry, ID: root, Member: &control.Member{ID: "C0123", Kind: directory.CustomerMember}})
	s.granted("ann", s.page("", event.Observation{Membership: &event.Membership{GroupID: root, MemberKind: "customer", Present: true}}))
	s.passes(time.Minute)
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.want(0, 0, 1)
	s.log(control.Entry{Kind: control.LeftEntry, ID: root, Member: &control.Member{ID: "C0123", Kind: directory.CustomerMember}})
	gone := s.page("", event.Observation{Membership: &event.Membership{GroupID: root, MemberKind: "customer"}})
	s.granted("ann", gone)
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.want(1, 0, 1)
}

func TestTolerance(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	page := s.page("", member(root, "ann", false))
	s.revoked("ann", "not-a-member", page)
	s.passes(-time.Second + verify.DefaultTolerance) // the clock of the directory is behind
	s.leave(root, "ann")
	s.want(1, 0, 0)

	s = inGroup(t, "ann")
	s.leave(root, "ann")
	s.join(root, "ann")
	s.passes(-time.Second + verify.DefaultTolerance/2) // and here it is ahead
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.want(1, 0, 0)

	s = inGroup(t, "ann")
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.passes(-time.Second + 2*verify.DefaultTolerance)
	s.leave(root, "ann")
	s.want(0, 0, 1)
}

// TestLagOfTheProvider: its API is known to show everything an hour late.
func TestLagOfTheProvider(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.leave(root, "ann")
	s.join(root, "ann")
	s.passes(30 * time.Minute)
	s.page("", member(root, "ann", true))
	s.revoked("ann", "not-a-member", s.page("", member(root, "ann", false)))
	s.want(0, 0, 1)
	r := verify.Revocations(verify.Config{Product: product, Address: address, Lag: time.Hour}, s.timeline, s.record)
	if !r.OK() || r.Late != 1 {
		t.Errorf("with the lag: %s", r)
	}
}
