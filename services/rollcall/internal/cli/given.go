package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// given is how a command is given to the worker.
type given struct {
	by, key string
	timeout time.Duration
}

func (g *given) flags(a *app, cmd *cobra.Command) {
	g.flagsWithin(a, cmd, 30*time.Second)
}

func (g *given) flagsWithin(a *app, cmd *cobra.Command, timeout time.Duration) {
	cmd.Flags().StringVar(&g.by, "by", "cli", "who asks, for the record: letters, digits, dots, colons, hyphens and underscores, and no address")
	cmd.Flags().StringVar(&g.key, "key", "", "idempotency key; random where none is given")
	cmd.Flags().DurationVar(&g.timeout, "timeout", timeout, "how long to wait")
	a.natsFlags(cmd)
}

// check tells mistakes before anything is connected to.
func (g *given) check() error {
	if !event.ValidActor(g.by) {
		return usage("--by %q: want 1 to 64 letters, digits, dots, colons, hyphens and underscores, and no address", g.by)
	}
	if g.key != "" && !command.ValidKey(g.key) {
		return usage("--key %q: want %s", g.key, command.KeyForm)
	}
	return nil
}

// order gives a command to a tenant that is registered, and waits for its answer.
func (a *app) order(ctx context.Context, b *bus.Bus, g given, tenantID string, data any) (event.Answered, error) {
	registry, err := a.tenants(ctx, b)
	if err != nil {
		return event.Answered{}, err
	}
	if _, err := registry.Get(ctx, tenantID); err != nil {
		return event.Answered{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	client := command.New(b, clock.System())
	sent, err := client.Send(ctx, tenantID, g.key, data)
	if err != nil {
		return event.Answered{}, err
	}
	answer, err := client.Wait(ctx, sent)
	return answer, waited(err, g.timeout)
}

// waited says what becomes of a command for whose answer nobody waits any more.
func waited(err error, timeout time.Duration) error {
	switch {
	case errors.Is(err, command.ErrNoAnswer):
		return fmt.Errorf("no worker has answered within %s; the command stands, and is obeyed as soon as one runs", timeout)
	case errors.Is(err, context.Canceled):
		return errors.New("told to stop waiting; the command was given all the same")
	}
	return err
}
