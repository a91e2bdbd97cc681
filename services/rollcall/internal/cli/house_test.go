package cli_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/serve"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// house is a running Rollcall without pushes, and a simulated directory that nobody has connected yet.
type house struct {
	data      string
	natsURL   string
	httpURL   string
	client    *control.Client
	simulator *simulator.Server
	directory string // the simulated directory's id
}

const (
	users   = 60
	appID   = "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10"
	address = "virtru-secure-share-provisioning-group@contoso.com"
)

// settings are those of a house: everything in one process, on free ports, nothing pushed. poll is how often changes are
// looked for; 0 is never.
func settings(t *testing.T, poll time.Duration) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	cfg.NATS.Listen, cfg.NATS.Partitions, cfg.HTTP.Addr = "127.0.0.1:0", 2, "127.0.0.1:0"
	cfg.Sync.Push, cfg.Sync.PollInterval, cfg.Sync.FullInterval = false, poll, 0
	cfg.Sync.Vanish, cfg.Worker.Settle = 100*time.Millisecond, 100*time.Millisecond
	cfg.Worker.Doubt = 0 // users are suspended and back within moments
	return cfg
}

// open starts one process with all roles, and the simulator in it.
func open(t *testing.T, poll time.Duration) *house {
	t.Helper()
	return openAs(t, settings(t, poll))
}

func openAs(t *testing.T, cfg config.Config) *house {
	t.Helper()
	return startIn(t, cfg, newSimulator(t))
}

func startIn(t *testing.T, cfg config.Config, sim *simulator.Server) *house {
	t.Helper()
	process := start(t, cfg, &datadir.Simulator{URL: sim.URL(), CAFile: sim.CAFile(), Tenant: "contoso"},
		supervise.Worker{Name: "simulator", Run: sim.Run})
	h := &house{data: cfg.Data, natsURL: process.NATSURL(), httpURL: process.HTTPURL(), simulator: sim}
	h.simulate(t)
	return h
}

func newSimulator(t *testing.T) *simulator.Server {
	t.Helper()
	sim, err := simulator.New(simulator.Config{}, simulator.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// start runs one process until the test ends, and returns when it has said where it is.
func start(t *testing.T, cfg config.Config, sim *datadir.Simulator, others ...supervise.Worker) *serve.Process {
	t.Helper()
	dir, err := datadir.Open(cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	process, err := serve.Open(t.Context(), cfg, serve.Options{}, serve.Deps{
		Dir: dir, Logger: telemetry.Discard(), Clock: clock.System(), Metrics: telemetry.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended, announced := make(chan error, 1), make(chan struct{})
	others = append(others, supervise.Worker{Name: "announced", Run: func(ctx context.Context) error {
		close(announced)
		<-ctx.Done()
		return nil
	}})
	go func() { ended <- process.Run(ctx, sim, others...) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the process ended with %v", err)
		}
		if err := process.Close(); err != nil {
			t.Error(err)
		}
		_ = dir.Close()
	})
	<-announced
	return process
}

func (h *house) simulate(t *testing.T) {
	t.Helper()
	client, err := control.NewWithCA(h.simulator.URL(), h.simulator.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.PutTenant(t.Context(), control.Tenant{
		ID: "contoso", Domains: []string{"contoso.com"}, App: control.App{ClientID: appID, Secret: "only-the-simulator-knows"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Generate(t.Context(), "contoso", control.Generate{Users: users, Seed: 7}); err != nil {
		t.Fatal(err)
	}
	h.client, h.directory = client, made.DirectoryID
}

// run runs one command line against the house and returns what it printed and its exit code.
func (h *house) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, told bytes.Buffer
	getenv := func(name string) string { return map[string]string{"ROLLCALL_DATA": h.data}[name] }
	err := cli.Run(t.Context(), args, getenv, nil, &out, &told)
	return out.String(), told.String(), cli.ExitCode(err)
}

// must is run for a command that has to end with 0.
func (h *house) must(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := h.run(t, args...)
	if code != 0 {
		t.Fatalf("rollcall %v: exit code %d: %s", args, code, stderr)
	}
	return stdout
}

// awaitTruth waits until every entitlement is as the simulated directory says.
func (h *house) awaitTruth(t *testing.T) {
	t.Helper()
	b := h.bus(t)
	client, err := license.New(b.JetStream().Conn())
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.Await(t.Context(), verify.Config{
		Tenant: "contoso", Product: "secure-share", Group: address, Simulated: "contoso",
	}, verify.Sources{Directory: h.client, Stream: client}, time.Minute)
	if err != nil || !report.OK() {
		t.Fatalf("untrue: %v, %v", report, err)
	}
}
