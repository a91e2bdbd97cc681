package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// company is a customer with its directory. Rollcall and the simulator call it by the same id.
type company struct {
	provider
	id, name, domain string
	seed             uint64 // of its users
	client           *control.Client
}

// provider is what differs between directories of one kind and of another. The story is the same for all.
type provider struct {
	kind  directory.Provider
	label string // for the head of a column
	api   string // what stands behind the simulator's URL in that of the API
	lists []string
	// enroll makes what proves Rollcall to the directory, or finds it in the data folder: as the directory is told of it, and
	// as the tenant's record refers to it.
	enroll func(c company, dir *datadir.Dir) (control.App, tenant.Credential, error)
	// fill puts many users into a group in one go, as an admin would.
	fill func(ctx context.Context, c company, t tenant.Tenant, group string, users []string) error
}

// companies are those of the demo.
func companies(client *control.Client) []company {
	return []company{
		{provider: entra(), id: "contoso", name: "Contoso", domain: "contoso.com", seed: 2026, client: client},
		{provider: workspace(), id: "initech", name: "Initech", domain: "initech.com", seed: 1999, client: client},
	}
}

// product is what everyone in the story is licensed for.
func product() tenant.Product { return tenant.SecureShare() }

// record is the tenant as Rollcall knows it, without what differs from run to run.
func (c company) record() tenant.Tenant {
	return tenant.Tenant{ID: c.id, Provider: c.kind, Domain: c.domain, Products: []tenant.Product{product()}}
}

// address is that of the provisioning group.
func (c company) address() string { return c.record().GroupAddress(product()) }

// found makes the simulated directory with that many users, where it is not there yet, and returns the record that
// connects it.
func (c company) found(ctx context.Context, dir *datadir.Dir, users int) (tenant.Tenant, error) {
	t := c.record()
	app, credential, err := c.enroll(c, dir)
	if err != nil {
		return t, err
	}
	made, err := c.client.PutTenant(ctx, control.Tenant{ID: c.id, Provider: c.kind, Name: c.name, Domains: []string{c.domain}, App: app})
	if err != nil {
		return t, fmt.Errorf("make the simulated directory: %w", err)
	}
	there, err := c.users(ctx)
	if err != nil {
		return t, err
	}
	if len(there) < minUsers { // a directory is not made without its admin
		if _, err := c.client.Generate(ctx, c.id, control.Generate{Users: users, Seed: c.seed}); err != nil {
			return t, fmt.Errorf("make the simulated users: %w", err)
		}
	}
	t.DirectoryID, t.Credential = made.DirectoryID, credential
	return t, nil
}

// connect puts the record into the registry, with the simulator in the place of the provider, and reports whether it was
// not there before.
func (c company) connect(ctx context.Context, registry *tenant.Registry, t *tenant.Tenant, simulator, caFile string) (fresh bool, err error) {
	t.Endpoints = tenant.Endpoints{API: simulator + c.api, Authority: simulator, CAFile: absolute(caFile)}
	t.CreatedAt = time.Now().UTC()
	_, err = registry.Get(ctx, c.id)
	if fresh = errors.Is(err, tenant.ErrNotFound); err != nil && !fresh {
		return false, err
	}
	return fresh, registry.Put(ctx, *t)
}

func absolute(path string) string {
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return full
}
