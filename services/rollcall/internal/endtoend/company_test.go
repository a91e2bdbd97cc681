package endtoend

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

// told is a license event, and when the subscriber had it.
type told struct {
	license.Event
	at time.Time
}

const (
	appID     = "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10"
	appSecret = "only-the-simulator-knows"
	product   = "secure-share"
	seats     = "virtru-secure-share-provisioning-group" // local part of the provisioning group's address
)

// company is one simulated directory.
type company struct {
	house     *house
	id        string
	domain    string
	kind      directory.Provider
	directory string // the provider's id of it
	proof     tenant.Credential
	api       string // behind the simulator's URL

	licenses *heard[told]
	ledger   *heard[bus.Message] // of LEDGER_IN
	hints    *heard[bus.Message] // of NOTIFICATIONS
}

// found makes a simulated Entra directory without users. Its domain is its name with .com; others are verified beside it.
func (h *house) found(tb testing.TB, id string, domains ...string) *company {
	tb.Helper()
	file := filepath.Join(filepath.Dir(h.data), id+".secret")
	if err := os.WriteFile(file, []byte(appSecret), 0o600); err != nil {
		tb.Fatal(err)
	}
	c := &company{
		house: h, id: id, domain: id + ".com", kind: directory.Entra, api: "/v1.0",
		proof: tenant.Credential{Kind: tenant.ClientSecret, ClientID: appID, File: file},
	}
	c.put(tb, control.App{ClientID: appID, Secret: appSecret}, domains...)
	return c
}

// foundWorkspace makes a simulated Workspace customer that holds its admin alone.
func (h *house) foundWorkspace(tb testing.TB, id string, domains ...string) *company {
	tb.Helper()
	account := workspacetest.New(tb)
	c := &company{house: h, id: id, domain: id + ".com", kind: directory.GoogleWorkspace, proof: account.Credential(id + ".com")}
	c.put(tb, account.App(), domains...)
	return c
}

func (c *company) put(tb testing.TB, app control.App, domains ...string) {
	tb.Helper()
	made, err := c.house.control.PutTenant(tb.Context(), control.Tenant{
		DirectoryID: c.directory, ID: c.id, Provider: c.kind, Domains: append([]string{c.domain}, domains...), App: app,
	})
	if err != nil {
		tb.Fatal(err)
	}
	c.directory = made.DirectoryID
}

// group is the address of the provisioning group.
func (c *company) group() string { return seats + "@" + c.domain }

// hire makes users, all active and none a guest, and returns their ids.
func (c *company) hire(tb testing.TB, n int) []string {
	tb.Helper()
	none := 0.0
	_, err := c.house.control.Generate(tb.Context(), c.id, control.Generate{
		Users: n, Seed: 7, GuestShare: &none, SuspendedShare: &none, ArchivedShare: &none,
	})
	if err != nil {
		tb.Fatal(err)
	}
	var ids []string
	for _, u := range c.users(tb) {
		if u.Address != workspacetest.Admin(c.domain) {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// users are all of the directory, the admin among them whom a Workspace customer has.
func (c *company) users(tb testing.TB) []control.User {
	tb.Helper()
	all, err := c.house.control.Users(tb.Context(), c.id)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// connect connects the directory, and waits until it was read, pushes are asked for, and what is published is true.
func (c *company) connect(tb testing.TB) {
	tb.Helper()
	c.join(tb)
	c.awaitPushes(tb)
	c.verify(tb)
}

// join connects the directory, and waits for nothing.
func (c *company) join(tb testing.TB) {
	tb.Helper()
	sim := c.house.sim
	c.follow(tb)
	err := c.house.process.Tenants().Put(tb.Context(), tenant.Tenant{
		ID: c.id, Provider: c.kind, DirectoryID: c.directory, Domain: c.domain, Products: []tenant.Product{tenant.SecureShare()},
		Credential: c.proof,
		Endpoints:  tenant.Endpoints{API: sim.URL() + c.api, Authority: sim.URL(), CAFile: sim.CAFile()},
		CreatedAt:  time.Now().UTC(),
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func (c *company) awaitPushes(tb testing.TB) {
	tb.Helper()
	if c.house.plan.unpushed {
		return
	}
	want := 2 // one for users and one for groups
	if c.kind == directory.GoogleWorkspace {
		want = 3 // of two logs, and of users
	}
	eventually(tb, "all push channels", func() bool {
		held, err := c.house.control.Subscriptions(tb.Context(), c.id)
		return err == nil && len(held) == want
	})
}

// follow listens to the streams from their beginning.
func (c *company) follow(tb testing.TB) {
	tb.Helper()
	nc := c.house.dial(tb)
	b, client := c.house.clients(tb, nc)
	licenses := newHeard[told]()
	c.licenses, c.ledger, c.hints = licenses, newHeard[bus.Message](), newHeard[bus.Message]()
	background(tb, "a reader of LICENSES", func(ctx context.Context) error {
		return client.Replay(ctx, license.Options{Tenant: c.id, Product: product, Follow: true}, func(_ context.Context, e license.Event) error {
			licenses.add(told{e, time.Now()})
			return nil
		})
	})
	c.read(tb, b, c.ledger, bus.LedgerIn, "directory.*."+c.id+".>", "command.*."+c.id+".>")
	c.read(tb, b, c.hints, bus.Notifications, "notification.*."+string(c.kind)+"."+c.id)
}

func (c *company) read(tb testing.TB, b *bus.Bus, into *heard[bus.Message], stream string, filters ...string) {
	tb.Helper()
	background(tb, "a reader of "+stream, func(ctx context.Context) error {
		err := b.Read(ctx, bus.ReadSpec{Stream: stream, Filters: filters, Follow: true}, func(m bus.Message) error {
			into.add(m)
			return nil
		})
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}

// dial connects as any NATS client can.
func (h *house) dial(tb testing.TB) *nats.Conn {
	tb.Helper()
	nc, err := nats.Connect(h.process.NATSURL(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	return nc
}

func (h *house) clients(tb testing.TB, nc *nats.Conn) (*bus.Bus, *license.Client) {
	tb.Helper()
	b, err := bus.New(nc, bus.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	client, err := license.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	return b, client
}

// verify waits until what is published, read over a connection of its own, is what the directory says, and until the
// company's own reader has come as far.
func (c *company) verify(tb testing.TB) verify.Report {
	tb.Helper()
	return c.verifyState(tb, verify.True)
}

// verifyState waits until what is published is the state that a test wants.
func (c *company) verifyState(tb testing.TB, want verify.State) verify.Report {
	tb.Helper()
	_, client := c.house.clients(tb, c.house.dial(tb))
	report, err := verify.AwaitState(tb.Context(), verify.Config{Tenant: c.id, Product: product, Group: c.group(), Simulated: c.id},
		verify.Sources{Directory: c.house.control, Stream: client}, want, patience)
	if err != nil {
		tb.Fatalf("compare %s: %v", c.id, err)
	}
	if report.State != want {
		tb.Fatalf("%s is %s and not %s: %s", c.id, report.State, want, report)
	}
	c.licenses.awaitCount(tb, report.Events)
	return report
}

// awaitLicense waits for the next event behind a mark that gives the user a license or takes it.
func (c *company) awaitLicense(tb testing.TB, mark int, user string, licensed bool) told {
	tb.Helper()
	return c.licenses.await(tb, mark, "an event of the user", func(e told) bool {
		return e.User == user && e.Entitlement != nil && e.Entitlement.Licensed == licensed
	})
}

// awaitPolicy waits for the next policy behind a mark. group "" is that of all users.
func (c *company) awaitPolicy(tb testing.TB, mark int, group string) told {
	tb.Helper()
	e := c.licenses.await(tb, mark, "a new policy", func(e told) bool { return e.Policy != nil })
	if e.Policy.Group != group {
		tb.Fatalf("the policy went to group %q, want %q", e.Policy.Group, group)
	}
	return e
}

// approveFlip waits until a change of the policy is held behind a mark, approves it as it is then, and waits until it is in
// force. group "" is that of all users.
func (c *company) approveFlip(tb testing.TB, mark int, group string) told {
	tb.Helper()
	flip := c.awaitHeld(tb, mark, event.HeldFlip)
	if flip.Opened.Group != group {
		tb.Fatalf("held is the group %q, want %q", flip.Opened.Group, group)
	}
	c.approve(tb, flip)
	return c.awaitPolicy(tb, mark, group)
}

// awaitHeld waits until a change of a kind is announced behind a mark, with its whole list.
func (c *company) awaitHeld(tb testing.TB, mark int, kind string) held.Change {
	tb.Helper()
	var known held.Fold
	var found held.Change
	events, _ := c.licenses.since(0)
	for _, e := range events[:min(mark, len(events))] {
		if err := known.Apply(e.Event); err != nil {
			tb.Fatal(err)
		}
	}
	c.licenses.await(tb, mark, "a held change of kind "+kind, func(e told) bool {
		if err := known.Apply(e.Event); err != nil {
			tb.Fatal(err)
		}
		for _, found = range known.Open() {
			if found.Opened.Kind == kind && found.Whole() {
				return true
			}
		}
		return false
	})
	return found
}

// approve approves a held change as it was shown, with the command that the command line gives.
func (c *company) approve(tb testing.TB, change held.Change) {
	tb.Helper()
	b, _ := c.house.clients(tb, c.house.dial(tb))
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	answer, err := command.New(b, clock.System()).Do(ctx, c.id, "", event.ApproveRequested{
		Product: product, Held: change.Opened.Held, Revision: change.Revision, By: held.Somebody,
	})
	if err != nil {
		tb.Fatalf("approve %s of %s: %v, %+v", change.Opened.Held, c.id, err, answer)
	}
}

// approveAll has somebody approve whatever is held, until the test ends.
func (c *company) approveAll(tb testing.TB) {
	tb.Helper()
	background(tb, "who approves", (&held.Approver{Tenant: c.id, Product: product, NATS: c.house.dial(tb)}).Run)
}

// awaitRound waits until a round that began after a change has ended: everything of it is on LEDGER_IN.
func (c *company) awaitRound(tb testing.TB, after control.Change) {
	tb.Helper()
	c.ledger.await(tb, 0, "a round after a change", func(m bus.Message) bool {
		if m.Event.Type() != event.TypeRoundEnded {
			return false
		}
		round, err := event.Data[event.RoundEnded](m.Event)
		return err == nil && round.Began.After(after.At)
	})
}

// licensed says what the heard events say of a user.
func (c *company) licensed(user string) bool {
	all, _ := c.licenses.since(0)
	for _, e := range slices.Backward(all) {
		if e.User == user && e.Entitlement != nil {
			return e.Entitlement.Licensed
		}
	}
	return false
}

// must passes a change on that has to succeed.
func must(tb testing.TB) func(control.Change, error) control.Change {
	return func(change control.Change, err error) control.Change {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return change
	}
}
