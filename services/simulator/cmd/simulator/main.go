// Command simulator serves Microsoft Graph and Google's Admin SDK from simulated directories.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/rollcall-hq/rollcall/services/simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, args []string) error {
	var cfg simulator.Config
	var hosts, trust string
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.StringVar(&cfg.Addr, "addr", "127.0.0.1:7443", "`address` to listen at")
	flags.StringVar(&cfg.DataDir, "data", "", "`folder` to keep everything in; empty keeps nothing")
	flags.BoolVar(&cfg.AllowLoopbackHTTP, "allow-loopback-http", false, "accept notification URLs with plain http on this machine")
	flags.BoolVar(&cfg.AllowRemoteControl, "allow-remote-control", false, "serve the control API to other machines")
	flags.IntVar(&cfg.PageSize, "page-size", 0, "objects on a `page`; 0 means as the provider does")
	flags.StringVar(&hosts, "hosts", "", "further `names` for the server certificate, separated by commas")
	flags.StringVar(&trust, "trust", "", "PEM `files` of authorities to trust at notification URLs, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	split := func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) }
	cfg.Hosts, cfg.TrustCAFiles = split(hosts), split(trust)
	s, err := simulator.New(cfg, simulator.Deps{Logger: slog.New(slog.NewJSONHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	return s.Run(ctx)
}
