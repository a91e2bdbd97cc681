package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/worker"
)

// run works until ctx ends. Logs go to stderr.
func run(ctx context.Context, getenv func(string) string, stderr io.Writer) (err error) {
	cfg, err := config.Load(getenv("ROLLCALL_CONFIG"), workerOnly(getenv))
	if err != nil {
		return err
	}
	if cfg.Embedded() {
		return errors.New("no NATS server is named: set ROLLCALL_NATS_URL")
	}
	logger, err := telemetry.NewLogger(stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	nc, err := connect(cfg.NATS)
	if err != nil {
		return err
	}
	defer nc.Close()
	l, err := ledger.Open(ctx, cfg.LedgerFile())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	metrics := telemetry.NewRegistry()
	w, err := open(ctx, cfg, nc, l, logger, metrics)
	if err != nil {
		return err
	}
	server, err := httpserver.New(
		httpserver.Config{Addr: cfg.HTTP.Addr, CertFile: cfg.HTTP.TLSCertFile, KeyFile: cfg.HTTP.TLSKeyFile},
		httpserver.Deps{Logger: logger, Metrics: metrics, Ready: func() []httpserver.Check {
			return []httpserver.Check{{Name: "nats", Ready: connected(nc)}}
		}})
	if err != nil {
		return err
	}
	return supervise.Run(ctx, supervise.Config{}, supervise.Deps{Logger: logger},
		supervise.Worker{Name: "http", Run: server.Run}, supervise.Worker{Name: "worker", Run: w.Run})
}

// open makes the worker, with the streams that it reads and writes.
func open(
	ctx context.Context, cfg config.Config, nc *nats.Conn, l *ledger.Ledger, logger *slog.Logger, metrics prometheus.Registerer,
) (*worker.Worker, error) {
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
	return worker.New(worker.Config{Settle: cfg.Worker.Settle}, worker.Deps{
		Bus: b, Ledger: l, Tenants: tenant.NewRegistry(kv), Logger: logger, Clock: clock.System(), Metrics: metrics,
	})
}

// workerOnly is the environment of a process that has this one role.
func workerOnly(getenv func(string) string) func(string) string {
	return func(name string) string {
		if name == "ROLLCALL_ROLES" {
			return config.RoleWorker
		}
		return getenv(name)
	}
}

func connect(cfg config.NATS) (*nats.Conn, error) {
	options := []nats.Option{nats.Name("rollcall-worker"), nats.MaxReconnects(-1)}
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

func connected(nc *nats.Conn) func(context.Context) error {
	return func(context.Context) error {
		if !nc.IsConnected() {
			return errors.New("not connected")
		}
		return nil
	}
}
