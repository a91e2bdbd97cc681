package endtoend

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/serve"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// plan is what may differ from test to test. The zero plan pushes, and never polls.
type plan struct {
	unpushed bool            // nothing is pushed
	doubt    time.Duration   // see config.Worker; 0: short
	poll     time.Duration   // 0: never
	degraded time.Duration   // how long it must last before it is said; 0: as it is shipped
	nats     *bustest.Server // nil: the one inside Rollcall
	durable  bool            // NATS writes to the disk before it acknowledges, as in production
	direct   bool            // pushes go past the gate
	notices  string          // the file that says who is told what happens; empty: nobody
	log      io.Writer       // hears all that Rollcall logs, at its most talkative and before anything is struck out; nil: nobody
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// short stands in for the times that Rollcall waits before it believes: settle and vanish.
const short = 100 * time.Millisecond

// house is a Rollcall that can be stopped and started again, and a simulator that lives for as long as the test.
type house struct {
	plan    plan
	data    string
	pair    pair
	gate    *gate
	sim     *simulator.Server
	control *control.Client

	process *serve.Process
	metrics *prometheus.Registry
	stop    func() // ends Rollcall as SIGTERM does, and waits
}

func open(tb testing.TB, p plan) *house {
	tb.Helper()
	h := &house{plan: p, data: filepath.Join(tb.TempDir(), "data"), pair: newPair(tb)}
	h.gate = newGate(tb, h.pair)
	h.openSimulator(tb)
	h.start(tb)
	tb.Cleanup(func() { h.stop() })
	return h
}

func (h *house) openSimulator(tb testing.TB) {
	tb.Helper()
	sim, err := simulator.New(simulator.Config{
		TrustCAFiles: []string{h.pair.cert},
		RetryBase:    time.Hour, // what is refused is sent again by the test, or not at all
	}, simulator.Deps{})
	if err != nil {
		tb.Fatal(err)
	}
	h.sim = sim
	background(tb, "the simulator", sim.Run)
	h.control = control.New(sim.URL(), client(tb, sim.CAFile()))
}

// start opens and runs Rollcall over the house's data folder.
func (h *house) start(tb testing.TB) {
	tb.Helper()
	said := &tail{}
	logger, err := telemetry.NewLogger(said, "info", "text")
	if err != nil {
		tb.Fatal(err)
	}
	if h.plan.log != nil { // not telemetry's: what that would strike out must not be said in the first place
		logger = slog.New(slog.NewTextHandler(io.MultiWriter(said, h.plan.log), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	dir, err := datadir.Open(h.data)
	if err != nil {
		tb.Fatal(err)
	}
	h.metrics = telemetry.NewRegistry()
	var options serve.Options
	if h.plan.direct {
		options.Push = &httpserver.Config{Addr: "127.0.0.1:0", CertFile: h.pair.cert, KeyFile: h.pair.key}
	}
	h.process, err = serve.Open(tb.Context(), h.configuration(), options, serve.Deps{
		Dir: dir, Logger: logger, Clock: clock.System(), Metrics: h.metrics,
	})
	if err != nil {
		tb.Fatal(err)
	}
	h.gate.handTo(tb, h.process.HTTPURL())
	running := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	process := h.process
	go func() {
		ended <- process.Run(ctx, nil, supervise.Worker{Name: "test", Run: func(ctx context.Context) error {
			close(running)
			<-ctx.Done()
			return nil
		}})
	}()
	<-running
	h.stop = func() {
		h.gate.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("rollcall ended with %v", err)
		}
		if err := process.Close(); err != nil {
			tb.Errorf("close rollcall: %v", err)
		}
		_ = dir.Close()
		if tb.Failed() {
			tb.Logf("rollcall said last:\n%s", said)
		}
		h.stop = func() {}
	}
}

func (h *house) configuration() config.Config {
	c := config.Default()
	c.Data = h.data
	c.NATS.Listen, c.NATS.Partitions, c.NATS.SyncAlways = "127.0.0.1:0", 2, h.plan.durable
	if h.plan.nats != nil {
		c.NATS.URL = h.plan.nats.URL()
	}
	c.HTTP.Addr, c.HTTP.TLSCertFile, c.HTTP.TLSKeyFile = "127.0.0.1:0", h.pair.cert, h.pair.key
	c.Intake.PublicURL = h.gate.url()
	c.Sync.Push, c.Sync.PollInterval, c.Sync.FullInterval = !h.plan.unpushed, h.plan.poll, 0
	c.Sync.Vanish, c.Worker.Settle, c.Worker.Doubt = short, short, cmp.Or(h.plan.doubt, short)
	c.Center.NoticesFile = h.plan.notices
	if h.plan.degraded > 0 {
		c.Sync.Degraded = h.plan.degraded
	}
	return c
}
