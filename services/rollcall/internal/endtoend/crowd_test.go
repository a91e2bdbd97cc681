package endtoend

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/lease/leasetest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// crowd is many simulated Entra tenants, and the one receiver that follows them all.
type crowd struct {
	sim     *simulator.Server
	control *control.Client
	bus     *bus.Bus
	tenants []*resident

	mu     sync.Mutex
	waits  map[change]time.Time // until an observation shows them, from when they were made
	told   map[change]time.Duration
	landed chan struct{} // closed and replaced when an observation has shown one
}

// resident is one of the tenants.
type resident struct {
	id, group string
	users     []string
	in        map[string]bool // that are members now
}

// change is one membership that comes or goes.
type change struct {
	tenant, user string
	joins        bool
}

// openCrowd makes the tenants, with ten of their twenty users in the provisioning group.
func openCrowd(t *testing.T, n int) *crowd {
	t.Helper()
	c := &crowd{waits: map[change]time.Time{}, told: map[change]time.Duration{}, landed: make(chan struct{})}
	p := newPair(t)
	sim, err := simulator.New(simulator.Config{TrustCAFiles: []string{p.cert}}, simulator.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	c.sim = sim
	background(t, "the simulator", sim.Run)
	c.control = control.New(sim.URL(), client(t, sim.CAFile()))
	c.tenants = make([]*resident, n)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(4)
	for i := range n {
		group.Go(func() (err error) {
			c.tenants[i], err = c.found(ctx, fmt.Sprintf("tenant%04d", i))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	c.bus = bustest.StartServer(t).Bus(bus.Config{Partitions: config.Default().NATS.Partitions})
	background(t, "a reader of LEDGER_IN", func(ctx context.Context) error {
		err := c.bus.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.>"}, Follow: true}, c.hear)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	c.follow(t)
	return c
}

func (c *crowd) found(ctx context.Context, id string) (*resident, error) {
	none, r := 0.0, &resident{id: id, in: map[string]bool{}}
	_, err := c.control.PutTenant(ctx, control.Tenant{
		ID: id, Provider: directory.Entra, Domains: []string{id + ".com"}, App: control.App{ClientID: appID, Secret: appSecret},
	})
	if err != nil {
		return nil, err
	}
	if _, err = c.control.Generate(ctx, id, control.Generate{Users: 20, Seed: 7, GuestShare: &none, SuspendedShare: &none}); err != nil {
		return nil, err
	}
	users, err := c.control.Users(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		r.users = append(r.users, u.ID)
	}
	made, err := c.control.AddGroup(ctx, id, control.NewGroup{Address: seats + "@" + id + ".com"})
	if err != nil {
		return nil, err
	}
	r.group = made.ID
	_, err = c.control.AddMembers(ctx, id, r.group, r.users[10:]...)
	return r, err
}

// follow starts the receiver, and waits until it has read all tenants and has its subscriptions of them.
func (c *crowd) follow(t *testing.T) {
	t.Helper()
	kv, err := c.bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	registry, secret := tenant.NewRegistry(kv), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(appSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	known, err := c.control.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range known {
		err := registry.Put(t.Context(), tenant.Tenant{
			ID: k.ID, Provider: directory.Entra, DirectoryID: k.DirectoryID, Domain: k.Domains[0], Products: []tenant.Product{tenant.SecureShare()},
			Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: appID, File: secret},
			Endpoints:  tenant.Endpoints{API: c.sim.URL() + "/v1.0", Authority: c.sim.URL(), CAFile: c.sim.CAFile()}, CreatedAt: time.Now().UTC(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var inside atomic.Pointer[http.Handler]
	door := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*inside.Load()).ServeHTTP(w, r) }))
	t.Cleanup(door.Close)
	r, err := graphreceiver.New(service.Config{
		PublicURL: door.URL, Push: true, PollInterval: config.Default().Sync.PollInterval,
		KeysFile: filepath.Join(t.TempDir(), "intake.keys"), CreateKeys: true,
	}, service.Deps{
		Bus: c.bus, Tenants: registry, Leases: leasetest.Alone{Clock: clock.System()}, Logger: slog.New(slog.DiscardHandler),
		Clock: clock.System(), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := r.Handler()
	inside.Store(&handler)
	background(t, "the receiver", r.Run)
	for _, one := range c.tenants {
		eventually(t, "the subscriptions of "+one.id, func() bool {
			held, err := c.control.Subscriptions(t.Context(), one.id)
			return err == nil && len(held) == 2
		})
	}
	for _, one := range c.tenants { // reading has come to its end when a change is shown
		c.await(t, c.cross(t, one, 9))
	}
}

// cross has a user come into the group of a tenant, or leave it.
func (c *crowd) cross(t *testing.T, r *resident, user int) change {
	t.Helper()
	one := change{r.id, r.users[user], !r.in[r.users[user]]}
	act := c.control.RemoveMembers
	if r.in[one.user] = one.joins; one.joins {
		act = c.control.AddMembers
	}
	c.mu.Lock()
	delete(c.told, one)
	c.waits[one] = time.Now()
	c.mu.Unlock()
	must(t)(act(t.Context(), r.id, r.group, one.user))
	return one
}

// hear notes what an observation shows.
func (c *crowd) hear(m bus.Message) error {
	if m.Event.Type() != event.TypeDirectoryObserved {
		return nil
	}
	page, err := event.Data[event.DirectoryObserved](m.Event)
	if err != nil {
		return err
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range page.Observations {
		if o.Membership == nil {
			continue
		}
		one := change{event.Tenant(m.Event), o.Membership.MemberID, o.Membership.Present}
		if made, waits := c.waits[one]; waits {
			c.told[one] = now.Sub(made)
			delete(c.waits, one)
			close(c.landed)
			c.landed = make(chan struct{})
		}
	}
	return nil
}

// took returns how long it took until a change was shown; false: it has not been yet.
func (c *crowd) took(one change) (took time.Duration, shown bool, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	took, shown = c.told[one]
	return took, shown, c.landed
}

// await waits until a change is shown.
func (c *crowd) await(t *testing.T, one change) time.Duration {
	t.Helper()
	limit := time.After(2 * patience)
	for {
		took, shown, more := c.took(one)
		if shown {
			return took
		}
		select {
		case <-more:
		case <-limit:
			t.Fatalf("%s is not shown to have changed within %s", one.tenant, 2*patience)
		}
	}
}
