package compose

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestFile holds what every service of the file owes whoever runs it.
func TestFile(t *testing.T) {
	t.Parallel()
	for name, service := range load(t, []string{"demo"}, nil, postgresFile).Services {
		if service.HealthCheck == nil || len(service.HealthCheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes port %d to everyone", name, port.Target)
			}
		}
		if service.Build != nil && !strings.HasSuffix(service.Build.Dockerfile, "deploy/Dockerfile") {
			t.Errorf("%s is built from %s: there is one Dockerfile", name, service.Build.Dockerfile)
		}
		if !slices.ContainsFunc(service.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == "/data" && !v.ReadOnly }) {
			t.Errorf("%s keeps its data in the container", name)
		}
	}
	if _, there := load(t, nil, nil).Services["simulator"]; there {
		t.Error("the simulator starts without the profile demo")
	}
}

// TestNATS runs the server by deploy/nats/nats.conf and checks it as the file says.
func TestNATS(t *testing.T) {
	t.Parallel()
	project := load(t, nil, nil)
	s := newStage(t, project)
	startNATS(t, s, project.Services["nats"])
	await(t, s, project.Services["nats"], nil)
}

const postgresFile = "docker-compose.postgres.yml"

// TestPostgres runs rollcall with its ledger in a server that is as the image makes it: a user with a password, who owns a
// database.
func TestPostgres(t *testing.T) {
	t.Parallel()
	project := load(t, nil, nil, postgresFile)
	s, built := newStage(t, project), readImage(t)
	postgres, rollcall := project.Services["postgres"], project.Services["rollcall"]
	env := func(name string) string {
		if value := postgres.Environment[name]; value != nil {
			return s.here(postgres, *value)
		}
		t.Fatalf("postgres lacks %s", name)
		return ""
	}
	if err := os.WriteFile(env("POSTGRES_PASSWORD_FILE"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(postgres.HealthCheck.Test, []string{"CMD", "pg_isready", "--username", env("POSTGRES_USER"), "--dbname", env("POSTGRES_DB")}) {
		t.Errorf("health of another database: %v", postgres.HealthCheck.Test)
	}
	_, port := moved(t, s, postgres, 5432)
	ledgertest.Listen(t, port, env("POSTGRES_USER"), secret, env("POSTGRES_DB"))
	startNATS(t, s, project.Services["nats"])
	await(t, s, rollcall, start(t, s, built, rollcall).ended)
	if out, _ := execute(t, s, built, rollcall, "explain", "--tenant", "contoso", "--user", "ada"); !strings.Contains(string(out), "knows no such tenant") {
		t.Errorf("its ledger says: %s", out)
	}
	if _, err := os.Stat(s.here(rollcall, "/data/ledger.db")); err == nil {
		t.Error("it has a ledger in a file as well")
	}
}

// TestDemo starts everything in the order of the file, connects a simulated tenant of each provider as docs/operations.md
// says, and asks who is licensed.
func TestDemo(t *testing.T) {
	t.Parallel()
	project := load(t, []string{"demo"}, []string{"ROLLCALL_SYNC_POLL_INTERVAL=1s", "ROLLCALL_WORKER_SETTLE=1s", "ROLLCALL_WORKER_DOUBT=1s"})
	s, built := newStage(t, project), readImage(t)

	err := project.ForEachService(nil, func(_ string, service *types.ServiceConfig) error {
		if service.Build == nil {
			startNATS(t, s, *service)
			await(t, s, *service, nil)
		} else {
			await(t, s, *service, start(t, s, built, *service).ended)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	rollcall := project.Services["rollcall"]
	simulate(t, s, rollcall)
	for _, command := range append(customer(t, s, rollcall), [][]string{
		{
			"tenants", "add", "contoso", "--directory-id", directoryID, "--connected-by", "admin@contoso.com", "--client-id", clientID,
			"--secret-file", "/run/secrets/contoso", "--api", "https://simulator:7443/v1.0", "--authority", "https://simulator:7443", "--ca-file", "/simulator/ca.pem",
		},
		{"refresh", "--tenant", "contoso"},
		{"check", "--tenant", "contoso", "--user", "ada@contoso.com", "--action", "share.initiate"},
	}...) {
		if out, err := execute(t, s, built, rollcall, command...); err != nil {
			t.Fatalf("rollcall %s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	out, err := execute(t, s, built, rollcall, "check", "--tenant", "contoso", "--user", "grace@contoso.com", "--action", "share.initiate")
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("a suspended user may share: %v\n%s", err, out)
	}
}

const (
	directoryID = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"
	clientID    = "1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21"
	secret      = "a secret of the simulated tenant"
)

// simulate fills the simulated tenant, and puts its secret where the compose file says that secrets are.
func simulate(t *testing.T, s *stage, rollcall types.ServiceConfig) {
	t.Helper()
	simulator, err := control.NewWithCA(s.here(rollcall, "https://simulator:7443"), s.here(rollcall, "/simulator/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = simulator.PutTenant(t.Context(), control.Tenant{
		ID: "contoso", DirectoryID: directoryID, Domains: []string{"contoso.com"}, App: control.App{ClientID: clientID, Secret: secret},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []control.NewUser{{Address: "ada@contoso.com"}, {Address: "grace@contoso.com", Suspended: true}} {
		if _, err := simulator.AddUser(t.Context(), "contoso", user); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.here(rollcall, "/run/secrets/contoso"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
}

// execute runs one of the operator's commands as `docker compose exec rollcall rollcall …` would.
func execute(t *testing.T, s *stage, i image, service types.ServiceConfig, command ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(i.binaries, "rollcall"), s.words(service, command)...)
	cmd.Env = s.environment(service)
	cmd.Dir = t.TempDir()
	return cmd.CombinedOutput()
}
