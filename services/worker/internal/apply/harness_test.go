package apply_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// fataler is what *testing.T, *testing.B and *rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

const (
	settle  = 10 * time.Minute
	address = "virtru-secure-share-provisioning-group@contoso.com"
)

var began = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// harness feeds an Applier as the worker does, and reads its outbox as the relay does.
type harness struct {
	t       fataler
	path    string
	ledger  *ledger.Ledger
	applier *apply.Applier
	clock   *clock.Fake
	tenants map[string]tenant.Tenant
	last    apply.Result // of the transaction before

	stream  uint64 // sequence of the last message
	created time.Time
	chunk   int
	valid   *eventtest.Validator
	events  []event.Event // that were in the outbox, in order
}

func contoso() tenant.Tenant {
	return tenant.Tenant{ID: "contoso", Domain: "contoso.com", Products: []tenant.Product{tenant.SecureShare()}}
}

func newHarness(tb testing.TB, tenants ...tenant.Tenant) *harness {
	tb.Helper()
	h := newHarnessAt(tb, filepath.Join(tb.TempDir(), "ledger.db"), eventtest.Shared(tb), tenants...)
	tb.Cleanup(h.close)
	return h
}

func newHarnessAt(t fataler, path string, valid *eventtest.Validator, tenants ...tenant.Tenant) *harness {
	h := &harness{
		t: t, path: path, clock: clock.NewFake(began), tenants: map[string]tenant.Tenant{}, created: began, valid: valid, chunk: 2,
	}
	for _, tn := range tenants {
		h.tenants[tn.ID] = tn
	}
	h.open()
	for _, tn := range tenants {
		h.guard(tn.ID, ledger.Hold{Expiry: week})
	}
	return h
}

const week = 7 * 24 * time.Hour

// shipped is how changes are held where nobody has said otherwise.
var shipped = ledger.Hold{Flips: true, Guard: licensing.Guard{Share: 20, Least: 5}, Expiry: week}

// guard sets which of a tenant's changes are held. Harnesses begin with none.
func (h *harness) guard(tenantID string, hold ledger.Hold) {
	h.t.Helper()
	err := h.ledger.Update(context.Background(), func(tx *ledger.Tx) error {
		tn, err := tx.Tenant(tenantID)
		if err != nil {
			return err
		}
		tn.Hold = hold
		return tx.SaveTenant(tn)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) open() {
	h.t.Helper()
	var err error
	if h.ledger, err = ledger.Open(context.Background(), h.path); err != nil {
		h.t.Fatal(err)
	}
	h.applier = apply.New(apply.Config{Settle: settle, Chunk: h.chunk}, apply.Deps{
		Ledger: h.ledger, Clock: h.clock, Logger: slog.New(slog.DiscardHandler),
		Partition: func(string) int { return 0 }, Applied: func(r apply.Result) { h.last = r },
	})
}

func (h *harness) close() { _ = h.ledger.Close() }

func (h *harness) restart() {
	h.t.Helper()
	h.close()
	h.open()
}

// message makes the next message of the stream.
func (h *harness) message(tenantID, eventType string, data any) bus.Message {
	h.t.Helper()
	h.stream++
	ev, err := event.New(eventType, event.Meta{
		ID: fmt.Sprintf("in.%d", h.stream), Source: event.DirectorySource(tenantID), Time: h.clock.Now(), Tenant: tenantID,
	}, data)
	if err != nil {
		h.t.Fatal(err)
	}
	return bus.Message{Event: ev, Stream: bus.LedgerIn, StreamCreated: h.created, Sequence: h.stream}
}

func (h *harness) deliver(m bus.Message) error {
	h.t.Helper()
	return h.applier.Message(context.Background(), apply.Owner{}, h.tenants[event.Tenant(m.Event)], m)
}

func (h *harness) apply(tenantID, eventType string, data any) {
	h.t.Helper()
	if err := h.deliver(h.message(tenantID, eventType, data)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) page(tenantID string, at uint64, observations ...directory.Observation) {
	h.t.Helper()
	h.apply(tenantID, event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: at}, Observations: event.FromObservations(observations),
	})
}

func (h *harness) snapshotPage(tenantID, snapshot string, at uint64, observations ...directory.Observation) {
	h.t.Helper()
	h.apply(tenantID, event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: at}, Snapshot: snapshot, Observations: event.FromObservations(observations),
	})
}

func (h *harness) snapshotEnded(tenantID, snapshot string, at uint64, pages int, members ...string) {
	h.t.Helper()
	h.apply(tenantID, event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: snapshot, Began: event.Stamp{Epoch: 1, Counter: at}, Users: true, Groups: true, Members: members, Pages: pages,
	})
}

func (h *harness) roundEnded(tenantID string, vanishing ...string) {
	h.t.Helper()
	h.apply(tenantID, event.TypeRoundEnded, event.RoundEnded{Began: h.clock.Now(), Requests: 3, Vanishing: vanishing})
}

// tick does all the work that is due.
func (h *harness) tick() {
	h.t.Helper()
	for h.tickOnce() {
	}
}

func (h *harness) tickOnce() (more bool) {
	h.t.Helper()
	more, _, err := h.applier.Tick(context.Background(), apply.Owner{})
	if err != nil {
		h.t.Fatal(err)
	}
	return more
}

// drain empties the outbox, checks every event against its schema, and returns what came.
func (h *harness) drain() []event.Event {
	h.t.Helper()
	out, err := h.ledger.Outbox(context.Background(), 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	var fresh []event.Event
	var ids []int64
	for _, o := range out {
		if err := h.valid.Body(o.Body); err != nil {
			h.t.Fatalf("%s on %s: %v", o.EventID, o.Subject, err)
		}
		ev, err := event.Decode(o.Body)
		if err != nil {
			h.t.Fatal(err)
		}
		fresh = append(fresh, ev)
		ids = append(ids, o.ID)
	}
	if err := h.ledger.Update(context.Background(), func(tx *ledger.Tx) error { return tx.Sent(ids) }); err != nil {
		h.t.Fatal(err)
	}
	h.events = append(h.events, fresh...)
	return fresh
}

// told returns what came since the last call, a short line each.
func (h *harness) told() []string {
	h.t.Helper()
	lines := []string{}
	for _, ev := range h.drain() {
		lines = append(lines, line(h.t, ev))
	}
	return lines
}

func line(t fataler, ev event.Event) string {
	t.Helper()
	switch ev.Type() {
	case event.TypePolicyChanged:
		p, err := event.Data[event.PolicyChanged](ev)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("policy %s %s", p.Mode, p.Group)
	case event.TypeReadRequested:
		r, err := event.Data[event.ReadRequested](ev)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("read users=%v groups=%v members=%d", r.Users, r.Groups, len(r.Members))
	case event.TypeRefreshCompleted:
		r, err := event.Data[event.RefreshCompleted](ev)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("refreshed users=%d groups=%d granted=%d revoked=%d removed=%d unproven=%d %s",
			r.Users, r.Groups, r.Granted, r.Revoked, r.Removed, r.Unproven, r.Error)
	case event.TypeRefreshRequested:
		return "refresh"
	default:
		e, err := event.Data[event.Entitlement](ev)
		if err != nil {
			t.Fatal(err)
		}
		word := map[string]string{
			event.TypeLicenseGranted: "granted", event.TypeLicenseRevoked: "revoked", event.TypeLicenseReasonChanged: "reason",
		}[ev.Type()]
		return fmt.Sprintf("%s %s %s", word, e.User, e.Reason)
	}
}

func person(id string) directory.Observation { return personAs(id, directory.Active) }

func personAs(id string, status directory.Status) directory.Observation {
	return directory.Observation{User: &directory.User{ID: id, Name: id, Addresses: []string{id + "@contoso.com"}, Status: status}}
}

func group(id string, addresses ...string) directory.Observation {
	return directory.Observation{Group: &directory.Group{ID: id, Name: id, Addresses: addresses, Kind: directory.Security}}
}

func noGroup(id string) directory.Observation {
	return directory.Observation{Group: &directory.Group{ID: id, Deleted: true}}
}

func member(group, user string, present bool) directory.Observation {
	return directory.Observation{Membership: &directory.Membership{
		GroupID: group, Kind: directory.UserMember, ID: user, Present: present,
	}}
}
