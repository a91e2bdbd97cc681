// Package natstest gives tests a NATS server with the users and rights of deploy/nats/shared.conf, that very file.
package natstest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/signin"
)

// Users are all in the file, without that of the server's own account.
var Users = []string{
	"operator", "graph-receiver", "workspace-receiver", "worker", "control-center", "readers-operator", "consumer",
	"contoso-operator", "consumer-contoso",
}

// Server is a running one, without any stream.
type Server struct {
	tb      testing.TB
	running *server.Server
	secrets string // the folder of the passwords' files
}

// passwords are where the server's configuration takes them from.
var passwords = sync.OnceFunc(func() {
	for _, user := range append([]string{"system"}, Users...) {
		name := "NATS_PASSWORD_" + strings.ToUpper(strings.ReplaceAll(user, "-", "_"))
		_ = os.Setenv(name, password(user)) // the same for all tests of the process
	}
})

func password(user string) string { return "secret-of-" + user }

// Start starts a server that ends with the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	passwords()
	_, here, _, _ := runtime.Caller(0)
	options, err := server.ProcessConfigFile(filepath.Join(filepath.Dir(here), "../../../../deploy/nats/shared.conf"))
	if err != nil {
		tb.Fatal(err)
	}
	options.Host, options.Port, options.HTTPHost, options.HTTPPort = "127.0.0.1", server.RANDOM_PORT, "", 0
	options.StoreDir, options.NoSigs, options.NoLog = tb.TempDir(), true, true
	running, err := server.NewServer(options)
	if err != nil {
		tb.Fatal(err)
	}
	running.Start()
	tb.Cleanup(func() {
		running.Shutdown()
		running.WaitForShutdown()
	})
	if !running.ReadyForConnections(20 * time.Second) {
		tb.Fatal("the server is not ready")
	}
	return &Server{tb: tb, running: running, secrets: tb.TempDir()}
}

// URL is where clients connect.
func (s *Server) URL() string { return s.running.ClientURL() }

// PasswordFile is where a user's password is.
func (s *Server) PasswordFile(user string) string {
	s.tb.Helper()
	path := filepath.Join(s.secrets, user)
	if err := os.WriteFile(path, []byte(password(user)+"\n"), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	return path
}

// Connect signs in as a user, for as long as the test runs.
func (s *Server) Connect(user string, options ...nats.Option) *nats.Conn {
	s.tb.Helper()
	proof, err := signin.As{User: user, PasswordFile: s.PasswordFile(user)}.Options()
	if err != nil {
		s.tb.Fatal(err)
	}
	nc, err := nats.Connect(s.URL(), append(proof, options...)...)
	if err != nil {
		s.tb.Fatalf("connect as %s: %v", user, err)
	}
	s.tb.Cleanup(nc.Close)
	return nc
}

// Bus is one on a connection of a user.
func (s *Server) Bus(user string, cfg bus.Config) *bus.Bus {
	s.tb.Helper()
	b, err := bus.New(s.Connect(user), cfg)
	if err != nil {
		s.tb.Fatal(err)
	}
	return b
}
