package demo

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/serve"
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
	share     *share
}

// open starts all servers' listeners. Nothing is served yet.
func (s *stage) open(ctx context.Context) error {
	ports, err := readPorts(s.dir)
	if err != nil {
		return err
	}
	cert, key, err := house.Certificate(s.dir.Join(""), time.Now())
	if err != nil {
		return err
	}
	s.simulator, err = newSimulator(simulator.Config{
		Addr: ports.Simulator, DataDir: s.dir.Join("simulator"), TrustCAFiles: []string{cert},
	}, simulator.Deps{Logger: s.logger.With("part", "simulator")})
	if err != nil {
		return err
	}
	settings := s.configuration()
	if settings.Entra, err = s.application(); err != nil {
		return err
	}
	s.process, err = serve.Open(ctx, settings, serve.Options{
		ReplaceTakenPorts: true,
		Push:              &httpserver.Config{Addr: ports.Push, ReplaceTakenPort: true, CertFile: cert, KeyFile: key},
	}, serve.Deps{Dir: s.dir, Logger: s.logger, Clock: s.clock, Metrics: s.metrics})
	if err != nil {
		return err
	}
	if s.share, err = openShare(ctx, s.cfg.ShareAddr, s.process.NATSURL(), s.logger); err != nil {
		return err
	}
	return writePorts(s.dir, ports, s.simulator.URL(), s.process.PushURL())
}

func (s *stage) configuration() config.Config {
	c := config.Default()
	c.Data = s.cfg.Data
	c.HTTP.Addr, c.NATS.Listen = s.cfg.HTTPAddr, s.cfg.NATSAddr
	c.Sync.PollInterval, c.Sync.Vanish, c.Worker.Settle, c.Worker.Doubt = s.cfg.Poll, s.cfg.Settle, s.cfg.Settle, s.cfg.Settle
	c.Center.DevelopmentLogin = true
	c.NATS.Partitions = 4 // so few tenants need no more
	return c
}

// run serves everything until ctx ends, and the story with it. Commands that name no tenant change the first company.
func (s *stage) run(ctx context.Context, story supervise.Worker) error {
	sim := &datadir.Simulator{URL: s.simulator.URL(), CAFile: absolute(s.simulator.CAFile()), Tenant: companies(nil)[0].id}
	return s.process.Run(ctx, sim, supervise.Worker{Name: "simulator", Run: s.simulator.Run},
		supervise.Worker{Name: "secure-share", Run: s.share.run}, supervise.Worker{Name: "secure-share-http", Run: s.share.http.Run}, story)
}

func (s *stage) close() {
	if s.process == nil {
		return
	}
	if s.share != nil {
		s.share.close()
	}
	if err := s.process.Close(); err != nil {
		s.logger.Error("closing", "error", err)
	}
}

// ensemble sets up a story for each company. What listens for them does so on a connection to NATS of its own, as anyone
// could, until done is called.
func (s *stage) ensemble(ctx context.Context, started time.Time) (e *ensemble, done func(), err error) {
	client, err := control.NewWithCA(s.simulator.URL(), s.simulator.CAFile())
	if err != nil {
		return nil, nil, err
	}
	nc, err := nats.Connect(s.process.NATSURL(), nats.Name("rollcall demo subscriber"))
	if err != nil {
		return nil, nil, fmt.Errorf("connect the subscriber: %w", err)
	}
	listening, stop := context.WithCancel(ctx)
	done = func() { stop(); nc.Close() }
	e = &ensemble{tell: s.tell, cfg: s.cfg}
	for _, c := range companies(client) {
		st := &story{company: c, stage: s, started: started}
		if err := st.listen(listening, nc); err != nil {
			done()
			return nil, nil, fmt.Errorf("%s: %w", c.id, err)
		}
		e.stories = append(e.stories, st)
	}
	return e, done, nil
}
