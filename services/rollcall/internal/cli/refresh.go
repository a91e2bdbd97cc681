package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

type refresh struct {
	app     *app
	tenant  string
	key     string
	noWait  bool
	timeout time.Duration
}

// refreshed is the result that is printed.
type refreshed struct {
	Tenant string `json:"tenant"`
	ID     string `json:"id"`   // of the command, and of the snapshot that answers it
	Done   bool   `json:"done"` // false with --no-wait
	*event.RefreshCompleted
}

func (a *app) refreshCommand() *cobra.Command {
	r := &refresh{app: a}
	cmd := &cobra.Command{
		Use:   "refresh",
		Short: "Read a directory completely, and set right what differs",
		Long: `Read a directory completely, and set right what differs. Rollcall needs no refresh to be current: this is for those
who want to be sure, and for when both pushes and polling are off.

It waits until every license event that came of it is published. A second run with the same --key waits for the first
instead of asking again.`,
		Example: `  rollcall refresh --tenant contoso
  rollcall refresh --tenant contoso --key ticket-4711
  rollcall refresh --tenant contoso --no-wait`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			if r.key != "" && !event.ValidToken(r.key) {
				return usage("--key %q: want letters, digits, hyphens and underscores", r.key)
			}
			return a.withBus(func(b *bus.Bus) error { return r.run(cmd.Context(), b) })
		}),
	}
	cmd.Flags().StringVar(&r.tenant, "tenant", "", "tenant to refresh")
	cmd.Flags().StringVar(&r.key, "key", "", "idempotency key; random where none is given")
	cmd.Flags().BoolVar(&r.noWait, "no-wait", false, "ask for it, and do not wait for the end")
	cmd.Flags().DurationVar(&r.timeout, "timeout", 10*time.Minute, "how long to wait")
	a.natsFlags(cmd)
	require(cmd, "tenant")
	return cmd
}

func (r *refresh) run(ctx context.Context, b *bus.Bus) error {
	registry, err := r.app.tenants(ctx, b)
	if err != nil {
		return err
	}
	if _, err := registry.Get(ctx, r.tenant); err != nil {
		return err
	}
	id := r.tenant + ".refresh." + defaultTo(r.key, rand.Text())
	command, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: id, Source: event.CommandSource(r.tenant), Time: time.Now(), Tenant: r.tenant,
	}, event.RefreshRequested{RequestedBy: "cli"})
	if err != nil {
		return err
	}
	ack, err := b.Publish(ctx, event.CommandSubject(r.tenant, "refresh"), command)
	if err != nil {
		return fmt.Errorf("ask for the refresh: %w", err)
	}
	if r.noWait {
		return r.print(refreshed{Tenant: r.tenant, ID: id})
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	result, err := r.follow(ctx, b, id, ack.Sequence)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not finished after %s; it goes on, and \"rollcall serve\" tells in its log how it stands", r.timeout)
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("told to stop waiting; the refresh goes on")
	}
	if err != nil {
		return fmt.Errorf("wait for the refresh: %w", err)
	}
	if err := r.print(refreshed{Tenant: r.tenant, ID: id, Done: true, RefreshCompleted: &result}); err != nil {
		return err
	}
	if result.Error != "" {
		return fmt.Errorf("the refresh failed: %s", result.Error)
	}
	return nil
}

var errDone = errors.New("done")

// longSilence is when somebody who waits for a first page is told where to look. One page takes a second, not many.
const longSilence = 15 * time.Second

// follow reads LEDGER_IN from the command on until the event that answers it, and shows how far the reading has come.
func (r *refresh) follow(ctx context.Context, b *bus.Bus, id string, from uint64) (event.RefreshCompleted, error) {
	var result event.RefreshCompleted
	p := newProgress(r.app.stderr)
	silence := time.AfterFunc(longSilence, func() { p.silent(r.tenant) })
	defer silence.Stop()
	err := b.Read(ctx, bus.ReadSpec{
		Stream:       bus.LedgerIn,
		Filters:      []string{"directory.*." + r.tenant + ".>", "command.*." + r.tenant + ".refreshed"},
		FromSequence: from, Follow: true,
	}, func(m bus.Message) error {
		if m.Fault != nil {
			return nil
		}
		switch m.Event.Type() {
		case event.TypeDirectoryObserved:
			return p.page(m.Event, id)
		case event.TypeSnapshotEnded:
			return p.snapshot(m.Event, id)
		case event.TypeRefreshCompleted:
			data, err := event.Data[event.RefreshCompleted](m.Event)
			if err != nil {
				return err
			}
			if event.Cause(m.Event) == id || data.Snapshot == id {
				result = data
				return errDone
			}
		}
		return nil
	})
	p.end()
	if errors.Is(err, errDone) {
		err = nil
	}
	return result, err
}

func (r *refresh) print(result refreshed) error {
	return output.One(r.app.printer, result, func(v refreshed) string {
		if !v.Done {
			return fmt.Sprintf("asked for a refresh of %s\n", v.Tenant)
		}
		if v.Error != "" {
			return ""
		}
		text := fmt.Sprintf("%s is refreshed: users %d, groups %d; %d granted, %d revoked, %d proved gone\n",
			v.Tenant, v.Users, v.Groups, v.Granted, v.Revoked, v.Removed)
		if v.Unproven > 0 {
			text += fmt.Sprintf("%d that were not shown could not be read either, and stay as they were\n", v.Unproven)
		}
		return text
	})
}
