// Command worker runs the worker alone, against a NATS server elsewhere. It is configured as `rollcall serve` is, by
// environment variables or a file named in ROLLCALL_CONFIG; `rollcall serve --role worker` does the same.
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
	os.Exit(exit(run(ctx, os.Getenv, os.Stderr), os.Stderr))
}

func exit(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(stderr, "worker:", err)
	return 1
}
