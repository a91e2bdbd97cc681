package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/engine"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// colleague is one of several receivers of one provider, on a connection of its own.
type colleague struct {
	b       *bench
	nc      *nats.Conn
	engine  *engine.Engine
	metrics *prometheus.Registry
	end     func()
}

func (b *bench) colleague(ttl time.Duration) *colleague {
	b.t.Helper()
	c := &colleague{b: b, nc: b.server.Connect(), metrics: prometheus.NewRegistry()}
	events, err := bus.New(c.nc, bus.Config{Partitions: bustest.Partitions})
	if err != nil {
		b.t.Fatal(err)
	}
	owners, err := events.KeyValue(b.t.Context(), bus.BucketOwners)
	if err != nil {
		b.t.Fatal(err)
	}
	tenants, err := events.KeyValue(b.t.Context(), bus.BucketTenants)
	if err != nil {
		b.t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(b.t.Output(), nil))
	c.engine = engine.New(engine.Config{}, engine.Deps{
		Provider: b.provider, Keys: b.keys, Bus: events, Tenants: tenant.NewRegistry(tenants), Clock: clock.System(),
		Metrics: c.metrics, Logger: logger,
		Leases: lease.New(lease.Config{TTL: ttl}, lease.Deps{KV: owners, Clock: clock.System(), Logger: logger, Metrics: c.metrics}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.engine.Run(ctx); err != nil && !c.nc.IsClosed() {
			b.t.Errorf("Run: %v", err)
		}
	}()
	c.end = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(c.end)
	return c
}

// follows waits until the receiver follows tenants of so many partitions.
func (c *colleague) follows(partitions int) {
	c.b.t.Helper()
	c.b.waitFor(fmt.Sprintf("receiver of %d partitions", partitions), func() bool {
		held, err := testutil.GatherAndCount(c.metrics, "rollcall_snapshot_age_seconds")
		return err == nil && held == partitions
	})
}

// pushed pushes to this receiver.
func (c *colleague) pushed(id, userID string) {
	c.b.t.Helper()
	c.b.engine = c.engine
	c.b.waitFor("an accepted push", func() bool { return c.b.push(id, "", userID) == http.StatusAccepted })
}

// Each receiver takes pushes for all tenants, and each tenant is followed by one. What a dead one followed another does, in
// a later epoch.
func TestReceiversShareTheTenants(t *testing.T) {
	t.Parallel()
	const ttl = 3 * time.Second
	b := setup(t)
	tenants := b.onePerPartition()
	first := b.colleague(ttl)
	first.follows(4)
	second := b.colleague(ttl)
	second.follows(2)
	first.follows(2)
	seen := map[string]event.Stamp{}
	for i, id := range tenants {
		for j, c := range []*colleague{first, second} {
			u := fmt.Sprintf("u%d%d", i, j)
			b.provider.Directories[id].PutUser(user(u))
			c.pushed(id, u)
			seen[id] = stampOf(t, b.shows(id, u))
		}
	}
	died := time.Now()
	second.nc.Close()
	second.end()
	first.follows(4)
	if took := time.Since(died); took > ttl+3*time.Second {
		t.Errorf("it took %s", took)
	}
	later := 0
	for _, id := range tenants {
		b.provider.Directories[id].PutUser(user("last"))
		first.pushed(id, "last")
		now := stampOf(t, b.shows(id, "last"))
		switch {
		case now.Epoch > seen[id].Epoch:
			later++
		case now.Epoch < seen[id].Epoch || now.Counter <= seen[id].Counter:
			t.Errorf("%s: stamp %+v after %+v", id, now, seen[id])
		}
	}
	if later != 2 {
		t.Errorf("%d tenants have a new owner's epoch, want those of 2 partitions", later)
	}
}

// onePerPartition adds a tenant for each partition.
func (b *bench) onePerPartition() (ids []string) {
	b.t.Helper()
	taken := map[int]bool{}
	for i := 0; len(ids) < bustest.Partitions; i++ {
		id := fmt.Sprintf("tenant-%d", i)
		if p := b.bus.Partition(id); !taken[p] {
			taken[p] = true
			ids = append(ids, id)
			b.tenant(id)
		}
	}
	slices.Sort(ids)
	return ids
}
