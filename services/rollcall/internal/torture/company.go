package torture

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// company is one customer with its directory. Rollcall and the simulator call it by the same id.
type company struct {
	id, domain string
	provider   directory.Provider
	holds      bool // changes of many licenses wait until somebody approves them; else they take effect at once
	people     []string
	nested     []string // ids of groups that are now and then in the provisioning group
}

// product is what everyone is licensed for.
func product() tenant.Product { return tenant.SecureShare() }

func (c *company) group() string { return product().Group + "@" + c.domain }

// companies are those of a run: some of each provider, the first of which holds changes.
func companies(cfg Config) (all []*company) {
	for _, p := range cfg.Providers {
		word := "entra"
		if p == directory.GoogleWorkspace {
			word = "workspace"
		}
		for n := range tenantsPerProvider {
			id := fmt.Sprintf("%s-%d", word, n)
			all = append(all, &company{id: id, domain: id + ".com", provider: p, holds: n == 0})
		}
	}
	return all
}

const (
	clientID     = "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10"
	clientSecret = "only-the-simulator-knows" //nolint:gosec // G101: of no application but the simulator's
)

// make makes the directory, with people, some of them in the provisioning group, and groups that can be nested in it.
func (c *company) make(ctx context.Context, client *control.Client, account house.Account, seed uint64) (control.Tenant, error) {
	app := control.App{ClientID: clientID, Secret: clientSecret}
	if c.provider == directory.GoogleWorkspace {
		app = account.App(c.domain)
	}
	made, err := client.PutTenant(ctx, control.Tenant{ID: c.id, Provider: c.provider, Domains: []string{c.domain}, App: app})
	if err != nil {
		return made, fmt.Errorf("make the directory of %s: %w", c.id, err)
	}
	if _, err := client.Via(control.ViaAPI).Generate(ctx, c.id, control.Generate{Users: usersPerTenant, Seed: seed}); err != nil {
		return made, fmt.Errorf("make the people of %s: %w", c.id, err)
	}
	users, err := client.Users(ctx, c.id)
	if err != nil {
		return made, err
	}
	for _, u := range users {
		if u.Address != house.Admin(c.domain) && !u.Guest { // the directory is read in an admin's name
			c.people = append(c.people, u.ID)
		}
	}
	if _, err := client.AddGroup(ctx, c.id, c.newGroup()); err != nil {
		return made, fmt.Errorf("make the provisioning group of %s: %w", c.id, err)
	}
	if _, err := client.AddMembers(ctx, c.id, c.group(), c.first()...); err != nil {
		return made, fmt.Errorf("fill the provisioning group of %s: %w", c.id, err)
	}
	for n := range nestedGroups {
		change, err := client.AddGroup(ctx, c.id, control.NewGroup{Address: fmt.Sprintf("team-%d@%s", n, c.domain), Kind: c.kind(), Name: "Team"})
		if err != nil {
			return made, fmt.Errorf("make a group of %s: %w", c.id, err)
		}
		c.nested = append(c.nested, change.ID)
	}
	return made, nil
}

const nestedGroups = 2

// first are who is in the provisioning group when the directory is connected.
func (c *company) first() (first []string) {
	for i, id := range c.people {
		if i%3 == 1 {
			first = append(first, id)
		}
	}
	return first
}

// kind is that of the directory's groups: of Entra ID, groups that are gone for good when they are deleted.
func (c *company) kind() directory.GroupKind {
	if c.provider == directory.GoogleWorkspace {
		return ""
	}
	return directory.MailEnabledSecurity
}

func (c *company) newGroup() control.NewGroup {
	return control.NewGroup{Address: c.group(), Kind: c.kind(), Name: "Secure Share"}
}

// record is the tenant as Rollcall knows it, with the simulator in the place of the provider.
func (c *company) record(made control.Tenant, account house.Account, simulator, folder string) (tenant.Tenant, error) {
	t := tenant.Tenant{
		ID: c.id, Provider: c.provider, DirectoryID: made.DirectoryID, Domain: c.domain, Products: []tenant.Product{product()},
		Credential: account.Credential(c.domain), CreatedAt: time.Now().UTC(),
		Endpoints: tenant.Endpoints{API: simulator, Authority: simulator, CAFile: filepath.Join(folder, partSimulator, "ca.pem")},
	}
	if c.provider == directory.Entra {
		path := filepath.Join(folder, c.id+".secret")
		if err := os.WriteFile(path, []byte(clientSecret), 0o600); err != nil {
			return t, fmt.Errorf("write the secret of %s: %w", c.id, err)
		}
		t.Credential = tenant.Credential{Kind: tenant.ClientSecret, ClientID: clientID, File: path}
		t.Endpoints.API += "/v1.0"
	}
	return t, nil
}
