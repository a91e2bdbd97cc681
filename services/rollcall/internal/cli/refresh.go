package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

type refresh struct {
	app     *app
	tenant  string
	given   given
	noWait  bool
	preview bool
	yes     bool
	ledger  string
}

// refreshed is the result that is printed.
type refreshed struct {
	Tenant string `json:"tenant"`
	ID     string `json:"id"`   // of the command, and of the snapshot that answers it
	Done   bool   `json:"done"` // false with --no-wait
	*event.RefreshCompleted
	Preview  bool     `json:"preview,omitempty"`
	Approved []string `json:"approved,omitempty"` // held changes of the preview that were
}

func (a *app) refreshCommand() *cobra.Command {
	r := &refresh{app: a}
	cmd := overAPI(&cobra.Command{
		Use:   "refresh",
		Short: "Read a directory completely, and set right what differs",
		Long: `Read a directory completely, and set right what differs. Rollcall needs no refresh to be current: this is for those
who want to be sure, and for when both pushes and polling are off.

It waits until every license event that came of it is published. A second run with the same --key waits for the first
instead of asking again.

With --preview nothing is granted or revoked: what the read brings is put on a list for each product, which is shown. On a
terminal you are asked whether to apply it, --yes applies it at once, and otherwise it waits for "rollcall held approve".`,
		Example: `  rollcall refresh --tenant contoso
  rollcall refresh --tenant contoso --preview
  rollcall refresh --tenant contoso --key ticket-4711
  rollcall refresh --tenant contoso --no-wait`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			switch {
			case !command.ValidAsker(r.given.by):
				return usage("--by %q: want a word of a-z, 0-9 and hyphen for a refresh", r.given.by)
			case r.yes && !r.preview:
				return usage("--yes has a meaning with --preview only")
			}
			if err := r.given.check(); err != nil {
				return err
			}
			return a.ordering(func(o orders) error { return r.run(cmd.Context(), o) })
		}),
	})
	cmd.Flags().StringVar(&r.tenant, "tenant", "", "tenant to refresh")
	cmd.Flags().BoolVar(&r.noWait, "no-wait", false, "ask for it, and do not wait for the end")
	cmd.Flags().BoolVar(&r.preview, "preview", false, "show what it would change, and change nothing before that is approved")
	cmd.Flags().BoolVar(&r.yes, "yes", false, "approve what the preview shows")
	ledgerFlag(cmd, &r.ledger)
	r.given.flagsWithin(a, cmd, 10*time.Minute)
	require(cmd, "tenant")
	return cmd
}

func (r *refresh) run(ctx context.Context, o orders) error {
	asked, err := o.Refresh(ctx, r.given, r.tenant, r.preview)
	if err != nil {
		return fmt.Errorf("ask for the refresh: %w", err)
	}
	done := refreshed{Tenant: r.tenant, ID: asked.id, Preview: r.preview}
	if r.noWait {
		return r.print(done)
	}
	waiting, cancel := context.WithTimeout(ctx, r.given.timeout)
	defer cancel()
	result, err := r.follow(waiting, asked)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not finished after %s; it goes on, and \"rollcall serve\" tells in its log how it stands", r.given.timeout)
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("told to stop waiting; the refresh goes on")
	}
	if err != nil {
		return fmt.Errorf("wait for the refresh: %w", err)
	}
	done.Done, done.RefreshCompleted = true, &result
	if result.Error != "" {
		return errors.Join(r.print(done), fmt.Errorf("the refresh failed: %s", result.Error))
	}
	var undecided error
	if r.preview {
		done.Approved, undecided = r.decide(ctx, o, result.Holds)
	}
	return errors.Join(r.print(done), undecided)
}

// longSilence is when somebody who waits for a first page is told where to look. One page takes a second, not many.
const longSilence = 15 * time.Second

// follow shows how far the reading has come, until its end.
func (r *refresh) follow(ctx context.Context, asked refreshing) (event.RefreshCompleted, error) {
	p := newProgress(r.app.stderr)
	silence := time.AfterFunc(longSilence, func() { p.silent(r.tenant) })
	defer silence.Stop()
	defer p.end()
	return asked.follow(ctx, p)
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
		if v.Preview {
			text = previewText(v)
		}
		if v.Unproven > 0 {
			text += fmt.Sprintf("%d that were not shown could not be read either, and stay as they were\n", v.Unproven)
		}
		return text
	})
}
