package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver/natstest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// command runs a command of one part that does nothing.
func command(ctx context.Context, t *testing.T, stderr io.Writer, env map[string]string, args ...string) (code int) {
	t.Helper()
	data := t.TempDir()
	return run(ctx, config.RoleWorker, func(context.Context, *Process) error { return nil }, args, func(name string) string {
		if name == "ROLLCALL_DATA" {
			return data
		}
		return env[name]
	}, stderr)
}

func TestACommandSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const url, nobody = "ROLLCALL_NATS_URL", "nats://127.0.0.1:1"
	for want, c := range map[string]struct {
		code int
		env  map[string]string
		args []string
	}{
		url:                       {1, nil, nil},
		"log.level":               {1, map[string]string{url: nobody, "ROLLCALL_LOG_LEVEL": "loud"}, nil},
		"nats.credentials_file: ": {1, map[string]string{url: nobody, "ROLLCALL_NATS_CREDENTIALS_FILE": "none"}, nil},
		"none.yaml":               {1, map[string]string{"ROLLCALL_CONFIG": "none.yaml"}, nil},
		"other.yaml":              {1, map[string]string{"ROLLCALL_CONFIG": "none.yaml"}, []string{"--config", "other.yaml"}},
		"-no-such":                {2, nil, []string{"--no-such"}},
		"Usage of worker":         {0, nil, []string{"--help"}},
	} {
		var stderr bytes.Buffer
		if code := command(t.Context(), t, &stderr, c.env, c.args...); code != c.code || !strings.Contains(stderr.String(), want) {
			t.Errorf("exit %d, %s\nwant %d and words of %q", code, &stderr, c.code, want)
		}
	}
}

// untilSaid ends a context when something is logged.
type untilSaid struct {
	what string
	end  func()
}

func (w untilSaid) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(w.what)) {
		w.end()
	}
	return len(line), nil
}

func TestACommandThatWaitsForNATSCanBeTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	env := map[string]string{"ROLLCALL_NATS_URL": "nats://127.0.0.1:1"}
	if code := command(ctx, t, untilSaid{"waiting for NATS", cancel}, env); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// A process whose user may not make streams waits until somebody has, and refuses other ones than it was told of.
func TestAProcessThatMayNotProvision(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	cfg := config.Default()
	cfg.Roles, cfg.HTTP.Addr, cfg.Sync.Push = []string{config.RoleWorker}, "127.0.0.1:0", false
	cfg.NATS = config.NATS{URL: server.URL(), User: "worker", PasswordFile: server.PasswordFile("worker"), Partitions: 4, Replicas: 1}
	waits := make(chan struct{}, 1000)
	logger := slog.New(slog.NewTextHandler(untilSaid{"not there yet", func() { waits <- struct{}{} }}, nil))
	open := func(cfg config.Config) (*Process, error) {
		return Open(t.Context(), cfg, Options{}, Deps{Logger: logger, Clock: clock.System(), Metrics: telemetry.NewRegistry()})
	}
	opened := make(chan error, 1)
	go func() {
		p, err := open(cfg)
		if err == nil {
			err = p.Close()
		}
		opened <- err
	}()
	select {
	case <-waits:
	case err := <-opened:
		t.Fatalf("it does not wait: %v", err)
	}
	if err := server.Bus("operator", bus.Config{Partitions: 4}).EnsureTopology(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
	cfg.NATS.Partitions = 8
	if _, err := open(cfg); err == nil || !strings.Contains(err.Error(), "4 partitions") {
		t.Errorf("on other streams: %v", err)
	}
}

func TestAPartThatDoesNotOpenClosesWhatIs(t *testing.T) {
	t.Parallel()
	var closed []string
	closes := func(name string) Part {
		return func(_ context.Context, p *Process) error {
			p.OnClose(func() error { closed = append(closed, name); return nil })
			return nil
		}
	}
	fault := errors.New("no")
	cfg := config.Default()
	cfg.NATS.URL, cfg.NATS.Partitions, cfg.HTTP.Addr = bustest.StartServer(t).URL(), 1, "127.0.0.1:0"
	p, err := Open(t.Context(), cfg, Options{}, Deps{Logger: telemetry.Discard(), Clock: clock.System(), Metrics: telemetry.NewRegistry()},
		closes("first"), closes("second"), func(context.Context, *Process) error { return fault })
	if p != nil || !errors.Is(err, fault) || strings.Join(closed, " ") != "second first" {
		t.Errorf("%v, %v, closed %v", p, err, closed)
	}
}

func TestWhatWatchesHasAListenerOfItsOwn(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.NATS.URL, cfg.NATS.Partitions = bustest.StartServer(t).URL(), 1
	cfg.HTTP.Addr, cfg.HTTP.OperationsAddr = "127.0.0.1:0", "127.0.0.1:0"
	ctx, end := context.WithCancel(t.Context())
	p, err := Open(ctx, cfg, Options{}, Deps{Logger: telemetry.Discard(), Clock: clock.System(), Metrics: telemetry.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	for _, c := range []struct {
		url    string
		served bool
	}{
		{p.HTTP.URL() + "/healthz", true},
		{p.HTTP.URL() + "/readyz", false},
		{p.HTTP.URL() + "/metrics", false},
		{p.Operations.URL() + "/healthz", true},
		{p.Operations.URL() + "/readyz", true}, // whether it is ready yet or not
		{p.Operations.URL() + "/metrics", true},
	} {
		res, err := http.Get(c.url)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if (res.StatusCode != http.StatusNotFound) != c.served {
			t.Errorf("%s: %s, served: %t", c.url, res.Status, c.served)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	end()
	if err := errors.Join(<-ended, p.Close()); err != nil {
		t.Error(err)
	}
}
