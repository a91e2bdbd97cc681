// Command secure-share runs the worked example against a NATS server: secure-share --nats nats://127.0.0.1:4222.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	secureshare "github.com/rollcall-hq/rollcall/services/secure-share"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "secure-share:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("secure-share", flag.ContinueOnError)
	flags.SetOutput(stderr)
	url := flags.String("nats", nats.DefaultURL, "NATS server with the license events")
	addr := flags.String("addr", "127.0.0.1:8090", "loopback address to listen on")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	nc, err := nats.Connect(*url, nats.Name("secure-share"), nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	defer nc.Close()
	client, err := license.New(nc)
	if err != nil {
		return err
	}
	app, follow, err := secureshare.Follow(ctx, client)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	server, err := httpserver.New(httpserver.Config{Addr: *addr}, httpserver.Deps{Logger: logger, Handler: app})
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "running", "url", server.URL())
	return supervise.Run(ctx, supervise.Config{}, supervise.Deps{Logger: logger},
		supervise.Worker{Name: "licenses", Run: follow}, supervise.Worker{Name: "http", Run: server.Run})
}
