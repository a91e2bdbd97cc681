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
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/signin"
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
	proof, err := SignIn(p.Config).Options()
	if err != nil {
		return nil, err
	}
	// Services start in any order: NATS may be the last.
	nc, err := nats.Connect(p.natsURL, append(append(options, proof...), nats.RetryOnFailedConnect(true))...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return nc, nil
}

// SignIn is how a process with this configuration proves itself to NATS.
func SignIn(c config.Config) signin.As {
	return signin.As{User: c.NATS.User, PasswordFile: c.NATS.PasswordFile, CredentialsFile: c.NATS.CredentialsFile, CAFile: c.NATS.CAFile}
}

// awaitTopology brings the streams into shape, or waits until somebody else has, and for as long as NATS is away. What is
// wrong with them it says.
func (p *Process) awaitTopology(ctx context.Context) error {
	ensure := p.Bus.EnsureTopology
	if !p.Config.NATS.Provision {
		ensure = func(ctx context.Context) error { return p.Bus.VerifyTopology(ctx, p.streams()...) }
	}
	for {
		err := ensure(ctx)
		if err == nil || ctx.Err() != nil || !errors.Is(err, bus.ErrUnavailable) && !errors.Is(err, bus.ErrNotProvisioned) {
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

// streams are those that the roles of this process work with.
func (p *Process) streams() []string {
	streams := []string{bus.LedgerIn}
	if p.Config.HasRole(config.RoleWorker) || p.Config.HasRole(config.RoleControlCenter) {
		streams = append(streams, bus.Licenses)
	}
	if p.Config.HasRole(config.RoleGraphReceiver) || p.Config.HasRole(config.RoleWorkspaceReceiver) {
		streams = append(streams, bus.Notifications)
	}
	return streams
}

func (p *Process) natsReady(ctx context.Context) error {
	if !p.nc.IsConnected() {
		return errors.New("not connected")
	}
	if _, err := p.Bus.JetStream().Stream(ctx, bus.LedgerIn); err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return errors.New("the streams are not there")
		}
		return errors.New("JetStream does not answer")
	}
	return nil
}
