package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease/leasetest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/worker"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	patience = 20 * time.Second
	address  = "virtru-secure-share-provisioning-group@contoso.com"
)

// house is a worker between a real NATS server and a real ledger.
type house struct {
	t        testing.TB
	bus      *bus.Bus
	path     string
	registry *tenant.Registry
	metrics  *prometheus.Registry // of the worker that was started last
	stop     func()
	stamp    uint64
	pages    int
	settings worker.Config
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := emptyHouse(t, filepath.Join(t.TempDir(), "ledger.db"))
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// emptyHouse has no worker yet.
func emptyHouse(t testing.TB, ledger string, options ...bustest.Option) *house {
	t.Helper()
	b := bustest.New(t, options...)
	kv, err := b.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	return &house{
		t: t, bus: b, path: ledger, registry: tenant.NewRegistry(kv), stop: func() {},
		settings: worker.Config{Settle: 200 * time.Millisecond, Chunk: 2},
	}
}

// start runs a worker; stop ends it and closes its ledger.
func (h *house) start() { h.startWith(func(*worker.Worker) {}) }

func (h *house) startWith(prepare func(*worker.Worker)) {
	h.t.Helper()
	l, err := ledger.Open(h.t.Context(), h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	h.metrics = prometheus.NewRegistry()
	w, err := worker.New(h.settings, worker.Deps{
		Bus: h.bus, Ledger: l, Tenants: h.registry, Leases: leasetest.Alone{Clock: clock.System()}, Logger: slog.New(slog.DiscardHandler), Clock: clock.System(),
		Metrics: h.metrics,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	prepare(w)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	h.stop = func() {
		cancel()
		if err := errors.Join(<-done, l.Close()); err != nil {
			h.t.Error(err)
		}
		h.stop = func() {}
	}
}

func (h *house) register(id string) {
	h.t.Helper()
	err := h.registry.Add(h.t.Context(), tenant.Tenant{
		ID: id, Provider: directory.Entra, DirectoryID: "dir-" + id, Domain: "contoso.com",
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "SECRET"},
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// record stores what the registry finds of a tenant, as it is.
func (h *house) record(id, body string) {
	h.t.Helper()
	kv, err := h.bus.KeyValue(h.t.Context(), bus.BucketTenants)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := kv.PutString(h.t.Context(), id, body); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) publish(tenantID, what, eventType string, data any) {
	h.t.Helper()
	h.pages++
	ev, err := event.New(eventType, event.Meta{
		ID: fmt.Sprintf("%s.in.%d", tenantID, h.pages), Source: event.DirectorySource(tenantID), Time: time.Now(), Tenant: tenantID,
	}, data)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.bus.Publish(h.t.Context(), event.DirectorySubject(tenantID, what), ev); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) page(tenantID, snapshot string, observations ...directory.Observation) {
	h.t.Helper()
	h.stamp++
	h.publish(tenantID, "page", event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: h.stamp}, Snapshot: snapshot, Observations: event.FromObservations(observations),
	})
}

// connect reads the tenant's directory in full for the first time.
func (h *house) connect(tenantID string, observations ...directory.Observation) {
	h.t.Helper()
	h.page(tenantID, "s-"+tenantID, observations...)
	h.publish(tenantID, "snapshot", event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: "s-" + tenantID, Began: event.Stamp{Epoch: 1, Counter: h.stamp}, Users: true, Groups: true, Members: []string{}, Pages: 1,
	})
}

// await follows a stream from its begin until want has seen enough, and returns all that was there.
func (h *house) await(stream string, enough func(all []event.Event) bool) []event.Event {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	var all []event.Event
	done := errors.New("enough")
	err := h.bus.Read(ctx, bus.ReadSpec{Stream: stream, Follow: true}, func(m bus.Message) error {
		all = append(all, m.Event)
		if enough(all) {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		h.t.Fatalf("waiting on %s: %v; it holds %d events", stream, err, len(all))
	}
	return all
}

func atLeast(n int) func([]event.Event) bool {
	return func(all []event.Event) bool { return len(all) >= n }
}

func lastIs(eventType string) func([]event.Event) bool {
	return func(all []event.Event) bool { return all[len(all)-1].Type() == eventType }
}

func person(id string, status directory.Status) directory.Observation {
	return directory.Observation{User: &directory.User{ID: id, Addresses: []string{id + "@contoso.com"}, Status: status}}
}

func TestObservationsBecomeLicenseEvents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("contoso")
	h.connect("contoso", person("ann", directory.Active), person("bob", directory.Active), person("cid", directory.Suspended))
	told := h.await(bus.LedgerIn, lastIs(event.TypeRefreshCompleted))
	result, err := event.Data[event.RefreshCompleted](told[len(told)-1])
	if err != nil || result.Users != 3 || result.Granted != 2 || event.Cause(told[len(told)-1]) != "s-contoso" {
		t.Errorf("refresh completed: %+v, %v", result, err)
	}
	stream, err := h.bus.JetStream().Stream(t.Context(), bus.Licenses)
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.Msgs; n != 3 {
		t.Errorf("when the refresh is said to be over, LICENSES holds %d events of 3", n)
	}

	h.page("contoso", "", directory.Observation{Group: &directory.Group{ID: "g", Addresses: []string{address}}},
		directory.Observation{Membership: &directory.Membership{GroupID: "g", Kind: directory.UserMember, ID: "ann", Present: true}})
	h.await(bus.LedgerIn, lastIs(event.TypeReadRequested))
	h.publish("contoso", "round", event.TypeRoundEnded, event.RoundEnded{
		Began: time.Now(), Stamp: event.Stamp{Epoch: 1, Counter: h.stamp}, Requests: 1,
	})
	h.approve("contoso", event.HeldFlip)
	h.checkFlip(h.await(bus.Licenses, atLeast(9)))
	h.checkKV("contoso", "ann", true)
	h.checkKV("contoso", "bob", false)
}

func (h *house) checkFlip(all []event.Event) {
	h.t.Helper()
	var types []string
	for i, ev := range all {
		eventtest.Validate(h.t, ev)
		types = append(types, ev.Type())
		if n, err := event.Sequence(ev); err != nil || n != uint64(i)+1 {
			h.t.Errorf("event %d has sequence %d, %v", i, n, err)
		}
	}
	want := []string{
		event.TypePolicyChanged, event.TypeLicenseGranted, event.TypeLicenseGranted,
		event.TypeHeldOpened, event.TypeHeldListed, event.TypeHeldClosed,
		event.TypePolicyChanged, event.TypeLicenseRevoked, event.TypeLicenseReasonChanged,
	}
	if fmt.Sprint(types) != fmt.Sprint(want) {
		h.t.Errorf("told %v, want %v", types, want)
	}
}

// checkKV waits until the bucket that the server fills shows a user as licensed or not.
func (h *house) checkKV(tenantID, user string, licensed bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	kv, err := h.bus.KeyValue(ctx, bus.BucketEntitlements)
	if err != nil {
		h.t.Fatal(err)
	}
	watch, err := kv.Watch(ctx, tenantID+".secure-share."+user)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = watch.Stop() }()
	for {
		select {
		case <-ctx.Done():
			h.t.Fatalf("the bucket never showed %s as licensed=%v", user, licensed)
		case entry := <-watch.Updates():
			if entry == nil {
				continue
			}
			var shown struct{ Data event.Entitlement }
			if err := json.Unmarshal(entry.Value(), &shown); err != nil {
				h.t.Fatal(err)
			}
			if shown.Data.Licensed == licensed {
				return
			}
		}
	}
}

func TestWorkGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("contoso")
	h.connect("contoso", person("ann", directory.Active))
	h.await(bus.Licenses, atLeast(2))
	for i, status := range []directory.Status{directory.Suspended, directory.Active, directory.Deleted} {
		h.stop()
		h.page("contoso", "", person("ann", status))
		h.start()
		h.await(bus.Licenses, atLeast(3+i))
	}
	h.checkKV("contoso", "ann", false)
}

// A tenant that nobody knows, or whose record is broken, holds up its partition for seconds, not for ever, and never again.
func TestUnknownTenantIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, record := range map[string]string{"not registered": "", "broken record": "{"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			neighbour := "contoso"
			for i := 0; h.bus.Partition(neighbour) != h.bus.Partition("nobody"); i++ {
				neighbour = fmt.Sprintf("contoso-%d", i)
			}
			h.register(neighbour)
			if record != "" {
				h.record("nobody", record)
			}
			for range 5 {
				h.page("nobody", "", person("ann", directory.Active))
			}
			h.connect(neighbour, person("ann", directory.Active))
			h.await(bus.Licenses, atLeast(2))
			h.await(bus.DeadLetters, atLeast(5))
		})
	}
}

func TestTenantThatIsRegisteredLateLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.connect("contoso", person("ann", directory.Active))
	h.register("contoso")
	h.await(bus.Licenses, atLeast(2))
}

func TestEventOnAnothersSubjectIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("contoso")
	h.register("fabrikam")
	h.connect("contoso", person("ann", directory.Active))
	h.await(bus.Licenses, atLeast(2))
	ev, err := event.New(event.TypeDirectoryObserved, event.Meta{
		ID: "forged", Source: event.DirectorySource("contoso"), Time: time.Now(), Tenant: "contoso",
	}, event.DirectoryObserved{Stamp: event.Stamp{Epoch: 9, Counter: 9}, Observations: event.FromObservations(
		[]directory.Observation{person("ann", directory.Deleted)})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.bus.Publish(t.Context(), event.DirectorySubject("fabrikam", "page"), ev); err != nil {
		t.Fatal(err)
	}
	h.await(bus.DeadLetters, atLeast(1))
	h.checkKV("contoso", "ann", true)
	if stale := h.stale(); len(stale) != 1 || !stale["fabrikam"] {
		t.Errorf("stale: %v", stale)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	t.Parallel()
	if _, err := worker.New(worker.Config{}, worker.Deps{}); err == nil {
		t.Error("a worker of nothing")
	}
}
