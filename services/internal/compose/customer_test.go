package compose

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// customer makes a simulated Workspace customer with one user, puts the key of its service account where the compose file
// says that secrets are, and returns the commands that connect it and ask who is licensed.
func customer(t *testing.T, s *stage, rollcall types.ServiceConfig) [][]string {
	t.Helper()
	const account, id = "rollcall@vendor.iam.gserviceaccount.com", "C03az79cb"
	simulator, err := control.NewWithCA(s.here(rollcall, "https://simulator:7443"), s.here(rollcall, "/simulator/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_id": "104857600000000000001", "client_email": account, "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), "token_uri": "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.here(rollcall, "/run/secrets/initech.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = simulator.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: id, Domains: []string{"initech.com"},
		App: control.App{ServiceAccount: account, PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := simulator.AddUser(t.Context(), "initech", control.NewUser{Address: "peter@initech.com"}); err != nil {
		t.Fatal(err)
	}
	return [][]string{
		{
			"tenants", "add", "initech", "--provider", "google-workspace", "--directory-id", id, "--connected-by", "admin@initech.com",
			"--credential", "google-key-file", "--key-file", "/run/secrets/initech.json", "--service-account", account,
			"--api", "https://simulator:7443", "--authority", "https://simulator:7443", "--ca-file", "/simulator/ca.pem",
		},
		{"refresh", "--tenant", "initech"},
		{"check", "--tenant", "initech", "--user", "peter@initech.com", "--action", "share.initiate"},
	}
}
