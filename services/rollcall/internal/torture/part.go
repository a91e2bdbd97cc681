package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/serve"
	"github.com/rollcall-hq/rollcall/services/simulator"
)

// The parts of the system, each a process of its own.
const (
	partNATS      = "nats"
	partSimulator = "simulator"
	partGraph     = config.RoleGraphReceiver
	partWorkspace = config.RoleWorkspaceReceiver
	partWorker    = config.RoleWorker
)

// PartNames lists the parts that RunPart can run.
func PartNames() []string {
	return []string{partNATS, partSimulator, partGraph, partWorkspace, partWorker}
}

// What a part is told by its environment, beside the settings of "rollcall serve".
const (
	envClock  = "ROLLCALL_TORTURE_CLOCK"  // origin in nanoseconds since 1970, and factor
	envListen = "ROLLCALL_TORTURE_LISTEN" // address of NATS, or of the simulator
	envFolder = "ROLLCALL_TORTURE_FOLDER" // for what it keeps
	envTrust  = "ROLLCALL_TORTURE_TRUST"  // PEM file of an authority to trust at addresses of pushes
)

// RunPart is one part of the system, as a process that the driver has started: until ctx ends, or stdin does, as it does with
// the driver.
func RunPart(ctx context.Context, name string, getenv func(string) string, stdin io.Reader, stderr io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	c, err := readClock(getenv(envClock))
	if err != nil {
		return err
	}
	logger, err := telemetry.NewLogger(stderr, defaultTo(getenv("ROLLCALL_LOG_LEVEL"), "info"), "text")
	if err != nil {
		return err
	}
	switch {
	case name == partNATS:
		return runNATS(ctx, getenv, logger)
	case name == partSimulator:
		s, err := simulator.New(simulator.Config{
			Addr: getenv(envListen), DataDir: getenv(envFolder), TrustCAFiles: []string{getenv(envTrust)},
		}, simulator.Deps{Logger: logger, Clock: c})
		if err != nil {
			return err
		}
		return s.Run(ctx)
	case slices.Contains(PartNames(), name):
		return runServices(ctx, name, getenv, c, logger)
	default:
		return fmt.Errorf("no part %q: want one of %s", name, strings.Join(PartNames(), ", "))
	}
}

func defaultTo(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func runNATS(ctx context.Context, getenv func(string) string, logger *slog.Logger) error {
	s, err := natsserver.Start(natsserver.Config{
		StoreDir: getenv(envFolder), Listen: getenv(envListen), SyncAlways: config.Default().NATS.SyncAlways,
	}, natsserver.Deps{Logger: logger})
	if err != nil {
		return err
	}
	<-ctx.Done()
	s.Shutdown()
	return nil
}

// runServices is "rollcall serve" with one role and a clock of its own.
func runServices(ctx context.Context, role string, getenv func(string) string, c clock.Clock, logger *slog.Logger) error {
	cfg, err := config.Load("", func(name string) string {
		if name == "ROLLCALL_ROLES" {
			return role
		}
		return getenv(name)
	})
	if err != nil {
		return err
	}
	dir, err := datadir.Open(cfg.Data)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	process, err := serve.Open(ctx, cfg, serve.Options{}, serve.Deps{
		Dir: dir, Logger: logger, Clock: c, Metrics: telemetry.NewRegistry(),
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it had begun
		}
		return err
	}
	return errors.Join(process.Run(ctx, nil), process.Close())
}

// writeClock tells a part of the clock that all of them go by.
func writeClock(origin time.Time, factor float64) string {
	return fmt.Sprintf("%d %g", origin.UnixNano(), factor)
}

func readClock(text string) (clock.Clock, error) {
	origin, factor, _ := strings.Cut(text, " ")
	nanoseconds, err := strconv.ParseInt(origin, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("a part of a torture takes its clock from its driver: %s is %q", envClock, text)
	}
	speed, err := strconv.ParseFloat(factor, 64)
	if err != nil || !(speed > 0) {
		return nil, fmt.Errorf("%s: speed %q: want a number above 0", envClock, factor)
	}
	return clock.Scaled(time.Unix(0, nanoseconds), speed), nil
}
