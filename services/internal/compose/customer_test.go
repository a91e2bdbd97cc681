package compose

import (
	"os"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

// customer makes a simulated Workspace customer with one user, puts the key of its service account where the compose file
// says that secrets are, and returns the commands that connect it and ask who is licensed.
func customer(t *testing.T, s *stage, rollcall types.ServiceConfig) [][]string {
	t.Helper()
	const id = "C03az79cb"
	simulator, err := control.NewWithCA(s.here(rollcall, "https://simulator:7443"), s.here(rollcall, "/simulator/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	account := workspacetest.New(t)
	key, err := os.ReadFile(account.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.here(rollcall, "/run/secrets/initech.json"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = simulator.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: id, Domains: []string{"initech.com"},
		App: account.App(),
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
			"--credential", "google-key-file", "--key-file", "/run/secrets/initech.json", "--service-account", account.App().ServiceAccount,
			"--api", "https://simulator:7443", "--authority", "https://simulator:7443", "--ca-file", "/simulator/ca.pem",
		},
		{"refresh", "--tenant", "initech"},
		{"check", "--tenant", "initech", "--user", "peter@initech.com", "--action", "share.initiate"},
	}
}
