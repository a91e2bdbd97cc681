// Package bustest gives tests a real NATS server with JetStream, in the test's own process and folder.
package bustest

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// Partitions is how many partitions a Bus of this package has.
const Partitions = 4

const patience = 20 * time.Second

// Option changes the server.
type Option func(*server.Options)

// SyncAlways makes the server write to the disk before it acknowledges, as production does.
func SyncAlways() Option { return func(o *server.Options) { o.SyncAlways = true } }

// Server is an embedded NATS server on a loopback port, with its own storage folder.
type Server struct {
	tb      testing.TB
	options *server.Options
	running *server.Server
}

// StartServer starts a server that ends with the test.
func StartServer(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	s := &Server{tb: tb, options: &server.Options{
		ServerName: "bustest", Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: tb.TempDir(), NoSigs: true, NoLog: true,
	}}
	for _, option := range options {
		option(s.options)
	}
	s.Resume()
	tb.Cleanup(s.Stop)
	return s
}

// Resume starts a stopped server again on the port and the folder that it had.
func (s *Server) Resume() {
	s.tb.Helper()
	running, err := server.NewServer(s.options.Clone())
	if err != nil {
		s.tb.Fatalf("embedded NATS: %v", err)
	}
	running.Start()
	if !running.ReadyForConnections(patience) {
		s.tb.Fatal("embedded NATS is not ready")
	}
	s.running = running
	if addr, ok := running.Addr().(*net.TCPAddr); ok {
		s.options.Port = addr.Port
	}
}

// Stop ends the server and waits until it has let go of its folder. Stopped twice is stopped.
func (s *Server) Stop() {
	s.running.Shutdown()
	s.running.WaitForShutdown()
}

// Restart stops and resumes the server. Connections come back by themselves.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.Resume()
}

// URL is where clients connect.
func (s *Server) URL() string {
	return "nats://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.options.Port))
}

// Connect opens a connection that reconnects for ever and ends with the test.
func (s *Server) Connect(options ...nats.Option) *nats.Conn {
	s.tb.Helper()
	options = append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond)}, options...)
	nc, err := nats.Connect(s.URL(), options...)
	if err != nil {
		s.tb.Fatalf("connect to embedded NATS: %v", err)
	}
	s.tb.Cleanup(nc.Close)
	return nc
}

// Bus makes a Bus on a connection of its own and ensures its topology. Partitions and NotificationsMaxBytes are made
// small where cfg leaves them open.
func (s *Server) Bus(cfg bus.Config) *bus.Bus {
	s.tb.Helper()
	return ensure(s.tb, s.Connect(), cfg)
}

// Start starts a server and returns a connection to it.
func Start(tb testing.TB, options ...Option) *nats.Conn {
	tb.Helper()
	return StartServer(tb, options...).Connect()
}

// New starts a server and returns a Bus on it, topology ensured, with Partitions partitions.
func New(tb testing.TB, options ...Option) *bus.Bus {
	tb.Helper()
	return StartServer(tb, options...).Bus(bus.Config{})
}

func ensure(tb testing.TB, nc *nats.Conn, cfg bus.Config) *bus.Bus {
	tb.Helper()
	if cfg.Partitions == 0 {
		cfg.Partitions = Partitions
	}
	if cfg.NotificationsMaxBytes == 0 {
		cfg.NotificationsMaxBytes = 16 << 20
	}
	b, err := bus.New(nc, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.EnsureTopology(ctx); err != nil {
		tb.Fatal(err)
	}
	return b
}
