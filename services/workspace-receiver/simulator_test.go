package workspacereceiver_test

import (
	"context"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

// simulate starts a simulator with the customer initech, on a clock of the test's, and returns it as a tenant.
func simulate(t *testing.T, c clock.Clock) (*control.Client, tenant.Tenant) {
	t.Helper()
	server, err := simulator.New(simulator.Config{DataDir: t.TempDir(), AllowLoopbackHTTP: true}, simulator.Deps{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	})
	sim, err := control.NewWithCA(server.URL(), server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	account := workspacetest.New(t)
	made, err := sim.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: "C03az79cb", Domains: []string{"initech.com"},
		App: account.App(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return sim, tenant.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: made.DirectoryID, Domain: "initech.com",
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: account.Credential("initech.com"),
		Endpoints:  tenant.Endpoints{API: server.URL(), Authority: server.URL(), CAFile: server.CAFile()},
	}
}
