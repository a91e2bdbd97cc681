package worker_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/worker/rebuild"
)

var staff = []string{"ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"}

func membership(user string, present bool) directory.Observation {
	return directory.Observation{Membership: &directory.Membership{GroupID: "g", Kind: directory.UserMember, ID: user, Present: present}}
}

func people(status directory.Status, ids ...string) (all []directory.Observation) {
	for _, id := range ids {
		all = append(all, person(id, status))
	}
	return all
}

// life is what the tenant goes through before its ledger is lost: a flip to a group that was approved, seats, a bulk that was
// rejected, and one that still waits.
func (h *house) life() {
	h.t.Helper()
	h.register("contoso")
	h.connect("contoso", people(directory.Active, staff...)...)
	h.await(bus.Licenses, atLeast(9))
	whole := []directory.Observation{{Group: &directory.Group{ID: "g", Addresses: []string{address}}}}
	for _, id := range staff {
		whole = append(whole, membership(id, true))
	}
	h.page("contoso", "", whole...)
	h.await(bus.LedgerIn, lastIs(event.TypeReadRequested))
	h.publish("contoso", "round", event.TypeRoundEnded, event.RoundEnded{
		Began: time.Now(), Stamp: event.Stamp{Epoch: 1, Counter: h.stamp}, Requests: 1,
	})
	h.approveEmpty()
}

// approveEmpty approves a flip that nobody loses anything by.
func (h *house) approveEmpty() {
	h.t.Helper()
	all := h.await(bus.Licenses, lastIs(event.TypeHeldOpened))
	opened, err := event.Data[event.HeldOpened](all[len(all)-1])
	if err != nil {
		h.t.Fatal(err)
	}
	h.command("contoso", event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{
		Product: "secure-share", Held: opened.Held, Revision: opened.Revision, By: "operator",
	})
	h.await(bus.Licenses, atLeast(9+3+len(staff)))
}

func (h *house) troubles() {
	h.t.Helper()
	seats := 10
	h.command("contoso", event.VerbSeats, event.TypeSeatsRequested, event.SeatsRequested{Product: "secure-share", Purchased: &seats, By: "operator"})
	var gone []directory.Observation
	for _, id := range staff[:5] {
		gone = append(gone, membership(id, false))
	}
	h.page("contoso", "", gone...)
	parked := h.held(event.HeldRevocations)
	h.command("contoso", event.VerbReject, event.TypeRejectRequested, event.RejectRequested{Product: "secure-share", Held: parked.Held, By: "operator"})
	h.page("contoso", "", person(staff[0], directory.Suspended)) // alone, and with another reason: it goes on
	h.page("contoso", "", membership(staff[5], false))           // alone: no bulk
	h.revoked(staff[5])
	h.command("contoso", event.VerbActivation, event.TypeActivationReported, event.ActivationReported{
		Product: "secure-share", User: staff[6], At: time.Date(2026, 11, 24, 9, 20, 0, 0, time.UTC), By: "secure-share",
	})
	for i, seen := range []event.ConnectionObserved{
		{State: event.ConnectionDegraded, Class: event.ClassSilent, Detail: "d", Action: "a"},
		{State: event.ConnectionWorking},
		{State: event.ConnectionDegraded, Class: event.ClassConsent, Check: "read-users", Detail: "d", Action: "a", Credential: &event.CredentialSeen{
			Expires: time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC), Days: 30, Detail: "e", Action: "f",
		}},
	} {
		seen.Stamp, seen.Since = event.Stamp{Epoch: 1, Counter: uint64(i) + 1}, time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
		h.publish("contoso", "connection", event.TypeConnectionObserved, seen)
	}
	h.await(bus.Licenses, func(all []event.Event) bool {
		return all[len(all)-1].Type() == event.TypeCredentialExpiring
	})
}

// revoked waits for a user's license to be revoked and returns the event.
func (h *house) revoked(user string) event.Event {
	h.t.Helper()
	all := h.await(bus.Licenses, func(all []event.Event) bool {
		last := all[len(all)-1]
		return last.Type() == event.TypeLicenseRevoked && last.Subject() == user
	})
	return all[len(all)-1]
}

// state is all that the ledger says of decisions.
type state struct {
	Tenant  ledger.TenantState
	Current map[string][]ledger.CurrentEntitlement
	// Degraded is what keeps the connection from working, without the stamp: a rebuilt ledger has none.
	Degraded ledger.Connection
	// Credential is when that of the connection ends, likewise.
	Credential ledger.Credential
	History    map[string][]ledger.Period
	// Activated are first sign-ins, by user and product.
	Activated map[string]map[string]time.Time
}

func (h *house) state(path string, users ...string) (s state) {
	h.t.Helper()
	r, err := ledger.OpenReader(h.t.Context(), path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if s.Tenant, err = r.Tenant(h.t.Context(), "contoso"); err != nil {
		h.t.Fatal(err)
	}
	degraded, err := r.Degraded(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	s.Degraded = degraded["contoso"]
	s.Degraded.Stamp = directory.Stamp{}
	credentials, err := r.Credentials(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	s.Credential = credentials["contoso"]
	s.Credential.Stamp = directory.Stamp{}
	s.Current, s.History = map[string][]ledger.CurrentEntitlement{}, map[string][]ledger.Period{}
	s.Activated = map[string]map[string]time.Time{}
	for _, id := range users {
		user, err := r.FindUser(h.t.Context(), "contoso", id)
		if err != nil {
			h.t.Fatal(err)
		}
		if s.Current[id], err = r.Entitlements(h.t.Context(), user); err != nil {
			h.t.Fatal(err)
		}
		if s.Activated[id], err = r.Activations(h.t.Context(), user); err != nil {
			h.t.Fatal(err)
		}
		if s.History[id], err = r.History(h.t.Context(), user, ""); err != nil {
			h.t.Fatal(err)
		}
	}
	return s
}

// rebuild makes a new ledger while no worker runs, and begins to use it.
func (h *house) rebuild() rebuild.Report {
	h.t.Helper()
	h.stop()
	h.path = filepath.Join(h.t.TempDir(), "rebuilt.db")
	l, err := ledger.Open(h.t.Context(), h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	all, err := h.registry.List(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	deps := rebuild.Deps{Bus: h.bus, Ledger: l, Tenants: all, Clock: clock.System(), Logger: telemetry.Discard()}
	report, err := rebuild.Run(h.t.Context(), deps)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := rebuild.Run(h.t.Context(), deps); err == nil {
		h.t.Error("a ledger that holds something was rebuilt over")
	}
	if err := l.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.start()
	return report
}

// fullRead shows the whole directory as it is.
func (h *house) fullRead(snapshot string, observations ...directory.Observation) {
	h.t.Helper()
	h.page("contoso", snapshot, observations...)
	h.publish("contoso", "snapshot", event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: snapshot, Began: event.Stamp{Epoch: 1, Counter: h.stamp}, Users: true, Groups: true, Members: []string{"g"}, Pages: 1,
	})
	h.await(bus.LedgerIn, func(all []event.Event) bool {
		last := all[len(all)-1]
		return last.Type() == event.TypeRefreshCompleted && event.Cause(last) == snapshot
	})
}

func (h *house) told() uint64 {
	h.t.Helper()
	info, err := h.bus.StreamInfo(h.t.Context(), bus.Licenses)
	if err != nil {
		h.t.Fatal(err)
	}
	return info.State.LastSeq
}

// now is the directory when the ledger is lost.
func now() []directory.Observation {
	all := people(directory.Active, staff[1:]...)
	all = append(all, person(staff[0], directory.Suspended),
		directory.Observation{Group: &directory.Group{ID: "g", Addresses: []string{address}}})
	for _, id := range staff[6:] {
		all = append(all, membership(id, true))
	}
	return all
}

// A ledger that is lost is brought back from the streams and a full read: the same decisions, sequence and history, nothing is
// told again, what was rejected stays rejected, and work goes on.
func TestRebuiltLedgerIsTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.life()
	h.troubles()
	before, told := h.state(h.path, staff...), h.told()
	report := h.rebuild()
	if report.Users != len(staff) || report.Tenants != 1 || report.Products != 1 || report.FromCopy != 0 {
		t.Errorf("rebuilt %+v", report)
	}
	h.fullRead("s2", now()...)
	after := h.state(h.path, staff...)
	if diff := cmp.Diff(before.Current, after.Current); diff != "" {
		t.Errorf("decisions (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Activated, after.Activated); diff != "" || len(after.Activated[staff[6]]) == 0 {
		t.Errorf("activated (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.History, after.History); diff != "" {
		t.Errorf("history (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Tenant.Products, after.Tenant.Products); diff != "" {
		t.Errorf("products (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Degraded, after.Degraded); diff != "" || !after.Degraded.Degraded() {
		t.Errorf("connection (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Credential, after.Credential); diff != "" || after.Credential.Days != 30 {
		t.Errorf("credential (-before +after):\n%s", diff)
	}
	if now := h.told(); now != told {
		t.Errorf("LICENSES has grown from %d to %d", told, now)
	}
	h.page("contoso", "", membership("gus", false))
	if n, err := event.Sequence(h.revoked("gus")); err != nil || n != before.Tenant.Products[0].Sequence+1 {
		t.Errorf("goes on at %d, %v; stood at %d", n, err, before.Tenant.Products[0].Sequence)
	}
}

// Where the streams have forgotten the first half of a tenant's life, the bucket still has each user's last decision.
func TestRebuiltFromStreamsThatAreCutOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.life()
	h.checkKV("contoso", "hal", true)
	h.forget()
	h.troubles()
	before, told := h.state(h.path, staff...), h.told()
	report := h.rebuild()
	if report.Users != len(staff) || report.FromCopy == 0 {
		t.Errorf("rebuilt %+v", report)
	}
	h.fullRead("s2", now()...)
	after := h.state(h.path, staff...)
	if diff := cmp.Diff(before.Current, after.Current); diff != "" {
		t.Errorf("decisions (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Tenant.Products, after.Tenant.Products); diff != "" {
		t.Errorf("products (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Degraded, after.Degraded); diff != "" || !after.Degraded.Degraded() {
		t.Errorf("connection (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(before.Credential, after.Credential); diff != "" || after.Credential.Days != 30 {
		t.Errorf("credential (-before +after):\n%s", diff)
	}
	for _, id := range staff { // as far back as anything tells of it
		was, is := before.History[id], after.History[id]
		if len(is) == 0 || len(is) > len(was) {
			t.Errorf("%s: history of %d periods became %d", id, len(was), len(is))
			continue
		}
		if diff := cmp.Diff(was[len(was)-len(is):], is); diff != "" {
			t.Errorf("%s: history (-before +after):\n%s", id, diff)
		}
	}
	if now := h.told(); now != told {
		t.Errorf("LICENSES has grown from %d to %d", told, now)
	}
}

// forget lets everything go that is on the streams now. LICENSES cannot be purged: there it expires.
func (h *house) forget() {
	h.t.Helper()
	js := h.bus.JetStream()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	in, err := js.Stream(ctx, bus.LedgerIn)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := in.Purge(ctx); err != nil {
		h.t.Fatal(err)
	}
	licenses, err := js.Stream(ctx, bus.Licenses)
	if err != nil {
		h.t.Fatal(err)
	}
	kept := licenses.CachedInfo().Config
	short := kept
	short.MaxAge, short.Duplicates = 100*time.Millisecond, 100*time.Millisecond
	if _, err := js.UpdateStream(ctx, short); err != nil {
		h.t.Fatal(err)
	}
	h.awaitEmpty(ctx, licenses)
	if _, err := js.UpdateStream(ctx, kept); err != nil {
		h.t.Fatal(err)
	}
}

// awaitEmpty asks until a stream has let go of its last message: no event tells of that.
func (h *house) awaitEmpty(ctx context.Context, stream jetstream.Stream) {
	h.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		info, err := stream.Info(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		if info.State.Msgs == 0 {
			return
		}
		select {
		case <-ctx.Done():
			h.t.Fatalf("%s still holds %d messages", info.Config.Name, info.State.Msgs)
		case <-tick.C:
		}
	}
}
