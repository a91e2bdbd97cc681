package connecting

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	controlcenter "github.com/rollcall-hq/rollcall/services/control-center"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver/natstest"
	"github.com/rollcall-hq/rollcall/services/internal/process"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
	"github.com/rollcall-hq/rollcall/services/worker"
	workspacereceiver "github.com/rollcall-hq/rollcall/services/workspace-receiver"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	patience = 30 * time.Second
	clientID = "1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21"
	secret   = "the secret of the application"
)

// house is every role as a process of its own, and a simulator.
type house struct {
	t        *testing.T
	nats     *natstest.Server
	sim      *simulator.Server
	control  *control.Client
	account  *workspacetest.Account
	registry *tenant.Registry
	url      string // of the Control Center
	log      *said
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, nats: natstest.Start(t), log: &said{}, account: workspacetest.New(t)}
	operator := h.nats.Bus("operator", bus.Config{Partitions: 2})
	if err := operator.EnsureTopology(t.Context()); err != nil {
		t.Fatal(err)
	}
	kv, err := operator.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	h.registry = tenant.NewRegistry(kv)
	if h.sim, err = simulator.New(simulator.Config{}, simulator.Deps{}); err != nil {
		t.Fatal(err)
	}
	h.run(h.sim.Run)
	if h.control, err = control.NewWithCA(h.sim.URL(), h.sim.CAFile()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	h.start(dir, config.RoleWorker, worker.Open)
	h.start(dir, config.RoleGraphReceiver, graphreceiver.Open)
	h.start(dir, config.RoleWorkspaceReceiver, workspacereceiver.Open)
	h.url = h.start(dir, config.RoleControlCenter, controlcenter.Open).HTTP.URL()
	return h
}

// run has something run until the test ends.
func (h *house) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
}

// start starts a role as deploy would: as its own user of NATS.
func (h *house) start(dir, role string, part process.Part) *process.Process {
	h.t.Helper()
	c := config.Default()
	c.Data, c.Roles, c.Ledger.URL = filepath.Join(dir, role), []string{role}, "sqlite:"+filepath.Join(dir, "ledger.db")
	c.NATS.URL, c.NATS.User, c.NATS.PasswordFile, c.NATS.Provision, c.NATS.Partitions = h.nats.URL(), role, h.nats.PasswordFile(role), false, 2
	c.HTTP.Addr, c.Sync.Push, c.Center.DevelopmentLogin = "127.0.0.1:0", false, role == config.RoleControlCenter
	c.Entra = config.Entra{
		ClientID: clientID, Credential: string(tenant.ClientSecret), CredentialFile: filepath.Join(dir, "secret"),
		API: h.sim.URL() + "/v1.0", Authority: h.sim.URL(), CAFile: h.sim.CAFile(),
	}
	service := h.account.App()
	c.Google = config.Google{
		ClientID: service.ClientID, ServiceAccount: service.ServiceAccount, Credential: string(tenant.GoogleKeyFile), CredentialFile: h.account.KeyFile,
		API: h.sim.URL(), Authority: h.sim.URL(), CAFile: h.sim.CAFile(),
	}
	err := errors.Join(os.MkdirAll(c.Data, 0o700), os.WriteFile(c.Entra.CredentialFile, []byte(secret), 0o600), c.Validate(), c.CheckFiles())
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := process.Open(h.t.Context(), c, process.Options{}, process.Deps{
		Logger: slog.New(slog.NewTextHandler(h.log, nil)).With("role", role), Clock: clock.System(), Metrics: prometheus.NewRegistry(),
	}, part)
	if err != nil {
		h.t.Fatal(err)
	}
	h.run(func(ctx context.Context) error { return errors.Join(p.Run(ctx), p.Close()) })
	return p
}

// northwind is a directory whose admin has not consented yet.
func (h *house) northwind() control.Tenant {
	h.t.Helper()
	made, err := h.control.PutTenant(h.t.Context(), control.Tenant{
		ID: "northwind", Name: "Northwind", Domains: []string{"northwind.com"},
		App: control.App{ClientID: clientID, Secret: secret, Unconsented: true, Redirects: []string{h.url + "/connect/entra/callback"}},
	})
	if err == nil {
		_, err = h.control.Generate(h.t.Context(), "northwind", control.Generate{Users: 20})
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return made
}

// initech is a customer that has delegated nothing yet.
func (h *house) initech() control.Tenant {
	h.t.Helper()
	made, err := h.control.PutTenant(h.t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"}, App: h.account.App(),
	})
	if err == nil {
		err = h.control.SetScopes(h.t.Context(), "initech", nil)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return made
}

// connected is what the registry has of a tenant; nil: nothing.
func (h *house) connected(id string) *tenant.Tenant {
	h.t.Helper()
	t, err := h.registry.Get(h.t.Context(), id)
	if errors.Is(err, tenant.ErrNotFound) {
		return nil
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return &t
}

// said is what all processes have logged.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// line finds a line of the log that has all parts.
func (s *said) line(parts ...string) bool {
	for line := range strings.Lines(s.String()) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}
