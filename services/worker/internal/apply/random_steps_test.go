package apply_test

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// steps are what may happen, the more often the more likely.
var steps = slices.Concat(
	slices.Repeat([]string{"page"}, 14), slices.Repeat([]string{"settle", "tick"}, 4), slices.Repeat([]string{"prove", "preview page", "seats"}, 2),
	[]string{
		"round", "wait", "check", "snapshot", "settings", "freeze", "pause", "preview", "preview", "preview end", "redeliver", "restart", "domain", "disconnect",
		"connection",
	},
)

// next is what happens next. Nothing is left as it is for long: what is open is closed, and who is disconnected comes back.
func (s *scenario) next() string {
	var soon []string
	for _, l := range s.laws {
		if len(l.record.holds) > 0 {
			soon = append(soon, "approve", "approve", "reject", "wait")
		}
	}
	if !s.model.follows() {
		soon = append(soon, "connect")
	}
	if s.model.restoring {
		soon = append(soon, "snapshot")
	}
	if s.model.paused {
		soon = append(soon, "pause")
	}
	if s.model.frozen {
		soon = append(soon, "freeze")
	}
	switch {
	case s.preview.ended && len(s.proofs) > 0:
		soon = append(soon, "prove", "prove", "check")
	case s.preview.pages > 0 && !s.preview.ended:
		soon = append(soon, "preview end", "preview end")
	case s.preview.id != "" && !s.preview.ended:
		soon = append(soon, "preview page", "preview page")
	}
	if len(soon) > 0 && s.once(2) {
		return one(s, soon)
	}
	return one(s, steps)
}

func (s *scenario) step() {
	what := s.next()
	switch what {
	case "page":
		s.randomPage()
	case "round":
		s.round(time.Duration(s.fair(3))*time.Minute, s.someGroups(), s.someGroups())
	case "settle":
		s.clock.Advance(settle)
		s.round(0, nil, nil)
		s.check()
	case "wait":
		s.clock.Advance(one(s, []time.Duration{time.Minute, 9 * time.Minute, time.Hour, week}))
	case "tick":
		s.tickOnce()
	case "check":
		s.check()
	case "snapshot":
		s.randomSnapshot()
	case "preview page":
		s.previewPage()
	case "preview end":
		s.previewEnd(s.once(4))
	case "prove":
		s.prove()
	case "redeliver":
		s.redeliver()
	case "restart":
		if s.begin(); s.once(8) {
			s.restart()
		}
	case "connection":
		s.connection()
	case "domain":
		tn := s.tenants[s.id]
		tn.Domain = one(s, []string{"contoso.com", "contoso.org"})
		s.tenants[s.id] = tn
	default:
		s.command(what)
	}
}

// fair draws a number below n, each as likely: rapid's own numbers are small more often than not, and so would be what happens.
func (s *scenario) fair(n int) int {
	drawn := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(s.t, "of "+strconv.Itoa(n)) {
		if drawn *= 2; bit {
			drawn++
		}
	}
	return drawn % n
}

// once is true one time in n.
func (s *scenario) once(n int) bool { return s.fair(n) == n-1 }

func one[T any](s *scenario, of []T) T { return of[s.fair(len(of))] }

// tickOnce does one piece of work that no message brings.
func (s *scenario) tickOnce() (more bool) {
	s.t.Helper()
	s.begins(nil, "")
	more = s.harness.tickOnce()
	s.ends()
	if more {
		s.takeUnheard()
	}
	return more
}

var (
	someUsers  = []string{"ann", "bob", "cid", "dan", "eve", "fay"}
	someGroups = []string{"g", "h", "i"}
)

// someGroups are none, more often than not.
func (s *scenario) someGroups() []string {
	if n := s.fair(4 * len(someGroups)); n < len(someGroups) {
		return []string{someGroups[n]}
	}
	return nil
}

func (s *scenario) randomPage() {
	s.stamp++
	at := s.stamp
	if s.once(4) {
		at -= uint64(s.fair(10))
	}
	s.observe("", "hint", at, s.randomObservations(6))
}

func (s *scenario) randomObservations(most int) (observations []directory.Observation) {
	named := map[string]bool{} // a request shows a thing once
	for range 1 + s.fair(most) {
		if o := s.randomObservation(); !named[nameOf(o)] {
			named[nameOf(o)] = true
			observations = append(observations, o)
		}
	}
	return observations
}

func nameOf(o directory.Observation) string {
	switch {
	case o.User != nil:
		return o.User.ID
	case o.Group != nil:
		return o.Group.ID
	default:
		return fmt.Sprint(o.Membership.GroupID, o.Membership.Kind, o.Membership.ID)
	}
}

func (s *scenario) randomObservation() directory.Observation {
	id := one(s, someUsers)
	in := one(s, someGroups)
	present := !s.once(3)
	switch one(s, []string{"user", "user", "group", "member", "member", "member", "nested", "everybody"}) {
	case "user":
		return s.randomUser(id)
	case "group":
		return s.randomGroup(in)
	case "member":
		return member(in, id, present)
	case "nested":
		return nested(in, one(s, someGroups), present)
	default:
		return everybody(in, s.once(5))
	}
}

func (s *scenario) randomUser(id string) directory.Observation {
	status := one(s, []directory.Status{
		directory.Active, directory.Active, directory.Active, directory.Suspended, directory.Archived, directory.Deleted,
	})
	if status == directory.Deleted {
		return directory.Observation{User: &directory.User{ID: id, Status: status}}
	}
	o := personAs(id, status)
	o.User.Guest = s.once(8)
	return o
}

func (s *scenario) randomGroup(id string) directory.Observation {
	if s.once(6) {
		return noGroup(id)
	}
	all := []string{"own-" + id + "@contoso.com"}
	for _, address := range []string{
		"virtru-secure-share-provisioning-group@contoso.com", "mail-gate-users@contoso.com",
		"virtru-secure-share-provisioning-group@contoso.org", "mail-gate-users@contoso.org",
	} {
		if s.once(3) {
			all = append(all, address)
		}
	}
	return group(id, all...)
}

func (s *scenario) randomSnapshot() {
	s.snapshots++
	id := fmt.Sprintf("s%d", s.snapshots)
	s.stamp++
	first := s.stamp
	s.observe(id, "hint", first, s.randomObservations(8))
	s.snapshotIs(id, first, 1, 1)
}

// snapshotIs delivers the end of a complete read of so many pages, of which so many were applied.
func (s *scenario) snapshotIs(id string, began uint64, pages, applied int) {
	if !s.model.follows() {
		applied = 0
	}
	members := one(s, [][]string{{}, {"g"}, {"g", "h"}, someGroups})
	s.send1(event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: id, Began: event.Stamp{Epoch: 1, Counter: began}, Users: true, Groups: true, Members: members, Pages: pages,
	}, func() {
		if applied < pages {
			return
		}
		s.model.snapshotEnded(s.clock.Now(), began, members)
		if id != s.preview.id {
			s.preview.applied = 0 // a tenant is read in full once at a time: the other read is given up
		}
	})
}

// prove answers a request for proof.
func (s *scenario) prove() {
	if len(s.proofs) == 0 {
		return
	}
	asked := s.proofs[0]
	s.proofs = s.proofs[1:]
	r := dataOf[event.ReadRequested](s.t, asked)
	var observations []directory.Observation
	for _, id := range r.Users {
		switch s.fair(3) {
		case 0:
			observations = append(observations, directory.Observation{User: &directory.User{ID: id, Status: directory.Deleted}})
		case 1:
			observations = append(observations, person(id))
		}
	}
	for _, id := range r.Groups {
		if s.once(2) {
			observations = append(observations, noGroup(id))
		}
	}
	for _, m := range r.Members {
		member := directory.Membership{GroupID: m.GroupID, Kind: directory.MemberKind(m.MemberKind), ID: m.MemberID}
		member.Present = s.once(2)
		observations = append(observations, directory.Observation{Membership: &member})
	}
	if s.stamp++; len(observations) > 0 {
		s.observe("", asked.ID(), s.stamp, observations)
	}
	s.send1(event.TypeCandidatesRead, event.CandidatesRead{Snapshot: r.Snapshot, Request: asked.ID()}, func() {})
}

func (s *scenario) redeliver() {
	if len(s.delivered) == 0 {
		return
	}
	for _, m := range s.delivered[s.fair(len(s.delivered)):] {
		if err := s.deliver(m); err != nil {
			s.t.Fatal(err)
		}
	}
	if fresh := s.drain(); len(fresh) > 0 {
		s.t.Fatalf("a second delivery has brought %v", fresh)
	}
}
