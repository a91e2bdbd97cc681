// Command graph-receiver runs the Graph half of Rollcall as a process of its own, beside a NATS server that others share. It
// reads the same configuration as "rollcall serve".
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stderr))
}

func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int {
	if err := serve(ctx, args, getenv, stderr); err != nil {
		fmt.Fprintln(stderr, "graph-receiver:", err)
		return 1
	}
	return 0
}
