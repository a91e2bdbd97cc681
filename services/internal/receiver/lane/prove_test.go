package lane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

func gone(group string) directory.Observation {
	return directory.Observation{Group: &directory.Group{ID: group, Deleted: true}}
}

func member(group, user string) event.Membership {
	return event.Membership{GroupID: group, MemberKind: string(directory.UserMember), MemberID: user}
}

// proved gives the command and returns what is told before its end.
func (b *bench) proved(read event.ReadRequested, unproven int) story {
	b.t.Helper()
	read.Snapshot = "s-1"
	b.command("c-1", &read)
	s := b.until(event.TypeCandidatesRead, "c-1")
	want := event.CandidatesRead{Snapshot: "s-1", Request: "c-1", Unproven: unproven}
	if diff := cmp.Diff(want, data[event.CandidatesRead](b.t, s.last())); diff != "" {
		b.t.Errorf("candidates read (-want +got):\n%s", diff)
	}
	b.clock.BlockUntil(1)
	if left, err := b.store.Commands(b.t.Context(), "contoso"); err != nil || len(left) != 0 {
		b.t.Errorf("commands left: %v, %v", left, err)
	}
	return s
}

func TestCandidatesAreRead(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) {
		fill(3)(d)
		watched(d)
		d.PutGroup(group("g2", "other@contoso.com"))
	})
	b.dir.DeleteUser("u3")
	b.dir.DeleteGroup("g2")
	b.dir.Remove("g1", "u2")
	b.dir.Lose(3)
	s := b.proved(event.ReadRequested{
		Users: []string{"u1", "u3"}, Groups: []string{"g2"}, Members: []event.Membership{member("g1", "u1"), member("g1", "u2")},
	}, 0)
	s.says(t, "u1", "-u3", "-g2", "g1>u1", "g1-u2")
	for _, page := range s.pages(t) {
		if page.Snapshot != "" {
			t.Errorf("a proof is part of snapshot %s", page.Snapshot)
		}
	}
	var lists int
	for _, c := range b.dir.Calls() {
		if c.Method == "Members" {
			lists++
		}
	}
	if lists != 1 {
		t.Errorf("the group's members were listed %d times", lists)
	}
}

// A read that fails removes nothing (design, §10.2).
func TestCandidatesThatCannotBeReadStay(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) {
		fill(3)(d)
		watched(d)
	})
	b.dir.DeleteUser("u3")
	b.dir.Remove("g1", "u2")
	b.dir.Lose(2)
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Members" || (c.Method == "User" && c.ID == "u3") {
			return errors.New("forbidden")
		}
		return nil
	}
	s := b.proved(event.ReadRequested{Users: []string{"u1", "u3"}, Members: []event.Membership{member("g1", "u1"), member("g1", "u2")}}, 3)
	s.says(t, "u1")
}

func TestSuspiciouslyEmptyListProvesNothing(t *testing.T) {
	t.Parallel()
	b := connected(t, func(d *receivertest.Directory) { d.PutGroup(group("g1", address)) })
	var five []event.Membership
	for i := range 5 {
		five = append(five, member("g1", fmt.Sprintf("u%d", i)))
	}
	b.proved(event.ReadRequested{Members: five}, 5).says(t)
	b.proved(event.ReadRequested{Members: five[:1]}, 0).says(t, "g1-u0")
}

// A group that everybody has left is empty: two lists say so.
func TestListsThatStayEmptyProveThatAllHaveLeft(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	var five []event.Membership
	for i := range 5 {
		five = append(five, member("g1", fmt.Sprintf("u%d", i)))
	}
	all := event.ReadRequested{Members: five}
	b.dir.Hold() // no feed tells
	b.dir.Remove("g1", "u1")
	b.dir.Remove("g1", "u2")
	b.proved(all, 5).says(t)
	b.advance(vanish - time.Millisecond)
	b.proved(all, 5).says(t)
	b.dir.Add("g1", "u4")
	b.proved(all, 0).says(t, "g1-u0", "g1-u1", "g1-u2", "g1-u3", "g1>u4")
	b.dir.Remove("g1", "u4")
	b.advance(time.Hour)
	b.proved(all, 5).says(t)
	b.dir.Release()
	b.dir.Add("g1", "u5")
	b.round()
	b.dir.Hold()
	b.dir.Remove("g1", "u5")
	b.advance(vanish)
	b.proved(all, 5).says(t) // somebody was in it meanwhile
	b.advance(vanish)
	b.proved(all, 0).says(t, "g1-u0", "g1-u1", "g1-u2", "g1-u3", "g1-u4")
}

func TestWatchedGroupIsNoPlainCandidate(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.DeleteGroup("g1")
	b.dir.Lose(3)
	s := b.proved(event.ReadRequested{Groups: []string{"g1"}}, 1)
	s.says(t)
	b.advance(vanish)
	b.until(event.TypeDirectoryObserved, "c-1").says(t, "-g1")
}

// A replica that is behind the complete read shows the group once more, and a feed that began with that read tells nothing.
func TestWatchedGroupThatACompleteReadMissedTakesTwoReads(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"gone": "-g1", "there": "g1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := connected(t, watched)
			b.dir.Hold()
			stale := name == "gone"
			if stale {
				b.dir.DeleteGroup("g1")
			}
			b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
				switch {
				case c.Method == "Group" && stale:
					watched(b.dir)
					stale = false
				case name == "gone" && !stale:
					b.dir.Intercept = nil
					b.dir.DeleteGroup("g1")
				}
				return nil
			}
			b.proved(event.ReadRequested{Groups: []string{"g1"}}, 1).says(t)
			stop := b.passing(vanish)
			b.until(event.TypeDirectoryObserved, "c-1").says(t, want)
			stop()
		})
	}
}

func TestHopelessProofEnds(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(1))
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "User" {
			return errors.New("down")
		}
		return nil
	}
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("u%d", i))
	}
	before := len(b.dir.Calls())
	b.proved(event.ReadRequested{Users: ids}, 100).says(t)
	if n := len(b.dir.Calls()) - before; n > 10 {
		t.Errorf("%d requests to a provider that is down", n)
	}
}

func TestHintsPassAProof(t *testing.T) {
	t.Parallel()
	b := connected(t, fill(9))
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "User" && c.ID == "u2" {
			b.dir.PutUser(user("u10"))
			b.hint("hint-1", "user", "u10")
		}
		return nil
	}
	s := b.proved(event.ReadRequested{Users: []string{"u1", "u2", "u3"}}, 0)
	s.says(t, "u1", "u2", "u10", "u3")
	if !slices.Contains(s.types(), event.TypeRoundEnded) {
		t.Error("no round went between")
	}
}

// The pages of a proof name the request that it answers, and no snapshot: so whoever asked knows them from all others. Those
// that say that a watched group is gone do so too, though they come later, when that is proved.
func TestPagesOfAProofNameTheirRequest(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T, func(*receivertest.Directory)) *bench{"feeds": connected, "lists": journaled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, func(d *receivertest.Directory) {
				fill(4)(d)
				watched(d)
				d.PutGroup(group("n1", "n1@contoso.com"))
				d.Nest("g1", "n1")
			})
			b.dir.Hold() // no feed tells
			b.dir.DeleteUser("u4")
			b.dir.Remove("g1", "u2")
			b.dir.DeleteGroup("n1")
			b.command("r-1.proof.0", &event.ReadRequested{
				Snapshot: "r-1", Users: []string{"u4"}, Groups: []string{"n1"}, Members: []event.Membership{member("g1", "u2")},
			})
			s := b.until(event.TypeCandidatesRead, "r-1.proof.0")
			s.says(t, "-u4", "g1-u2")
			b.advance(vanish)
			for !slices.Contains(s.said(t), "-n1") {
				s = append(s, b.until(event.TypeDirectoryObserved, "r-1.proof.0")...)
			}
			for _, m := range s {
				if m.Event.Type() != event.TypeDirectoryObserved {
					continue
				}
				if page := data[event.DirectoryObserved](t, m.Event); page.Snapshot != "" || event.Cause(m.Event) != "r-1.proof.0" {
					t.Errorf("a page of snapshot %q and cause %q: %+v", page.Snapshot, event.Cause(m.Event), page.Observations)
				}
			}
		})
	}
}
