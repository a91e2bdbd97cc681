package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/serve"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// stage is everything that runs while the story is played.
type stage struct {
	cfg     Config
	dir     *datadir.Dir
	logger  *slog.Logger
	clock   clock.Clock
	metrics *prometheus.Registry
	tell    teller

	simulator *simulator.Server
	process   *serve.Process
	fresh     bool   // nothing of an earlier run was found
	example   string // address of an active user
}

// The simulated company.
const (
	tenantID = "contoso"
	domain   = "contoso.com"
	clientID = "0a4d5c1e-7f0b-4a57-9d0e-3c1f0c5b7a10"
	seed     = 2026
)

// open starts all servers' listeners. Nothing is served yet.
func (s *stage) open(ctx context.Context) error {
	_, err := os.Stat(s.dir.Join("ledger.db"))
	s.fresh = errors.Is(err, fs.ErrNotExist)
	ports, err := readPorts(s.dir)
	if err != nil {
		return err
	}
	cert, key, err := pushCertificate(s.dir, time.Now())
	if err != nil {
		return err
	}
	s.simulator, err = newSimulator(simulator.Config{
		Addr: ports.Simulator, DataDir: s.dir.Join("simulator"), TrustCAFiles: []string{cert},
	}, simulator.Deps{Logger: s.logger.With("part", "simulator")})
	if err != nil {
		return err
	}
	s.process, err = serve.Open(ctx, s.configuration(), serve.Options{
		ReplaceTakenPorts: true,
		Push:              &httpserver.Config{Addr: ports.Push, ReplaceTakenPort: true, CertFile: cert, KeyFile: key},
	}, serve.Deps{Dir: s.dir, Logger: s.logger, Clock: s.clock, Metrics: s.metrics})
	if err != nil {
		return err
	}
	return writePorts(s.dir, ports, s.simulator.URL(), s.process.PushURL())
}

func (s *stage) configuration() config.Config {
	c := config.Default()
	c.Data = s.cfg.Data
	c.HTTP.Addr, c.NATS.Listen = s.cfg.HTTPAddr, s.cfg.NATSAddr
	c.Sync.PollInterval, c.Sync.Vanish, c.Worker.Settle = s.cfg.Poll, s.cfg.Settle, s.cfg.Settle
	c.NATS.Partitions = 4 // one tenant needs no more
	return c
}

// run serves everything until ctx ends, and the story with it.
func (s *stage) run(ctx context.Context, story supervise.Worker) error {
	sim := &datadir.Simulator{URL: s.simulator.URL(), CAFile: absolute(s.simulator.CAFile()), Tenant: tenantID}
	return s.process.Run(ctx, sim, supervise.Worker{Name: "simulator", Run: s.simulator.Run}, story)
}

func (s *stage) close() {
	if s.process == nil {
		return
	}
	if err := s.process.Close(); err != nil {
		s.logger.Error("closing", "error", err)
	}
}

// connect makes the simulated company, where it is not there yet, and connects it.
func (s *stage) connect(ctx context.Context, client *control.Client) (*admin, error) {
	secretFile, secret, err := s.secret()
	if err != nil {
		return nil, err
	}
	made, err := client.PutTenant(ctx, control.Tenant{
		ID: tenantID, Name: "Contoso", Domains: []string{domain},
		App: control.App{ClientID: clientID, Secret: secret, Permissions: control.DefaultPermissions()},
	})
	if err != nil {
		return nil, fmt.Errorf("make the simulated tenant: %w", err)
	}
	users, err := client.Users(ctx, tenantID)
	if err != nil {
		return nil, fmt.Errorf("read the simulated users: %w", err)
	}
	if len(users) == 0 {
		if _, err := client.Generate(ctx, tenantID, control.Generate{Users: s.cfg.Users, Seed: seed}); err != nil {
			return nil, fmt.Errorf("make the simulated users: %w", err)
		}
	}
	t := connected(made.DirectoryID)
	t.CreatedAt = s.clock.Now().UTC()
	t.Credential.File = absolute(secretFile)
	t.Endpoints = tenant.Endpoints{
		API: s.simulator.URL() + "/v1.0", Authority: s.simulator.URL(), CAFile: absolute(s.simulator.CAFile()),
	}
	if err := s.process.Tenants().Put(ctx, t); err != nil {
		return nil, err
	}
	return newAdmin(client, tenantID, t, secret)
}

// connected is the tenant as Rollcall knows it, without what differs from run to run.
func connected(directoryID string) tenant.Tenant {
	return tenant.Tenant{
		ID: tenantID, Provider: "entra", DirectoryID: directoryID, Domain: domain,
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: clientID},
	}
}

// secret is the client secret of the simulated application: made once, kept in a file as an operator would.
func (s *stage) secret() (path, secret string, err error) {
	path = s.dir.Join("contoso.secret")
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		body = []byte(rand.Text())
		err = os.WriteFile(path, body, 0o600)
	}
	if err != nil {
		return "", "", fmt.Errorf("client secret of the demo: %w", err)
	}
	return path, string(body), nil
}

// subscriber is a consumer as anyone could be one: on a NATS connection of its own, over TCP.
func (s *stage) subscriber() (*nats.Conn, *license.Client, error) {
	nc, err := nats.Connect(s.process.NATSURL(), nats.Name("rollcall demo subscriber"))
	if err != nil {
		return nil, nil, fmt.Errorf("connect the subscriber: %w", err)
	}
	client, err := license.New(nc)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return nc, client, nil
}

// story connects the directory and sets the story up. done ends what listens for it.
func (s *stage) story(ctx context.Context, nc *nats.Conn, client *license.Client, started time.Time) (*story, func(), error) {
	sim, err := control.NewWithCA(s.simulator.URL(), s.simulator.CAFile())
	if err != nil {
		return nil, nil, err
	}
	b, err := bus.New(nc, bus.Config{})
	if err != nil {
		return nil, nil, err
	}
	product := tenant.SecureShare()
	st := &story{
		company:  company{client: sim, tenant: tenantID, address: connected("").GroupAddress(product)},
		audience: newAudience(), mirror: newMirror(b, tenantID), tell: s.tell, settle: s.cfg.Settle, started: started, fresh: s.fresh,
		result: Result{Tenant: tenantID},
	}
	last, err := st.mirror.catchUp(ctx)
	if err != nil {
		return nil, nil, err
	}
	listening, done := context.WithCancel(ctx)
	go func() {
		options := license.Options{Tenant: tenantID, Product: product.ID, Follow: true}
		if err := client.Replay(listening, options, st.audience.hear); err != nil {
			s.logger.Error("the audience has left", "error", err)
		}
	}()
	go func() {
		if err := st.mirror.follow(listening, last); err != nil && listening.Err() == nil {
			s.logger.Error("the mirror is not followed", "error", err)
		}
	}()
	s.introduce()
	if st.admin, err = s.connect(ctx, sim); err != nil {
		done()
		return nil, nil, err
	}
	return st, done, nil
}

func (s *stage) verification() verify.Config {
	product := tenant.SecureShare()
	return verify.Config{Tenant: tenantID, Product: product.ID, Group: connected("").GroupAddress(product), Simulated: tenantID}
}

func absolute(path string) string {
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return full
}
