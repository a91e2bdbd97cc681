package process

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// Main is the main of a command that has one role, on a NATS server elsewhere. It is configured as "rollcall serve" is.
func Main(role string, part Part) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(run(ctx, role, part, os.Args[1:], os.Getenv, os.Stderr))
}

// run returns what the process ends with: 0, 1, or 2 for a command line that cannot be understood.
func run(ctx context.Context, role string, part Part, args []string, getenv func(string) string, stderr io.Writer) int {
	flags := flag.NewFlagSet(role, flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("config", getenv("ROLLCALL_CONFIG"), "path of the YAML file")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2 // flags has said why
	}
	cfg, err := config.Load(*file, withRole(role, getenv))
	if err == nil {
		err = serve(ctx, cfg, part, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", role, err)
		return 1
	}
	return 0
}

// withRole is the environment of a process that has this one role.
func withRole(role string, getenv func(string) string) func(string) string {
	return func(name string) string {
		if name == "ROLLCALL_ROLES" {
			return role
		}
		return getenv(name)
	}
}

func serve(ctx context.Context, cfg config.Config, part Part, stderr io.Writer) error {
	if err := cfg.CheckFiles(); err != nil {
		return err
	}
	logger, err := telemetry.NewLogger(stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	p, err := Open(ctx, cfg, Options{}, Deps{Logger: logger, Clock: clock.System(), Metrics: telemetry.NewRegistry()}, part)
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it had begun
		}
		return err
	}
	return errors.Join(p.Run(ctx), p.Close())
}
