package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease/leasetest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/engine"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	patience = 20 * time.Second
	pushURL  = "https://rollcall.example.com/graph/notifications"
)

// bench is an engine with its tenants' directories in memory, on a real NATS server and the system's clock.
type bench struct {
	t        *testing.T
	server   *bustest.Server
	bus      *bus.Bus
	keys     secret.Keys
	provider *receivertest.Provider
	registry *tenant.Registry
	metrics  *prometheus.Registry
	engine   *engine.Engine
	cfg      engine.Config // beside PushURL
	stop     func()

	mu    sync.Mutex
	told  []bus.Message // LEDGER_IN
	stamp chan struct{} // something was told
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, server: bustest.StartServer(t), keys: secret.Generate(), provider: &receivertest.Provider{
		Directories: map[string]*receivertest.Directory{},
	}, stamp: make(chan struct{}, 1)}
	b.bus = b.server.Bus(bus.Config{})
	kv, err := b.bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	b.registry = tenant.NewRegistry(kv)
	ctx, cancel := context.WithCancel(context.Background())
	read := make(chan error, 1)
	go func() {
		read <- b.bus.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.>"}, Follow: true}, b.tell)
	}()
	t.Cleanup(func() {
		if b.stop != nil {
			b.stop()
		}
		cancel()
		if err := <-read; !errors.Is(err, context.Canceled) {
			t.Errorf("reading LEDGER_IN: %v", err)
		}
	})
	return b
}

func (b *bench) tell(m bus.Message) error {
	b.mu.Lock()
	b.told = append(b.told, m)
	b.mu.Unlock()
	select {
	case b.stamp <- struct{}{}:
	default:
	}
	return nil
}

// tenant adds a tenant with a directory of one user, before or while the engine runs.
func (b *bench) tenant(id string) *receivertest.Directory {
	b.t.Helper()
	dir := b.found(id)
	b.enter(id)
	return dir
}

// found makes a directory of one user.
func (b *bench) found(id string) *receivertest.Directory {
	dir := &receivertest.Directory{}
	dir.PutUser(user("u1"))
	b.provider.Directories[id] = dir
	return dir
}

// enter adds a tenant whose directory there is.
func (b *bench) enter(id string) {
	b.t.Helper()
	err := b.registry.Add(b.t.Context(), tenant.Tenant{
		ID: id, Provider: directory.Entra, DirectoryID: "d-" + id, Domain: id + ".com", Products: []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "SECRET"}, CreatedAt: time.Unix(1, 0),
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func user(id string) directory.User {
	return directory.User{ID: id, Addresses: []string{id + "@contoso.com"}, Status: directory.Active}
}

func (b *bench) run() {
	b.t.Helper()
	b.metrics = prometheus.NewRegistry()
	b.cfg.PushURL = pushURL
	b.engine = engine.New(b.cfg, engine.Deps{
		Provider: b.provider, Keys: b.keys, Bus: b.bus, Tenants: b.registry, Clock: clock.System(), Metrics: b.metrics,
		Leases: leasetest.Alone{Clock: clock.System()},
		Logger: slog.New(slog.NewTextHandler(testWriter{b.t}, nil)),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.engine.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("Run: %v", err)
		}
		b.stop = nil
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// find waits for an event that the test is after.
func (b *bench) find(what string, match func(event.Event) bool) event.Event {
	b.t.Helper()
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		i := slices.IndexFunc(b.told, func(m bus.Message) bool { return match(m.Event) })
		var found event.Event
		if i >= 0 {
			found = b.told[i].Event
		}
		b.mu.Unlock()
		if i >= 0 {
			eventtest.Validate(b.t, found)
			return found
		}
		select {
		case <-b.stamp:
		case <-deadline:
			b.t.Fatalf("no %s", what)
		}
	}
}

// connected waits until a tenant is read completely.
func (b *bench) connected(id string) {
	b.t.Helper()
	b.find("snapshot of "+id, func(ev event.Event) bool { return event.Tenant(ev) == id && ev.Type() == event.TypeSnapshotEnded })
}

// shows waits for the page of a tenant that shows a user.
func (b *bench) shows(id, userID string) event.Event {
	b.t.Helper()
	return b.find("page with "+userID, func(ev event.Event) bool {
		page, err := event.Data[event.DirectoryObserved](ev)
		return err == nil && ev.Type() == event.TypeDirectoryObserved && event.Tenant(ev) == id &&
			slices.ContainsFunc(page.Observations, func(o event.Observation) bool { return o.User != nil && o.User.ID == userID })
	})
}

// push posts a push of the tenant's channel and returns the answer.
func (b *bench) push(id, lifecycle, userID string) int {
	b.t.Helper()
	s, err := b.keys.Sign(directory.Entra, secret.Proof{Tenant: id, Channel: "c1"})
	if err != nil {
		b.t.Fatal(err)
	}
	item := receivertest.Item{Directory: "d-" + id, Subscription: "s1", Secret: s, Lifecycle: lifecycle}
	if lifecycle == "" {
		item.Resource, item.ID, item.Change = "user", userID, "updated"
	}
	w := httptest.NewRecorder()
	b.engine.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(receivertest.Body(item))))
	return w.Code
}

func (b *bench) pushed(id, userID string) {
	b.t.Helper()
	if code := b.push(id, "", userID); code != http.StatusAccepted {
		b.t.Fatalf("answer %d", code)
	}
}

func TestPushBecomesAPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir := b.tenant("contoso")
	b.run()
	b.connected("contoso")
	dir.PutUser(user("u2"))
	b.pushed("contoso", "u2")
	page := b.shows("contoso", "u2")
	if event.Cause(page) == "" {
		t.Error("the page does not say which notification caused it")
	}
}

func TestTenantsComeAndGo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	b.waitFor("ready", func() bool { return b.engine.Ready(t.Context()) == nil })
	dir := b.tenant("contoso")
	b.connected("contoso")
	b.waitFor("channels", func() bool { return len(dir.Channels()) == 2 })
	if err := b.registry.Delete(t.Context(), "contoso"); err != nil {
		t.Fatal(err)
	}
	b.waitFor("the end of the tenant", func() bool {
		n, err := testutil.GatherAndCount(b.metrics, "rollcall_freshness_seconds")
		return err == nil && n == 0
	})
	hints := b.stored(bus.Notifications)
	if code := b.push("contoso", "", "u1"); code != http.StatusAccepted || b.stored(bus.Notifications) != hints {
		t.Errorf("a push for a tenant that is gone: answer %d, %d hints more", code, b.stored(bus.Notifications)-hints)
	}
}

func (b *bench) waitFor(what string, ok func() bool) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("no %s", what)
		}
	}
}

func (b *bench) stored(stream string) uint64 {
	b.t.Helper()
	s, err := b.bus.JetStream().Stream(b.t.Context(), stream)
	if err != nil {
		b.t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// One tenant's trouble is its own (design, §10.7).
func TestATenantInTroubleDelaysNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// Three tenants in trouble, so that one of them shares the good one's partition or none does: it must not matter.
	release := make(chan struct{})
	for i, trouble := range []func(context.Context) error{
		func(ctx context.Context) error { // hangs
			select {
			case <-ctx.Done():
			case <-release:
			}
			return ctx.Err()
		},
		func(context.Context) error { return receiver.ErrThrottled{After: time.Hour} },
		func(context.Context) error { panic("odd") },
	} {
		b.tenant(fmt.Sprintf("trouble-%d", i)).Intercept = func(ctx context.Context, _ receivertest.Call) error { return trouble(ctx) }
	}
	dir := b.tenant("contoso")
	b.run()
	b.connected("contoso")
	for i := range 3 {
		b.pushed(fmt.Sprintf("trouble-%d", i), "u1")
	}
	dir.PutUser(user("u2"))
	b.pushed("contoso", "u2")
	b.shows("contoso", "u2")
	close(release)
}

// A 2xx only for what is durable; what was refused and is sent again is read (design, §10.1).
func TestPushWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir := b.tenant("contoso")
	b.run()
	b.connected("contoso")
	b.waitFor("channels", func() bool { return len(dir.Channels()) == 2 })
	b.server.Stop()
	dir.PutUser(user("u2"))
	if code := b.push("contoso", "", "u2"); code != http.StatusServiceUnavailable {
		t.Errorf("answer %d while NATS is away", code)
	}
	b.server.Resume()
	b.waitFor("an accepted push", func() bool { return b.push("contoso", "", "u2") == http.StatusAccepted })
	b.shows("contoso", "u2")
}

func TestNewsOfChannels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir := b.tenant("contoso")
	b.run()
	b.connected("contoso")
	b.waitFor("channels", func() bool { return len(dir.Channels()) == 2 })
	dir.DropChannel(dir.Channels()[0].ID)
	if code := b.push("contoso", string(receiver.ChannelRemoved), ""); code != http.StatusAccepted {
		t.Errorf("answer %d", code)
	}
	b.waitFor("a new channel", func() bool { return len(dir.Channels()) == 2 })
	b.find("full read for the news", func(ev event.Event) bool {
		return ev.Type() == event.TypeSnapshotEnded && event.Cause(ev) != ""
	})
}

func TestCommandsReachTheLane(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tenant("contoso")
	b.run()
	b.connected("contoso")
	ev, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: "refresh-1", Source: event.CommandSource("contoso"), Time: time.Now(), Tenant: "contoso",
	}, event.RefreshRequested{RequestedBy: "cli"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.bus.Publish(t.Context(), event.CommandSubject("contoso", "refresh"), ev); err != nil {
		t.Fatal(err)
	}
	b.find("snapshot of the command", func(ev event.Event) bool {
		return ev.Type() == event.TypeSnapshotEnded && event.Cause(ev) == "refresh-1"
	})
}

// Each start is a later epoch, so that what it sees is later than all before.
func TestEpochsRise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir := b.tenant("contoso")
	b.run()
	b.connected("contoso")
	first := stampOf(t, b.shows("contoso", "u1"))
	b.stop()
	dir.PutUser(user("u2"))
	b.run()
	b.waitFor("ready", func() bool { return b.engine.Ready(t.Context()) == nil })
	b.pushed("contoso", "u2")
	if second := stampOf(t, b.shows("contoso", "u2")); second.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d", second.Epoch, first.Epoch)
	}
}

func stampOf(t *testing.T, ev event.Event) event.Stamp {
	t.Helper()
	page, err := event.Data[event.DirectoryObserved](ev)
	if err != nil {
		t.Fatal(err)
	}
	return page.Stamp
}
