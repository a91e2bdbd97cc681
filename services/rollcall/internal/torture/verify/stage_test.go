package verify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const (
	tenant  = "contoso"
	product = "secure-share"
	address = "seats@contoso.com"
	root    = "root" // the provisioning group, with that address unless a test says otherwise
)

var dawn = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// stage is a directory and the streams about it, both invented, under one clock that every act moves on by a second.
type stage struct {
	t        testing.TB
	now      time.Time
	timeline *verify.Timeline
	record   *verify.Record
	version  uint64
	stamp    uint64
	sequence uint64
	ids      int
}

func newStage(t testing.TB) *stage {
	t.Helper()
	return &stage{t: t, now: dawn, timeline: verify.NewTimeline(), record: verify.NewRecord(tenant)}
}

// inGroup is a stage where a group is in force that has the users, who are licensed and have been for an hour.
func inGroup(t testing.TB, users ...string) *stage {
	t.Helper()
	s := newStage(t)
	s.group(root, address)
	s.page("", group(root, address))
	policy := s.policy(root, "")
	for _, u := range users {
		s.user(u, directory.Active)
		s.join(root, u)
		s.granted(u, s.page(policy, user(u, directory.Active), member(root, u, true)))
	}
	s.passes(time.Hour)
	return s
}

func (s *stage) passes(d time.Duration) { s.now = s.now.Add(d) }

// The directory.

func (s *stage) log(e control.Entry) {
	s.t.Helper()
	s.passes(time.Second)
	s.version++
	e.Version, e.At = s.version, s.now
	if err := s.timeline.Add(e); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) user(id string, status directory.Status) {
	s.t.Helper()
	s.log(control.Entry{Kind: control.UserEntry, ID: id, User: &control.User{ID: id, Status: status}})
}

func (s *stage) group(id, address string) {
	s.t.Helper()
	s.log(control.Entry{Kind: control.GroupEntry, ID: id, Group: &control.Group{ID: id, Address: address}})
}

func (s *stage) link(kind control.EntryKind, group, member string) {
	s.t.Helper()
	s.log(control.Entry{Kind: kind, ID: group, Member: &control.Member{ID: member}})
}

func (s *stage) join(group, member string) { s.t.Helper(); s.link(control.JoinedEntry, group, member) }

func (s *stage) leave(group, member string) { s.t.Helper(); s.link(control.LeftEntry, group, member) }

// The streams.

func (s *stage) tell(eventType, id, cause string, sequence uint64, data any) string {
	s.t.Helper()
	s.passes(time.Second)
	ev, err := event.New(eventType, event.Meta{
		ID: id, Source: "urn:rollcall:test", Time: s.now, Tenant: tenant, Cause: cause, Sequence: sequence,
	}, data)
	if err == nil {
		err = s.record.Add(ev)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *stage) id(what string) string {
	s.ids++
	return fmt.Sprintf("%s-%d", what, s.ids)
}

func (s *stage) notified() string {
	s.t.Helper()
	return s.tell(event.TypeNotificationReceived, s.id("hint"), "", 0, event.NotificationReceived{})
}

func (s *stage) command(eventType string, data any) string {
	s.t.Helper()
	return s.tell(eventType, s.id("command"), "", 0, data)
}

func (s *stage) page(cause string, observations ...event.Observation) string {
	s.t.Helper()
	s.stamp++
	return s.stamped(s.stamp, cause, observations...)
}

func (s *stage) stamped(stamp uint64, cause string, observations ...event.Observation) string {
	s.t.Helper()
	return s.tell(event.TypeDirectoryObserved, s.id("page"), cause, 0, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: stamp}, Observations: observations,
	})
}

func (s *stage) publish(eventType, cause string, data any) string {
	s.t.Helper()
	s.sequence++
	return s.tell(eventType, event.LicenseID(tenant, product, s.sequence), cause, s.sequence, data)
}

func (s *stage) policy(group, cause string) string {
	s.t.Helper()
	mode := "group-members"
	if group == "" {
		mode = "all-users"
	}
	return s.publish(event.TypePolicyChanged, cause, event.PolicyChanged{Tenant: tenant, Product: product, Mode: mode, Group: group})
}

func (s *stage) granted(user, cause string) {
	s.t.Helper()
	s.publish(event.TypeLicenseGranted, cause, event.Entitlement{Product: product, User: user, Licensed: true, Reason: "group-member"})
}

func (s *stage) revoked(user, reason, cause string) {
	s.t.Helper()
	s.publish(event.TypeLicenseRevoked, cause, event.Entitlement{Product: product, User: user, Reason: reason})
}

func user(id string, status directory.Status) event.Observation {
	return event.Observation{User: &event.User{ID: id, Status: string(status)}}
}

func group(id string, addresses ...string) event.Observation {
	return event.Observation{Group: &event.Group{ID: id, Addresses: addresses}}
}

func member(group, id string, present bool) event.Observation {
	return event.Observation{Membership: &event.Membership{GroupID: group, MemberKind: "user", MemberID: id, Present: present}}
}

// The verdict.

func (s *stage) report() verify.Report {
	return verify.Revocations(verify.Config{Product: product, Address: address}, s.timeline, s.record)
}

func (s *stage) want(justified, late, unjustified int) {
	s.t.Helper()
	r := s.report()
	if r.Justified != justified || r.Late != late || len(r.Unjustified) != unjustified || len(r.Faults) != 0 {
		s.t.Errorf("want %d justified, %d late, %d unjustified and no faults:\n%s", justified, late, unjustified, r)
	}
}

func (s *stage) wantText(all ...string) {
	s.t.Helper()
	text := s.report().String()
	for _, want := range all {
		if !strings.Contains(text, want) {
			s.t.Errorf("not said: %q\n%s", want, text)
		}
	}
}
