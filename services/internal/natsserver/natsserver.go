// Package natsserver runs a NATS server with JetStream inside the process: the default for one machine, demos and tests.
// Any NATS client on the machine can use it; there is no password, so it listens on loopback only.
package natsserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Config says where the server listens and keeps its streams.
type Config struct {
	StoreDir string // for this server alone
	Listen   string // loopback host:port; port 0 takes a free one
	// ReplaceTakenPort takes a free port where the one in Listen is taken. See Server.Moved.
	ReplaceTakenPort bool
	// SyncAlways writes each message to the disk itself before it is acknowledged.
	SyncAlways bool
}

// Deps are what the server is given from outside.
type Deps struct {
	Logger *slog.Logger // of the server's own lines; nil drops them
}

// Server is a running NATS server.
type Server struct {
	nats  *server.Server
	moved bool
}

// readyTimeout bounds the start: it reads back the streams that it finds.
const readyTimeout = 30 * time.Second

// maxStore is no limit of its own: the streams have theirs, and the server would refuse to reserve more than the disk has free.
const maxStore = 1 << 50

// Start returns when the server takes connections.
func Start(cfg Config, deps Deps) (*Server, error) {
	host, port, moved, err := listenAt(cfg)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "rollcall",
		Host:       host,
		Port:       port,
		JetStream:  true,
		StoreDir:   cfg.StoreDir,
		SyncAlways: cfg.SyncAlways,
		// Each partition has a consumer, and readers bring theirs.
		JetStreamLimits:   server.JSLimitOpts{DefaultMaxConsumers: -1},
		JetStreamMaxStore: maxStore,
		NoSigs:            true, // signals are the process's business
		NoLog:             true,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the NATS server: %w", err)
	}
	if deps.Logger != nil {
		s.SetLoggerV2(logger{deps.Logger}, false, false, false)
	}
	s.Start()
	if !s.ReadyForConnections(readyTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("the NATS server did not start within %s", readyTimeout)
	}
	return &Server{nats: s, moved: moved}, nil
}

// listenAt finds the port to listen at: -1 lets the server take a free one.
func listenAt(cfg Config) (host string, port int, moved bool, err error) {
	host, text, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return "", 0, false, fmt.Errorf("address of the NATS server: %w", err)
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		return "", 0, false, fmt.Errorf("address of the NATS server: port %q: %w", text, err)
	}
	if port == 0 {
		return host, -1, false, nil
	}
	probe, err := net.Listen("tcp", cfg.Listen)
	switch {
	case err == nil:
		_ = probe.Close()
		return host, port, false, nil
	case cfg.ReplaceTakenPort && errors.Is(err, syscall.EADDRINUSE):
		return host, -1, true, nil
	default:
		return "", 0, false, fmt.Errorf("listen for NATS clients: %w", err)
	}
}

// URL is where NATS clients connect, e.g. nats://127.0.0.1:4222.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Moved reports whether another port was taken than the one asked for.
func (s *Server) Moved() bool { return s.moved }

// Connect returns a connection that stays inside the process.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append(opts, nats.InProcessServer(s.nats))...)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded NATS server: %w", err)
	}
	return nc, nil
}

// Shutdown stops the server and returns when its files are closed.
func (s *Server) Shutdown() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}
