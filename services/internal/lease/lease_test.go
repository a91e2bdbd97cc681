package lease_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	patience = 20 * time.Second
	keys     = 8
)

// member is one process's part in the role "worker", on a connection of its own.
type member struct {
	t       *testing.T
	nc      *nats.Conn
	metrics *prometheus.Registry
	end     context.CancelFunc
	done    chan error
	changed chan struct{}

	mu   sync.Mutex
	held map[int]lease.Lease
	last map[int]int64 // the epoch of the last lease of each key
	lost int
}

func join(t *testing.T, server *bustest.Server, cfg lease.Config) *member {
	t.Helper()
	return joinTo(t, server.Connect(), cfg, keys)
}

func joinTo(t *testing.T, nc *nats.Conn, cfg lease.Config, keys int) *member {
	t.Helper()
	m := &member{
		t: t, nc: nc, metrics: prometheus.NewRegistry(), done: make(chan error, 1), changed: make(chan struct{}, 1),
		held: map[int]lease.Lease{}, last: map[int]int64{},
	}
	leases := lease.New(cfg, lease.Deps{
		KV: owners(t, nc), Clock: clock.System(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Metrics: m.metrics,
	})
	ctx, end := context.WithCancel(context.Background())
	m.end = end
	go func() { m.done <- leases.Run(ctx, "worker", keys, m.hold) }()
	t.Cleanup(func() { end() })
	return m
}

func owners(t *testing.T, nc *nats.Conn) jetstream.KeyValue {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(t.Context(), bus.BucketOwners)
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func start(t *testing.T) *bustest.Server {
	t.Helper()
	server := bustest.StartServer(t)
	server.Bus(bus.Config{})
	return server
}

func (m *member) hold(ctx context.Context, l lease.Lease) error {
	m.note(func() { m.held[l.Key], m.last[l.Key] = l, l.Epoch })
	<-ctx.Done()
	m.note(func() {
		delete(m.held, l.Key)
		if !l.Valid() {
			m.lost++
		}
	})
	return nil
}

func (m *member) note(change func()) {
	m.mu.Lock()
	change()
	m.mu.Unlock()
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// holds waits until the member holds so many keys.
func (m *member) holds(n int) {
	m.t.Helper()
	m.await("so many leases", func() bool { return len(m.held) == n })
}

func (m *member) await(what string, is func() bool) {
	m.t.Helper()
	late := time.After(patience)
	for {
		m.mu.Lock()
		so, held := is(), len(m.held)
		m.mu.Unlock()
		if so {
			return
		}
		select {
		case <-m.changed:
		case <-late:
			m.t.Fatalf("never %s: it holds %d", what, held)
		}
	}
}

// leave ends the member and waits for its end.
func (m *member) leave() {
	m.t.Helper()
	m.end()
	if err := <-m.done; err != nil {
		m.t.Error(err)
	}
}

// die ends the member when it can tell nobody any more.
func (m *member) die() {
	m.t.Helper()
	m.nc.Close()
	m.leave()
}

func TestOneMemberHoldsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	m := joinTo(t, start(t).Connect(), lease.Config{}, 32)
	began := time.Now()
	m.holds(32)
	if took := time.Since(began); took > 2*time.Second { // with room for a busy machine
		t.Errorf("it took %s", took)
	}
	m.leave()
}

func TestNewcomersGetTheirShare(t *testing.T) {
	t.Parallel()
	server := start(t)
	one := join(t, server, lease.Config{})
	one.holds(8)
	two := join(t, server, lease.Config{})
	two.holds(4)
	one.holds(4)
	three := join(t, server, lease.Config{})
	three.holds(2)
	one.holds(3)
	two.holds(3)
	if one.lost+two.lost > 0 {
		t.Errorf("%d leases were lost instead of given back", one.lost+two.lost)
	}
	two.leave()
	one.holds(4)
	three.holds(4)
	one.leave()
	three.holds(8)
	three.leave()
}

func TestOneKeyIsHeldByOneMember(t *testing.T) {
	t.Parallel()
	server := start(t)
	one := joinTo(t, server.Connect(), lease.Config{}, 1)
	one.holds(1)
	two := joinTo(t, server.Connect(), lease.Config{}, 1)
	one.leave()
	two.holds(1)
	if two.last[0] <= one.last[0] {
		t.Errorf("epoch %d after %d", two.last[0], one.last[0])
	}
	two.leave()
}

func TestWhatADeadMemberHeldIsTakenOver(t *testing.T) {
	t.Parallel()
	const ttl = 3 * time.Second
	server := start(t)
	one, two := join(t, server, lease.Config{TTL: ttl}), join(t, server, lease.Config{TTL: ttl})
	one.holds(4)
	two.holds(4)
	two.die()
	died := time.Now()
	one.holds(8)
	if took := time.Since(died); took > ttl+2*time.Second {
		t.Errorf("it took %s", took)
	}
	for key, epoch := range two.last {
		if one.last[key] <= epoch && one.last[key] != 0 {
			t.Errorf("key %d: epoch %d after %d", key, one.last[key], epoch)
		}
	}
	one.leave()
}

func TestTheSameOwnerNeedNotWait(t *testing.T) {
	t.Parallel()
	server := start(t)
	for range 3 {
		began := time.Now()
		m := join(t, server, lease.Config{Owner: "data-folder"})
		m.holds(8)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		m.die()
	}
}

func TestNATSAwayAndBack(t *testing.T) {
	t.Parallel()
	server := start(t)
	cfg := lease.Config{TTL: 1500 * time.Millisecond}
	one, two := join(t, server, cfg), join(t, server, cfg)
	one.holds(4)
	two.holds(4)
	server.Stop()
	one.holds(0)
	two.holds(0)
	if one.lost != 4 || two.lost != 4 {
		t.Errorf("%d and %d leases were lost, want all", one.lost, two.lost)
	}
	before := one.last[0] + two.last[0]
	server.Resume()
	one.holds(4)
	two.holds(4)
	if after := one.last[0] + two.last[0]; after <= before {
		t.Errorf("epochs did not rise: %d after %d", after, before)
	}
	if err := testutil.GatherAndCompare(one.metrics, expected(4, 4), "rollcall_leases_held", "rollcall_lease_losses_total"); err != nil {
		t.Error(err)
	}
	one.leave()
	two.leave()
}

func expected(held, losses int) io.Reader {
	return strings.NewReader(fmt.Sprintf(`
		# HELP rollcall_lease_losses_total Leases that were lost and not given back, by role.
		# TYPE rollcall_lease_losses_total counter
		rollcall_lease_losses_total{role="worker"} %d
		# HELP rollcall_leases_held Leases that this process holds, by role.
		# TYPE rollcall_leases_held gauge
		rollcall_leases_held{role="worker"} %d
	`, losses, held))
}

// A member whose bucket is gone comes back when there is one again.
func TestBucketMadeAnew(t *testing.T) {
	t.Parallel()
	server := start(t)
	m := join(t, server, lease.Config{TTL: time.Second})
	m.holds(8)
	js, err := jetstream.New(server.Connect())
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteKeyValue(t.Context(), bus.BucketOwners); err != nil {
		t.Fatal(err)
	}
	m.holds(0)
	server.Bus(bus.Config{})
	m.holds(8)
	m.leave()
}

// Before there were leases, each start left a bare number.
func TestEpochsOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	server := start(t)
	ahead := time.Now().Add(1000 * time.Hour).UnixMilli() // of a clock that was wrong then
	kv := owners(t, server.Connect())
	for key, stored := range map[string]int64{"worker-p00": ahead, "worker-p01": 5} {
		if _, err := kv.Put(t.Context(), key, strconv.AppendInt(nil, stored, 10)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().UnixMilli()
	m := join(t, server, lease.Config{})
	m.holds(8)
	m.leave()
	if m.last[0] != ahead+1 {
		t.Errorf("epoch %d after %d", m.last[0], ahead)
	}
	if m.last[1] < now || m.last[1] > now+patience.Milliseconds() {
		t.Errorf("epoch %d at %d", m.last[1], now)
	}
	again := join(t, server, lease.Config{})
	again.holds(8)
	again.leave()
	if again.last[0] != ahead+2 {
		t.Errorf("epoch %d after %d", again.last[0], ahead+1)
	}
}

// Work that fails ends the others, and the error is told. Work that ends by itself is begun again later.
func TestWorkThatEnds(t *testing.T) {
	t.Parallel()
	server := start(t)
	leases := lease.New(lease.Config{TTL: time.Second}, lease.Deps{
		KV: owners(t, server.Connect()), Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	var mu sync.Mutex
	epochs := map[int][]int64{}
	err := leases.Run(t.Context(), "worker", 3, func(ctx context.Context, l lease.Lease) error {
		mu.Lock()
		epochs[l.Key] = append(epochs[l.Key], l.Epoch)
		n := len(epochs[l.Key])
		mu.Unlock()
		switch {
		case l.Key > 0:
			<-ctx.Done()
			return ctx.Err()
		case n < 3:
			return nil
		}
		panic("broken")
	})
	if err == nil || !strings.Contains(err.Error(), "broken") || len(epochs[0]) != 3 || len(epochs[1]) != 1 {
		t.Errorf("%v, after %v", err, epochs)
	}
	if e := epochs[0]; len(e) == 3 && (e[1]-e[0] < 900 || e[2]-e[1] < 900) {
		t.Errorf("it was begun again at once: %v", e)
	}
}
