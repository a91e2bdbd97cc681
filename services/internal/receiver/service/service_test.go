package service_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease/leasetest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// provider is one of any name, whose connecting may be spoiled.
type provider struct {
	*receivertest.Provider
	name    directory.Provider
	connect func() error // may be nil
	closed  chan struct{}
}

func (p *provider) Name() directory.Provider { return p.name }
func (p *provider) Close()                   { close(p.closed) }

func (p *provider) Connect(t tenant.Tenant) (receiver.Directory, error) {
	if p.connect != nil {
		if err := p.connect(); err != nil {
			return nil, err
		}
	}
	return p.Provider.Connect(t)
}

func (p *provider) Verify(context.Context, tenant.Tenant) ([]receiver.Finding, error) {
	return []receiver.Finding{{Check: "sign-in", State: receiver.Passed}}, nil
}

func newProvider(name directory.Provider, tenants ...string) *provider {
	p := &provider{name: name, closed: make(chan struct{}), Provider: &receivertest.Provider{Directories: map[string]*receivertest.Directory{}}}
	for _, id := range tenants {
		p.Directories[id] = &receivertest.Directory{}
	}
	return p
}

func (p *provider) kind() service.Kind {
	return service.Kind{
		Role: string(p.name) + "-half", Path: "/" + string(p.name),
		New: func(remote.Deps) (service.Provider, error) { return p, nil },
	}
}

func add(t *testing.T, registry *tenant.Registry, id string, p directory.Provider) {
	t.Helper()
	one := tenant.Tenant{
		ID: id, Provider: p, DirectoryID: "d-" + id, Domain: id + ".com", Products: []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "SECRET"},
	}
	if p == directory.GoogleWorkspace {
		one.Credential = tenant.Credential{
			Kind: tenant.GoogleKeyFile, ClientID: "104000000000000000000", File: "/no/such/key.json", ServiceAccount: "a@b.example.com", Subject: "admin@" + one.Domain,
		}
	}
	if err := registry.Add(t.Context(), one); err != nil {
		t.Fatal(err)
	}
}

// Two providers share a process: its NATS, its keys, its registry of tenants and of metrics. One that cannot connect any of
// its tenants leaves the other alone.
func TestProvidersShareAProcess(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func() error{
		"none":                   nil,
		"every connection fails": func() error { return errors.New("the file of the credential is gone") },
		"connecting panics":      func() error { panic("odd") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := bustest.New(t)
			kv, err := events.KeyValue(t.Context(), bus.BucketTenants)
			if err != nil {
				t.Fatal(err)
			}
			registry := tenant.NewRegistry(kv)
			add(t, registry, "contoso", directory.Entra)
			add(t, registry, "initech", directory.GoogleWorkspace)
			good, bad := newProvider(directory.Entra, "contoso"), newProvider(directory.GoogleWorkspace, "initech")
			bad.connect = trouble
			metrics, keysFile := prometheus.NewRegistry(), filepath.Join(t.TempDir(), "intake.keys")
			both := map[*provider]*service.Service{}
			for _, p := range []*provider{bad, good} {
				both[p] = run(t, p, service.Config{KeysFile: keysFile, CreateKeys: true}, service.Deps{
					Bus: events, Tenants: registry, Leases: leasetest.Alone{Clock: clock.System()}, Logger: slog.New(slog.DiscardHandler), Clock: clock.System(), Metrics: metrics,
				})
			}
			keys, err := secret.Load(keysFile)
			if err != nil {
				t.Fatal(err)
			}
			good.Directories["contoso"].PutUser(directory.User{ID: "u1", Status: directory.Active})
			for p, tenantID := range map[*provider]string{bad: "initech", good: "contoso"} {
				if code := push(t, both[p], p.name, keys, tenantID); code != http.StatusAccepted {
					t.Errorf("a push to %s is answered with %d", p.name, code)
				}
				if code := push(t, both[p], p.name, keys, map[string]string{"initech": "contoso", "contoso": "initech"}[tenantID]); code != http.StatusAccepted {
					t.Errorf("a push to %s of the other's tenant is answered with %d", p.name, code)
				}
			}
			shown(t, events, "contoso", "u1")
			if n, err := testutil.GatherAndCount(metrics, "rollcall_notifications_total"); err != nil || n != 4 {
				t.Errorf("%d counts, %v: want accepted and unknown tenants of each provider", n, err)
			}
		})
	}
}

// run runs a service until the test ends, and returns when it is ready.
func run(t *testing.T, p *provider, cfg service.Config, deps service.Deps) *service.Service {
	t.Helper()
	s, err := service.New(p.kind(), cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run of %s: %v", p.name, err)
		}
		<-p.closed
	})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.Ready(t.Context()) != nil {
		<-tick.C
	}
	return s
}

func push(t *testing.T, s *service.Service, name directory.Provider, keys secret.Keys, tenantID string) int {
	t.Helper()
	proof, err := keys.Sign(name, secret.Proof{Tenant: tenantID, Channel: "c1"})
	if err != nil {
		t.Fatal(err)
	}
	body := receivertest.Body(receivertest.Item{Directory: "d-" + tenantID, Subscription: "s1", Secret: proof, Resource: "user", ID: "u1", Change: "updated"})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/"+string(name), bytes.NewReader(body)))
	return w.Code
}

// shown waits for a page of a tenant that shows a user.
func shown(t *testing.T, events *bus.Bus, tenantID, userID string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := events.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.>"}, Follow: true}, func(m bus.Message) error {
		page, err := event.Data[event.DirectoryObserved](m.Event)
		if err == nil && event.Tenant(m.Event) == tenantID &&
			slices.ContainsFunc(page.Observations, func(o event.Observation) bool { return o.User != nil && o.User.ID == userID }) {
			return io.EOF
		}
		return nil
	})
	if !errors.Is(err, io.EOF) {
		t.Fatalf("no page of %s with %s: %v", tenantID, userID, err)
	}
}

func TestWhatCannotBeMadeSaysWhose(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "intake.keys")
	kind := newProvider(directory.Entra).kind()
	broken := kind
	broken.New = func(remote.Deps) (service.Provider, error) { return nil, errors.New("no such API") }
	for name, c := range map[string]struct {
		kind service.Kind
		cfg  service.Config
	}{
		"no keys":             {kind, service.Config{KeysFile: file + ".none"}},
		"no https":            {kind, service.Config{KeysFile: file, CreateKeys: true, Push: true, PublicURL: "http://rollcall.example.com"}},
		"no provider":         {broken, service.Config{KeysFile: file, CreateKeys: true}},
		"a query in the path": {kind, service.Config{KeysFile: file, CreateKeys: true, Push: true, PublicURL: "https://rollcall.example.com?a=b"}},
	} {
		_, err := service.New(c.kind, c.cfg, service.Deps{
			Bus: nil, Logger: slog.New(slog.DiscardHandler), Clock: clock.System(), Metrics: prometheus.NewRegistry(),
		})
		if err == nil || !strings.HasPrefix(err.Error(), "entra-half: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyTakesTenantsOfItsProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(directory.Entra)
	findings, err := service.Verify(t.Context(), p.kind(), tenant.Tenant{ID: "contoso", Provider: directory.Entra}, remote.Deps{})
	if err != nil || len(findings) != 1 {
		t.Errorf("%v, %v", findings, err)
	}
	<-p.closed
	p = newProvider(directory.Entra)
	if _, err := service.Verify(t.Context(), p.kind(), tenant.Tenant{ID: "initech", Provider: directory.GoogleWorkspace}, remote.Deps{}); err == nil {
		t.Error("another provider's tenant is looked at")
	}
}
