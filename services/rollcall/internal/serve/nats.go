package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver"
)

// openNATS connects to NATS, starting it first where it is this process's, and brings the streams into shape.
func (p *Process) openNATS(ctx context.Context, opts Options) error {
	var err error
	if p.cfg.Embedded() {
		p.nats, err = natsserver.Start(natsserver.Config{
			StoreDir: p.deps.Dir.Join("nats"), Listen: p.cfg.NATS.Listen, ReplaceTakenPort: opts.ReplaceTakenPorts,
			SyncAlways: p.cfg.NATS.SyncAlways,
		}, natsserver.Deps{Logger: p.deps.Logger.With("part", "nats-server")})
		if err != nil {
			return err
		}
		p.closers = append(p.closers, func() error { p.nats.Shutdown(); return nil })
	}
	if p.nc, err = p.connect(ctx); err != nil {
		return err
	}
	p.closers = append(p.closers, func() error { p.nc.Close(); return nil })
	settled := newSettledMetrics(p.deps.Metrics)
	p.bus, err = bus.New(p.nc, bus.Config{
		Partitions: p.cfg.NATS.Partitions, Replicas: p.cfg.NATS.Replicas, Logger: p.deps.Logger, Observe: settled.observe,
	})
	if err != nil {
		return err
	}
	return p.awaitTopology(ctx)
}

func (p *Process) connect(ctx context.Context) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name("rollcall"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				p.deps.Logger.WarnContext(ctx, "NATS is away", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { p.deps.Logger.InfoContext(ctx, "NATS is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			p.deps.Logger.WarnContext(ctx, "NATS reports an error", "error", err)
		}),
	}
	if p.nats != nil {
		return p.nats.Connect(options...)
	}
	if p.cfg.NATS.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(p.cfg.NATS.CredentialsFile))
	}
	if p.cfg.NATS.CAFile != "" {
		options = append(options, nats.RootCAs(p.cfg.NATS.CAFile))
	}
	// Services start in any order: NATS may be the last.
	nc, err := nats.Connect(p.cfg.NATS.URL, append(options, nats.RetryOnFailedConnect(true))...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return nc, nil
}

// awaitTopology brings the streams into shape, and waits for as long as NATS is away. What is wrong with them it says.
func (p *Process) awaitTopology(ctx context.Context) error {
	for {
		err := p.bus.EnsureTopology(ctx)
		if err == nil || ctx.Err() != nil || !errors.Is(err, bus.ErrUnavailable) {
			return err
		}
		p.deps.Logger.WarnContext(ctx, "waiting for NATS", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.deps.Clock.After(time.Second):
		}
	}
}

func (p *Process) natsReady(ctx context.Context) error {
	if !p.nc.IsConnected() {
		return errors.New("not connected")
	}
	if _, err := p.bus.JetStream().Stream(ctx, bus.Licenses); err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return errors.New("the streams are not there")
		}
		return errors.New("JetStream does not answer")
	}
	return nil
}

// settledMetrics counts what became of each message of each consumer.
type settledMetrics struct {
	settled *prometheus.CounterVec
	waited  *prometheus.HistogramVec
	took    *prometheus.HistogramVec
}

func newSettledMetrics(r prometheus.Registerer) *settledMetrics {
	buckets := prometheus.ExponentialBuckets(0.0005, 4, 10)
	m := &settledMetrics{
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_bus_settled_total", Help: "Deliveries by stream, event type and what became of them.",
		}, []string{"stream", "type", "outcome"}),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_bus_waited_seconds", Help: "From when a message was stored to when its handler got it.", Buckets: buckets,
		}, []string{"stream"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_bus_handled_seconds", Help: "In the handler of a message.", Buckets: buckets,
		}, []string{"stream"}),
	}
	r.MustRegister(m.settled, m.waited, m.took)
	return m
}

func (m *settledMetrics) observe(s bus.Settled) {
	m.settled.WithLabelValues(s.Stream, s.Type, string(s.Outcome)).Inc()
	m.waited.WithLabelValues(s.Stream).Observe(s.Waited.Seconds())
	m.took.WithLabelValues(s.Stream).Observe(s.Took.Seconds())
}
