package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) heldApproveCommand() *cobra.Command {
	var w whichHeld
	var g given
	var revision int
	var wait bool
	cmd := overAPI(&cobra.Command{
		Use:   "approve HELD",
		Short: "Let a held change take effect, as it was at a revision of its list",
		Long: `Let a held change take effect, as it was at the revision of its list that "rollcall held show" has shown. If the list has
changed since, it is refused, and what has changed is told.`,
		Example: `  rollcall held approve flip-2001 --tenant contoso --revision 3
  rollcall held approve flip-2001 --tenant contoso --product secure-share --revision 3 --by ada --wait`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			w.held = args[0]
			if revision < 1 {
				return usage("--revision %d: want the revision that \"rollcall held show\" has shown", revision)
			}
			return a.decideHeld(cmd.Context(), &w, g, func(product string) any {
				return event.ApproveRequested{Product: product, Held: w.held, Revision: revision, By: g.by}
			}, event.HeldApproved, wait)
		}),
	})
	w.flags(cmd)
	g.flags(a, cmd)
	cmd.Flags().IntVar(&revision, "revision", 0, "revision of the list that is approved")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it is carried out")
	require(cmd, "revision")
	return cmd
}

func (a *app) heldRejectCommand() *cobra.Command {
	var w whichHeld
	var g given
	cmd := overAPI(&cobra.Command{
		Use:   "reject HELD",
		Short: "Leave the licenses on the list of a held change as they are",
		Long: `Leave the licenses on the list of a held change as they are. A license on it stands until the user's own membership changes
again; the same evidence does not raise it a second time. A rejected flip rests until what it was said of has changed.`,
		Example: `  rollcall held reject revocations-4711 --tenant contoso
  rollcall held reject flip-2001 --tenant contoso --product secure-share --by ada`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			w.held = args[0]
			return a.decideHeld(cmd.Context(), &w, g, func(product string) any {
				return event.RejectRequested{Product: product, Held: w.held, By: g.by}
			}, event.HeldRejected, false)
		}),
	})
	w.flags(cmd)
	g.flags(a, cmd)
	return cmd
}

// decidedHeld is what is printed of a held change that was approved or rejected.
type decidedHeld struct {
	Tenant   string `json:"tenant"`
	Product  string `json:"product"`
	Held     string `json:"held"`
	Revision int    `json:"revision"`
	Outcome  string `json:"outcome"`
	Command  string `json:"command"` // event id
}

func (a *app) decideHeld(ctx context.Context, w *whichHeld, g given, data func(product string) any, outcome string, wait bool) error {
	if err := g.check(); err != nil {
		return err
	}
	if w.product == "" { // the command names it, and the ledger alone knows whose it is
		err := a.asking(ctx, w.ledger, func(r source) error {
			h, err := w.find(ctx, r)
			w.product = h.ProductID
			return err
		})
		if err != nil {
			return err
		}
	}
	var d decidedHeld
	err := a.ordering(func(o orders) (err error) {
		d, err = a.decideOne(ctx, o, g, w, data(w.product), outcome)
		return err
	})
	if err != nil {
		return err
	}
	if err := output.One(a.printer, d, describeDecided); err != nil || !wait {
		return err
	}
	return a.asking(ctx, w.ledger, func(r source) error {
		h, err := w.find(ctx, r)
		if err == nil {
			_, err = a.awaitApplied(ctx, r, h)
		}
		return err
	})
}

// decideOne gives the command and says what has become of it. What has changed since the revision is told on the way.
func (a *app) decideOne(ctx context.Context, o orders, g given, w *whichHeld, data any, outcome string) (decidedHeld, error) {
	answer, err := o.Order(ctx, g, w.tenant, data)
	if refused, ok := errors.AsType[*command.Refused](err); ok && refused.Answer.Code == event.CodeRevision {
		a.tellChanges(ctx, w, refused.Answer)
		return decidedHeld{}, fmt.Errorf("%w; it is at revision %d now: look at it again", refused, refused.Answer.Revision)
	}
	return decidedHeld{
		Tenant: w.tenant, Product: w.product, Held: w.held, Revision: answer.Revision, Outcome: outcome, Command: answer.Command,
	}, err
}

func describeDecided(d decidedHeld) string {
	text := fmt.Sprintf("%s of %s, %s is %s at revision %d\n", d.Held, d.Tenant, d.Product, d.Outcome, d.Revision)
	if d.Outcome == event.HeldApproved {
		text += fmt.Sprintf("it is being carried out: \"rollcall held show %s --tenant %s --product %s\" shows how far\n", d.Held, d.Tenant, d.Product)
	}
	return text
}

// tellChanges says what has changed on a list, by names where the ledger is at hand.
func (a *app) tellChanges(ctx context.Context, w *whichHeld, answer event.Answered) {
	ids := make([]string, len(answer.Changes))
	for i, c := range answer.Changes {
		ids[i] = c.User
	}
	names := map[string]ledger.UserState{}
	_ = a.asking(ctx, w.ledger, func(r source) (err error) { // ids say it too
		names, err = r.Names(ctx, w.tenant, ids)
		return err
	})
	text := ""
	for _, c := range answer.Changes {
		who := c.User
		if u, known := names[c.User]; known {
			who = fmt.Sprintf("%s, %s (%s)", u.Name, first(u.Addresses), c.User)
		}
		switch {
		case !c.Listed:
			text += "  off the list: " + who + "\n"
		case c.Licensed:
			text += "  would be granted: " + who + ", " + c.Reason + "\n"
		default:
			text += "  would be revoked: " + who + ", " + c.Reason + "\n"
		}
	}
	if len(answer.Changes) == event.MaxAnswerChanges {
		text += "  and perhaps more\n"
	}
	_ = output.Printer{Out: a.stderr}.Text(text)
}

// looksEvery is how often it is looked whether a held change is carried out.
const looksEvery = 250 * time.Millisecond

// awaitApplied waits until an approved change is carried out, and tells how far it is.
func (a *app) awaitApplied(ctx context.Context, r holds, h ledger.HeldChange) (ledger.HeldChange, error) {
	terminal, told := isTerminal(a.stderr), time.Now()
	tick := time.NewTicker(looksEvery)
	defer tick.Stop()
	for h.State == ledger.HeldApproved {
		switch {
		case terminal:
			_, _ = fmt.Fprintf(a.stderr, "\rcarried out: %d of %d users   ", h.Applied, h.All)
		case time.Since(told) >= writeEvery:
			told = time.Now()
			_, _ = fmt.Fprintf(a.stderr, "carried out: %d of %d users\n", h.Applied, h.All)
		}
		select {
		case <-ctx.Done():
			return h, errors.New("told to stop waiting; it is carried out all the same")
		case <-tick.C:
		}
		var err error
		if h, err = r.HeldChange(ctx, h.Tenant, h.ProductID, h.Ref); err != nil {
			return h, err
		}
	}
	if terminal {
		_, _ = fmt.Fprintln(a.stderr)
	}
	return h, nil
}
