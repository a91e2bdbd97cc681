package workspacereceiver_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const account = "rollcall@vendor.iam.gserviceaccount.com"

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
	public, keyFile := serviceAccount(t)
	made, err := sim.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: "C03az79cb", Domains: []string{"initech.com"},
		App: control.App{ServiceAccount: account, PublicKey: public},
	})
	if err != nil {
		t.Fatal(err)
	}
	return sim, tenant.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: made.DirectoryID, Domain: "initech.com",
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.GoogleKeyFile, File: keyFile, ServiceAccount: account, Subject: "admin@initech.com"},
		Endpoints:  tenant.Endpoints{API: server.URL(), Authority: server.URL(), CAFile: server.CAFile()},
	}
}

// serviceAccount makes a key, and returns its public half and the key file that has the private one.
func serviceAccount(t *testing.T) (public, file string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_id": "104857600000000000001", "client_email": account, "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), "token_uri": "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), file
}
