package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// serve runs the receiver until ctx ends.
func serve(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	flags := flag.NewFlagSet("graph-receiver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("config", "", "YAML file with the configuration")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	cfg, err := config.Load(*file, getenv)
	if err != nil {
		return err
	}
	if cfg.Embedded() {
		return errors.New("nats.url: needed, as this process runs no NATS server of its own")
	}
	logger, err := telemetry.NewLogger(stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	metrics := telemetry.NewRegistry()
	nc, err := connect(cfg.NATS)
	if err != nil {
		return err
	}
	defer nc.Close()
	service, err := open(ctx, cfg, nc, logger, metrics)
	if err != nil {
		return err
	}
	server, err := httpserver.New(httpserver.Config{
		Addr: cfg.HTTP.Addr, CertFile: cfg.HTTP.TLSCertFile, KeyFile: cfg.HTTP.TLSKeyFile,
	}, httpserver.Deps{
		Logger: logger, Handler: service.Handler(), Metrics: metrics,
		Ready: func() []httpserver.Check {
			return []httpserver.Check{{Name: config.RoleGraphReceiver, Ready: service.Ready}}
		},
	})
	if err != nil {
		return err
	}
	return supervise.Run(ctx, supervise.Config{}, supervise.Deps{Logger: logger},
		supervise.Worker{Name: "http", Run: server.Run}, supervise.Worker{Name: config.RoleGraphReceiver, Run: service.Run})
}

func connect(cfg config.NATS) (*nats.Conn, error) {
	options := []nats.Option{nats.Name("graph-receiver"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second)}
	if cfg.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(cfg.CredentialsFile))
	}
	if cfg.CAFile != "" {
		options = append(options, nats.RootCAs(cfg.CAFile))
	}
	nc, err := nats.Connect(cfg.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return nc, nil
}

// open puts the service together on a connection.
func open(ctx context.Context, cfg config.Config, nc *nats.Conn, logger *slog.Logger, metrics prometheus.Registerer) (*graphreceiver.Service, error) {
	b, err := bus.New(nc, bus.Config{Partitions: cfg.NATS.Partitions, Replicas: cfg.NATS.Replicas, Logger: logger})
	if err != nil {
		return nil, err
	}
	if err := b.EnsureTopology(ctx); err != nil {
		return nil, err
	}
	kv, err := b.KeyValue(ctx, bus.BucketTenants)
	if err != nil {
		return nil, err
	}
	registry := tenant.NewRegistry(kv)
	registry.OnFault = func(id string, err error) {
		logger.ErrorContext(ctx, "the record of a tenant cannot be read", "tenant", id, "error", err)
	}
	keys, create := cfg.KeysFile()
	return graphreceiver.New(graphreceiver.Config{
		PublicURL: cfg.Intake.PublicURL, Push: cfg.Sync.Push, PollInterval: cfg.Sync.PollInterval, FullInterval: cfg.Sync.FullInterval,
		Vanish: cfg.Sync.Vanish, KeysFile: keys, CreateKeys: create,
	}, graphreceiver.Deps{Bus: b, Tenants: registry, Logger: logger, Clock: clock.System(), Metrics: metrics})
}
