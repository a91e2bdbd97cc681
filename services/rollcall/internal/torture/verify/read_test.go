package verify_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// TestRecordIsReadFromTheStreams: of the tenant and of nobody else, and a chain goes from one stream to another.
func TestRecordIsReadFromTheStreams(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	s := newStage(t)
	s.passes(time.Hour)
	publish := func(of, subject, eventType string, meta event.Meta, data any) string {
		t.Helper()
		meta.Source, meta.Time, meta.Tenant = "urn:rollcall:test", s.now, of
		ev, err := event.New(eventType, meta, data)
		if err == nil {
			_, err = b.Publish(t.Context(), subject, ev)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.passes(time.Second)
		return meta.ID
	}
	var hint string
	for _, of := range []string{tenant, "fabrikam"} {
		publish(of, event.PolicySubject(of, product), event.TypePolicyChanged, event.Meta{ID: of + ".1", Sequence: 1},
			event.PolicyChanged{Tenant: of, Product: product, Mode: "group-members", Group: root})
		publish(of, event.LicenseSubject(of, product, "ann"), event.TypeLicenseGranted, event.Meta{ID: of + ".2", Sequence: 2},
			event.Entitlement{Tenant: of, Product: product, User: "ann", Licensed: true, Reason: "group-member"})
		hint = publish(of, event.NotificationSubject(of, directory.Entra), event.TypeNotificationReceived, event.Meta{ID: of + ".hint"},
			event.NotificationReceived{})
		page := publish(of, event.DirectorySubject(of, "page"), event.TypeDirectoryObserved, event.Meta{ID: of + ".page", Cause: hint},
			event.DirectoryObserved{Stamp: event.Stamp{Epoch: 1, Counter: 1}, Observations: []event.Observation{member(root, "ann", false)}})
		command := publish(of, event.CommandSubject(of, event.VerbSeats), event.TypeSeatsRequested, event.Meta{ID: of + ".command", Cause: page},
			event.SeatsRequested{Product: product, By: "cli"})
		publish(of, event.LicenseSubject(of, product, "ann"), event.TypeLicenseRevoked, event.Meta{ID: of + ".3", Sequence: 3, Cause: command},
			event.Entitlement{Tenant: of, Product: product, User: "ann", Reason: "not-a-member"})
	}
	record, err := verify.ReadRecord(t.Context(), b, tenant)
	if err != nil {
		t.Fatal(err)
	}
	s.record, s.now = record, dawn
	s.join(root, "ann")
	s.want(0, 0, 1)
	r := s.report()
	var chain []string
	for _, l := range r.Unjustified[0].Chain {
		if l.Type == "" || l.At.IsZero() {
			t.Errorf("%s of the chain was not found", l.ID)
		}
		chain = append(chain, l.ID)
	}
	if len(chain) != 3 || chain[2] != tenant+".hint" {
		t.Errorf("the chain is %v", chain)
	}
	var again verify.Report
	if raw, err := json.Marshal(r); err != nil || json.Unmarshal(raw, &again) != nil || again.String() != r.String() {
		t.Errorf("as JSON it is another report: %v\n%s", err, again)
	}
}

// pages is a log that tells a few entries at a time.
type pages []control.Entry

func (p pages) Changes(_ context.Context, _ string, after uint64) ([]control.Entry, error) {
	rest := p[min(after, uint64(len(p))):]
	return rest[:min(2, len(rest))], nil
}

func TestTimelineIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	var log pages
	for v := range uint64(5) {
		log = append(log, control.Entry{Version: v + 1, At: dawn, Kind: control.UserEntry, ID: "ann", User: &control.User{Status: directory.Suspended}})
	}
	log[4].User = &control.User{Status: directory.Active}
	timeline, err := verify.ReadTimeline(t.Context(), log, tenant)
	if err != nil {
		t.Fatal(err)
	}
	s := inGroup(t, "ann")
	s.timeline = timeline
	s.revoked("ann", "suspended", s.page("", user("ann", directory.Suspended)))
	s.want(0, 0, 1)

	if err := timeline.Add(control.Entry{Version: 7, Kind: control.UserEntry}); err == nil {
		t.Error("an entry that is missing goes unnoticed")
	}
	if err := timeline.Add(control.Entry{Version: 6, Kind: "another"}); err == nil {
		t.Error("an entry that nobody understands goes unnoticed")
	}
}

func TestOtherTenantsAreLeftOut(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	ev, err := event.New(event.TypeLicenseRevoked, event.Meta{
		ID: "fabrikam.1", Source: "urn:rollcall:test", Time: s.now, Tenant: "fabrikam", Sequence: 1,
	}, event.Entitlement{Product: product, User: "ann", Reason: "not-a-member"})
	if err == nil {
		err = s.record.Add(ev)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.want(0, 0, 0)
}

func TestFaultsOfTheRecord(t *testing.T) {
	t.Parallel()
	s := inGroup(t, "ann")
	s.leave(root, "ann")
	left := s.page("", member(root, "ann", false))
	s.revoked("ann", "not-a-member", left)
	s.revoked("ann", "not-a-member", left)
	s.wantText("revokes what user ann did not have")
	s.sequence--
	s.revoked("ann", "not-a-member", left)
	s.wantText("is told 2 times")
	s.sequence++
	s.granted("ann", left)
	s.wantText("has sequence 6, behind 4")
	if r := s.report(); r.OK() || len(r.Faults) != 3 {
		t.Errorf("%d faults: %s", len(r.Faults), r)
	}
}
