package timelapse

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// customer is one simulated Workspace directory.
type customer struct {
	*world
	id, domain, directory string
	users                 []string // that hire has made
	group                 string   // id of the provisioning group; "" without one
	heard                 *heard
}

// found makes a directory that holds its admin alone.
func (w *world) found(id string) *customer {
	w.tb.Helper()
	c := &customer{world: w, id: id, domain: id + ".com"}
	made, err := w.control.PutTenant(w.tb.Context(), control.Tenant{
		ID: id, Provider: directory.GoogleWorkspace, Domains: []string{c.domain},
		App: w.account.App(),
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	c.directory = made.DirectoryID
	return c
}

// hire makes active users.
func (c *customer) hire(n int) {
	c.tb.Helper()
	none := 0.0
	before := map[string]bool{}
	for _, u := range c.everyone() {
		before[u.ID] = true
	}
	_, err := c.control.Generate(c.tb.Context(), c.id, control.Generate{
		Users: n, Seed: 7, GuestShare: &none, SuspendedShare: &none, ArchivedShare: &none,
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	for _, u := range c.everyone() {
		if !before[u.ID] {
			c.users = append(c.users, u.ID)
		}
	}
}

func (c *customer) everyone() []control.User {
	c.tb.Helper()
	all, err := c.control.Users(c.tb.Context(), c.id)
	if err != nil {
		c.tb.Fatal(err)
	}
	return all
}

// address is that of the provisioning group.
func (c *customer) address() string { return tenant.SecureShare().Group + "@" + c.domain }

// gather makes the provisioning group, with members.
func (c *customer) gather(members ...string) {
	c.tb.Helper()
	c.group = c.must(c.control.AddGroup(c.tb.Context(), c.id, control.NewGroup{Address: c.address()})).ID
	for portion := range slices.Chunk(members, 10_000) {
		c.must(c.control.AddMembers(c.tb.Context(), c.id, c.group, portion...))
	}
}

// connect connects the directory, and lets time go by until everyone who should has a license.
func (c *customer) connect(licensed int) {
	c.tb.Helper()
	c.heard = c.follow(c.id)
	err := c.tenants.Put(c.tb.Context(), tenant.Tenant{
		ID: c.id, Provider: directory.GoogleWorkspace, DirectoryID: c.directory, Domain: c.domain,
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: c.account.Credential(c.domain),
		Endpoints:  tenant.Endpoints{API: c.sim.URL(), Authority: c.sim.URL(), CAFile: c.sim.CAFile()},
		CreatedAt:  c.stage.Now(),
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	c.tb.Cleanup(c.justified)
	c.customers = append(c.customers, c)
	*c.timers += 2 // its lane and its keeper
	c.rest()
	c.await("everyone is licensed", time.Hour, func() bool { return len(c.heard.licensed()) >= licensed })
}

// disconnect has Rollcall forget the customer.
func (c *customer) disconnect() {
	c.tb.Helper()
	if err := c.tenants.Delete(c.tb.Context(), c.id); err != nil {
		c.tb.Fatal(err)
	}
	c.customers = slices.DeleteFunc(c.customers, func(other *customer) bool { return other.id == c.id })
	*c.timers -= 2
	c.rest()
}

// act changes the directory now, and lets everybody do what comes of it at once.
func (c *customer) act(change control.Change, err error) control.Change {
	c.tb.Helper()
	change = c.must(change, err)
	c.rest()
	return change
}

func (w *world) must(change control.Change, err error) control.Change {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
	return change
}

// verify compares what is published with the directory.
func (c *customer) verify() verify.Report {
	c.tb.Helper()
	client, err := license.New(c.bus.JetStream().Conn())
	if err != nil {
		c.tb.Fatal(err)
	}
	report, err := verify.Compare(c.tb.Context(),
		verify.Config{Tenant: c.id, Product: tenant.SecureShare().ID, Group: c.address(), Simulated: c.id},
		verify.Sources{Directory: c.control, Stream: client})
	if err != nil {
		c.tb.Fatal(err)
	}
	if !report.OK() {
		c.tb.Errorf("%s is untrue: %s", c.id, report)
	}
	return report
}
