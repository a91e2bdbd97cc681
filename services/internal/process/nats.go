package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// openNATS connects to NATS, starting it first where it is this process's, and brings the streams into shape.
func (p *Process) openNATS(ctx context.Context, start func() (Server, error)) (err error) {
	if p.nc, err = p.connect(ctx, start); err != nil {
		return err
	}
	p.OnClose(func() error { p.nc.Close(); return nil })
	p.Bus, err = bus.New(p.nc, bus.Config{
		Partitions: p.Config.NATS.Partitions, Replicas: p.Config.NATS.Replicas, Logger: p.Logger,
		Observe: newSettledMetrics(p.Metrics).observe,
	})
	if err != nil {
		return err
	}
	p.AddCheck("nats", p.natsReady)
	return p.awaitTopology(ctx)
}

func (p *Process) connect(ctx context.Context, start func() (Server, error)) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name("rollcall " + strings.Join(p.Config.Roles, ",")), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				p.Logger.WarnContext(ctx, "NATS is away", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { p.Logger.InfoContext(ctx, "NATS is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			p.Logger.WarnContext(ctx, "NATS reports an error", "error", err)
		}),
	}
	if start != nil {
		server, err := start()
		if err != nil {
			return nil, err
		}
		p.OnClose(func() error { server.Shutdown(); return nil })
		p.natsURL = server.URL()
		return server.Connect(options...)
	}
	if p.Config.Embedded() {
		return nil, errors.New("no NATS server is named: set nats.url (ROLLCALL_NATS_URL)")
	}
	p.natsURL = p.Config.NATS.URL
	if p.Config.NATS.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(p.Config.NATS.CredentialsFile))
	}
	if p.Config.NATS.CAFile != "" {
		options = append(options, nats.RootCAs(p.Config.NATS.CAFile))
	}
	// Services start in any order: NATS may be the last.
	nc, err := nats.Connect(p.natsURL, append(options, nats.RetryOnFailedConnect(true))...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return nc, nil
}

// awaitTopology brings the streams into shape, and waits for as long as NATS is away. What is wrong with them it says.
func (p *Process) awaitTopology(ctx context.Context) error {
	for {
		err := p.Bus.EnsureTopology(ctx)
		if err == nil || ctx.Err() != nil || !errors.Is(err, bus.ErrUnavailable) {
			return err
		}
		p.Logger.WarnContext(ctx, "waiting for NATS", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.Clock.After(time.Second):
		}
	}
}

func (p *Process) natsReady(ctx context.Context) error {
	if !p.nc.IsConnected() {
		return errors.New("not connected")
	}
	if _, err := p.Bus.JetStream().Stream(ctx, bus.Licenses); err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return errors.New("the streams are not there")
		}
		return errors.New("JetStream does not answer")
	}
	return nil
}
