package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/worker"
)

// crowd is a house with a tenant of many users, who are all licensed by default, and a group for two fifths of them.
type crowd struct {
	*house
	users  int
	reader *ledger.Reader
}

// newCrowd has no worker yet.
func newCrowd(tb testing.TB, address string, users, chunk int, options ...bustest.Option) *crowd {
	tb.Helper()
	ledgertest.Load(tb, address, ledgertest.Bulk{
		Tenant: "contoso", Product: "secure-share", Domain: "contoso.com", Users: users, At: time.Now().Add(-time.Hour),
		Address: "virtru-secure-share-provisioning-group@contoso.com",
	})
	c := &crowd{house: emptyHouse(tb, address, options...), users: users}
	c.settings = worker.Config{Settle: time.Hour, Chunk: chunk} // fill says that it is over
	reader, err := ledger.OpenReader(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = reader.Close() })
	c.reader = reader
	c.register("contoso")
	return c
}

// fill shows the group and its members, and a round after it has settled.
func (c *crowd) fill() {
	c.t.Helper()
	page := []directory.Observation{{Group: &directory.Group{ID: "g", Addresses: []string{address}}}}
	for i := 1; i <= c.users*2/5; i++ {
		if page = append(page, membership(ledgertest.UserRef(i), true)); len(page) == 500 {
			c.page("contoso", "", page...)
			page = nil
		}
	}
	c.page("contoso", "", page...)
	c.publish("contoso", "round", event.TypeRoundEnded, event.RoundEnded{
		Began: time.Now().Add(c.settings.Settle), Stamp: event.Stamp{Epoch: 1, Counter: c.stamp}, Requests: 1,
	})
}

// listed waits until the flip is announced and its list told as a whole.
func (c *crowd) listed() (opened event.HeldOpened) {
	c.t.Helper()
	done, lines := errors.New("done"), 0
	err := c.bus.Read(c.t.Context(), bus.ReadSpec{
		Stream: bus.Licenses, Filters: []string{event.HeldSubject("contoso", "secure-share")}, Follow: true,
	}, func(m bus.Message) (err error) {
		switch m.Event.Type() {
		case event.TypeHeldOpened:
			opened, err = event.Data[event.HeldOpened](m.Event)
		case event.TypeHeldListed:
			var data event.HeldListed
			data, err = event.Data[event.HeldListed](m.Event)
			lines += len(data.Users)
		}
		if err == nil && opened.Held != "" && lines == opened.Revocations {
			err = done
		}
		return err
	})
	if !errors.Is(err, done) {
		c.t.Fatal(err)
	}
	return opened
}

// flip is how far the held change has come, as anybody can read it.
func (c *crowd) flip() ledger.HeldChange {
	c.t.Helper()
	all, err := c.reader.HeldChanges(context.Background(), "contoso", true)
	if err != nil || len(all) != 1 {
		c.t.Fatalf("held: %+v, %v", all, err)
	}
	return all[0]
}

// until asks again and again: no event tells of a commit.
func (c *crowd) until(what string, is func() bool) {
	c.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(6 * patience); !is(); {
		select {
		case <-late:
			c.t.Fatalf("no %s", what)
		case <-tick.C:
		}
	}
}

// newcomer shows a new user who is in the group.
func (c *crowd) newcomer(tenant, id string) {
	c.t.Helper()
	c.page(tenant, "", person(id, directory.Active), membership(id, true))
}

// licensed reports whether a user is, by now.
func (c *crowd) licensed(id string) bool {
	c.t.Helper()
	user, err := c.reader.FindUser(context.Background(), "contoso", id)
	if errors.Is(err, ledger.ErrNoUser) {
		return false
	}
	if err != nil {
		c.t.Fatal(err)
	}
	all, err := c.reader.Entitlements(context.Background(), user)
	if err != nil {
		c.t.Fatal(err)
	}
	return len(all) == 1 && all[0].Licensed
}

// gate stops the relay before what it would publish next.
type gate struct {
	mu   sync.Mutex
	open chan struct{}
	then func() // before each publish, once the gate was opened again
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = make(chan struct{})
}

func (g *gate) pass(step string) error {
	if step != "before publish" {
		return nil
	}
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	if open != nil {
		<-open
		g.then()
	}
	return nil
}

// What was approved for many waits for the relay: while nothing can be published, no more than a chunk of it is decided, and
// one that was begun before. Single changes do not wait for it: they are decided meanwhile, and published behind two chunks at
// most. How far it has come is told.
func TestBulkWaitsForTheRelayAndSingleChangesDoNot(t *testing.T) {
	t.Parallel()
	ledgertest.Each(t, func(t *testing.T, b ledgertest.Backend) {
		const users, chunk, singles = 1_000, 50, 20
		c := newCrowd(t, b.Address(t), users, chunk)
		applied, most := 0, int64(0)
		outbox, err := ledger.Open(t.Context(), c.path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = outbox.Close() }()
		depth := func() int64 {
			n, err := outbox.OutboxDepth(context.Background())
			if err != nil {
				t.Error(err)
			}
			return n
		}
		g := &gate{then: func() { // in the one goroutine of the relay
			now := c.flip().Applied
			if now < applied {
				t.Errorf("progress went from %d back to %d", applied, now)
			}
			applied, most = now, max(most, depth())
		}}
		c.startWith(func(w *worker.Worker) { w.DieAt(g.pass) })
		defer func() { c.stop() }()
		c.fill()
		opened := c.listed()
		if opened.Revocations != users-users*2/5 {
			t.Errorf("listed %+v", opened)
		}
		g.close()
		open := sync.OnceFunc(func() { close(g.open) })
		defer open()
		c.publishCommand("contoso", event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{
			Product: "secure-share", Held: opened.Held, Revision: opened.Revision, By: "operator",
		})
		c.until("wait for the relay", func() bool { return depth() >= chunk })
		for i := range singles {
			id := fmt.Sprint("new-", i)
			c.newcomer("contoso", id)
			c.until("license of a newcomer", func() bool { return c.licensed(id) })
			if n := c.flip().Applied; n > 2*chunk {
				t.Fatalf("%d users are decided while nothing is published", n)
			}
		}
		if n := depth(); n > 2*chunk+singles+5 {
			t.Errorf("%d events wait to be published", n)
		}
		open()
		c.until("end of the flip", func() bool { return c.flip().State == ledger.HeldApplied && depth() == 0 })
		c.stop()
		if all := c.flip(); all.Applied != users+singles || applied < users || most > 2*chunk+singles+5 {
			t.Errorf("applied %d, told %d, up to %d events waited", all.Applied, applied, most)
		}
		c.toldOnce(t, users-users*2/5)
	})
}

// toldOnce checks that LICENSES tells so many revocations, of a user each.
func (c *crowd) toldOnce(t *testing.T, revoked int) {
	t.Helper()
	told := map[string]bool{}
	if err := c.bus.Read(t.Context(), bus.ReadSpec{Stream: bus.Licenses}, func(m bus.Message) error {
		if m.Event.Type() != event.TypeLicenseRevoked {
			return nil
		}
		if told[m.Event.Subject()] {
			t.Errorf("the revocation of %s is told twice", m.Event.Subject())
		}
		told[m.Event.Subject()] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(told) != revoked {
		t.Errorf("%d users have lost their licenses, want %d", len(told), revoked)
	}
}
