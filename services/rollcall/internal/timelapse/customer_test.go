package timelapse

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// customer is one simulated directory.
type customer struct {
	*world
	id, domain, directory string
	kind                  directory.Provider
	users                 []string // that hire has made
	group                 string   // id of the provisioning group; "" without one
	heard                 *heard
}

// The application that reads simulated Entra directories.
const (
	appID     = "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10"
	appSecret = "only-the-simulator-knows"
)

// found makes a Workspace directory that holds its admin alone.
func (w *world) found(id string) *customer {
	w.tb.Helper()
	return w.foundAt(id, directory.GoogleWorkspace)
}

// foundAt makes a directory at a provider. An Entra directory holds nobody.
func (w *world) foundAt(id string, provider directory.Provider) *customer {
	w.tb.Helper()
	c := &customer{world: w, id: id, domain: id + ".com", kind: provider}
	app := w.account.App()
	if provider == directory.Entra {
		app = control.App{ClientID: appID, Secret: appSecret}
	}
	made, err := w.control.PutTenant(w.tb.Context(), control.Tenant{ID: id, Provider: provider, Domains: []string{c.domain}, App: app})
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
	api, credential := c.access()
	err := c.tenants.Put(c.tb.Context(), tenant.Tenant{
		ID: c.id, Provider: c.kind, DirectoryID: c.directory, Domain: c.domain, Products: []tenant.Product{tenant.SecureShare()},
		Credential: credential, Endpoints: tenant.Endpoints{API: api, Authority: c.sim.URL(), CAFile: c.sim.CAFile()},
		CreatedAt: c.stage.Now(),
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	c.tb.Cleanup(c.justified)
	c.customers = append(c.customers, c)
	*c.timers += 3 // its lane, its keeper and its watch
	c.rest()
	c.await("everyone is licensed", time.Hour, func() bool { return len(c.heard.licensed()) >= licensed })
}

// access is where the directory is read, and with what.
func (c *customer) access() (api string, credential tenant.Credential) {
	c.tb.Helper()
	if c.kind == directory.GoogleWorkspace {
		return c.sim.URL(), c.account.Credential(c.domain)
	}
	file := filepath.Join(c.tb.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(appSecret), 0o600); err != nil {
		c.tb.Fatal(err)
	}
	return c.sim.URL() + "/v1.0", tenant.Credential{Kind: tenant.ClientSecret, ClientID: appID, File: file}
}

// disconnect has Rollcall forget the customer.
func (c *customer) disconnect() {
	c.tb.Helper()
	if err := c.tenants.Delete(c.tb.Context(), c.id); err != nil {
		c.tb.Fatal(err)
	}
	c.customers = slices.DeleteFunc(c.customers, func(other *customer) bool { return other.id == c.id })
	*c.timers -= 3
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
