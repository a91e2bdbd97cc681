package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// newcomerUsers is how many there are in the newcomer's directory: it is read while somebody waits.
const newcomerUsers = 60

// newcomer is a company that is in no story: whoever stays may connect it from the pages. Its admin has yet to consent.
func newcomer(client *control.Client) company {
	return company{provider: entra(), id: "northwind", name: "Northwind", domain: "northwind.com", seed: 2020, client: client}
}

// application is how the receiver of the demo refers to the application that the newcomer's admin consents to.
func (s *stage) application() (config.Entra, error) {
	_, credential, err := enrollEntra(newcomer(nil), s.dir)
	if err != nil {
		return config.Entra{}, err
	}
	return config.Entra{
		ClientID: credential.ClientID, Credential: string(credential.Kind), CredentialFile: credential.File,
		API: s.simulator.URL() + newcomer(nil).api, Authority: s.simulator.URL(), CAFile: absolute(s.simulator.CAFile()),
	}, nil
}

// welcome makes the newcomer's directory, where it is not there yet, and tells how it is connected.
func (s *stage) welcome(ctx context.Context) error {
	client, err := control.NewWithCA(s.simulator.URL(), s.simulator.CAFile())
	if err != nil {
		return err
	}
	c := newcomer(client)
	known, err := s.process.Tenants().Get(ctx, c.id)
	connected := err == nil
	if err != nil && !errors.Is(err, tenant.ErrNotFound) {
		return err
	}
	directory, err := s.foundNewcomer(ctx, c)
	if err != nil {
		return fmt.Errorf("%s: %w", c.id, err)
	}
	if connected { // in an earlier run, perhaps at other ports
		_, err := c.connect(ctx, s.process.Tenants(), &known, s.simulator.URL(), s.simulator.CAFile())
		return err
	}
	s.tell.say("\nConnect a third directory, whose admin has not consented yet. Your browser warns of the simulator's certificate there:\n")
	s.tell.say("  %s/connect?provider=entra", s.process.HTTPURL())
	s.tell.say("  short name %s, tenant ID %s, admin %s", c.id, directory.DirectoryID, "admin@"+c.domain)
	return nil
}

// foundNewcomer makes the directory, or tells it where browsers are sent back to now.
func (s *stage) foundNewcomer(ctx context.Context, c company) (control.Tenant, error) {
	all, err := c.client.Tenants(ctx)
	if err != nil {
		return control.Tenant{}, err
	}
	at := slices.IndexFunc(all, func(t control.Tenant) bool { return t.ID == c.id })
	app, _, err := enrollEntra(c, s.dir)
	if err != nil {
		return control.Tenant{}, err
	}
	app.Unconsented = at < 0 || all[at].App.Unconsented
	app.Redirects = []string{s.process.HTTPURL() + "/connect/entra/callback"}
	made, err := c.client.PutTenant(ctx, control.Tenant{ID: c.id, Provider: c.kind, Name: c.name, Domains: []string{c.domain}, App: app})
	if err == nil && at < 0 {
		_, err = c.client.Generate(ctx, c.id, control.Generate{Users: newcomerUsers, Seed: c.seed})
	}
	return made, err
}
