package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// whichHeld says which held change is meant.
type whichHeld struct {
	tenant, product, held string
	ledger                string
}

func (w *whichHeld) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.tenant, "tenant", "", "tenant that it is of")
	cmd.Flags().StringVar(&w.product, "product", "", "product that it is of; not needed where no other one has a held change of that id")
	ledgerFlag(cmd, &w.ledger)
	require(cmd, "tenant")
}

// find looks it up.
func (w *whichHeld) find(ctx context.Context, r holds) (ledger.HeldChange, error) {
	h, err := r.HeldChange(ctx, w.tenant, w.product, w.held)
	if errors.Is(err, ledger.ErrManyHeld) {
		err = usage("several products of %s have a held change %s: name one with --product", w.tenant, w.held)
	}
	return h, err
}

func (a *app) heldShowCommand() *cobra.Command {
	var w whichHeld
	var limit int
	var wait bool
	cmd := overAPI(list(&cobra.Command{
		Use:   "show HELD",
		Short: "Show a held change with the whole list of the users whom it concerns",
		Long: `Show a held change with the whole list of the users whom it concerns: what each is now, what each would become, and why.
Names and addresses are those that the mirror knows now.

What is approved by its revision is this list and no other. While an approved change is being carried out, it shows how far;
with --wait it waits for the end.`,
		Example: `  rollcall held show flip-2001 --tenant contoso
  rollcall held show flip-2001 --tenant contoso --product secure-share -o csv > flip-2001.csv
  rollcall held show revocations-4711 --tenant contoso --limit 20`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			w.held = args[0]
			return a.asking(cmd.Context(), w.ledger, func(r source) error {
				h, err := w.find(cmd.Context(), r)
				if err == nil && wait {
					h, err = a.awaitApplied(cmd.Context(), r, h)
				}
				if err != nil {
					return err
				}
				return a.showHeld(cmd.Context(), r, h, limit)
			})
		}),
	}))
	w.flags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, "show only so many users; 0 shows all")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until an approved change is carried out")
	return cmd
}

// heldLine is one user of a list as it is printed.
type heldLine struct {
	User        string     `json:"user"`
	Name        string     `json:"name,omitempty"`
	Addresses   []string   `json:"addresses,omitempty"`
	Status      string     `json:"status"`
	Licensed    bool       `json:"licensed"` // now
	Reason      string     `json:"reason,omitempty"`
	Since       *time.Time `json:"since,omitempty"`
	Would       bool       `json:"would_be_licensed"`
	WouldReason string     `json:"would_be_reason"`
}

func heldLineOf(l ledger.HeldLine) heldLine {
	line := heldLine{
		User: l.User, Name: l.Name, Addresses: l.Addresses, Status: string(l.Status), Licensed: l.Licensed, Reason: l.Reason,
		Would: l.Would, WouldReason: l.WouldReason,
	}
	if l.Licensed {
		line.Since = &l.Since
	}
	return line
}

// turn says in a word what becomes of the user.
func (l heldLine) turn() string {
	switch {
	case l.Would == l.Licensed:
		return "stays"
	case l.Would:
		return "GRANT"
	default:
		return "REVOKE"
	}
}

var heldLineFields = []output.Field[heldLine]{
	{Name: "change", Width: 6, Cell: heldLine.turn},
	same("user", 36, func(l heldLine) string { return l.User }),
	same("name", 24, func(l heldLine) string { return l.Name }),
	{
		Name: "address", Width: 28,
		Cell:  func(l heldLine) string { return first(l.Addresses) },
		Value: func(l heldLine) string { return joined(l.Addresses) },
	},
	{Name: "status", Value: func(l heldLine) string { return l.Status }},
	{Name: "licensed", Value: func(l heldLine) string { return yesNo(l.Licensed) }},
	{Name: "reason", Value: func(l heldLine) string { return l.Reason }},
	{Name: "would_be_licensed", Value: func(l heldLine) string { return yesNo(l.Would) }},
	{Name: "why", Cell: func(l heldLine) string { return l.WouldReason }},
	{Name: "would_be_reason", Value: func(l heldLine) string { return l.WouldReason }},
	{Name: "now", Cell: func(l heldLine) string { return defaultTo(l.Reason, "never licensed") }},
}

// heldPage is how many lines of a list are read at once.
const heldPage = 5000

// showHeld prints a held change and its list. The revision is read first: if the list changes under the reader, the
// revision that was shown is refused.
func (a *app) showHeld(ctx context.Context, r holds, h ledger.HeldChange, limit int) error {
	item := heldItemOf(h)
	if err := a.beside(describeHeld(item)); err != nil {
		return err
	}
	rows := output.NewRows(a.printer, heldLineFields).Within(item, "users")
	shown, err := r.EachHeldLine(ctx, h, limit, func(l ledger.HeldLine) error { return rows.Write(heldLineOf(l)) })
	if err = errors.Join(err, rows.Close()); err != nil {
		return err
	}
	if more := h.Grants + h.Revocations - shown; limit > 0 && shown == limit && more > 0 {
		_, _ = fmt.Fprintf(a.stderr, "and %d more users\n", more)
	}
	now, err := r.HeldChange(ctx, h.Tenant, h.ProductID, h.Ref)
	if err == nil && now.Revision != h.Revision {
		_, _ = fmt.Fprintf(a.stderr, "note: the list has changed while it was read, and is at revision %d now: look again\n", now.Revision)
	}
	return err
}

// beside prints what stands above a list: into a table, and beside what programs read.
func (a *app) beside(text string) error {
	switch a.printer.Format {
	case output.Table:
		return a.printer.Text(text + "\n")
	case output.JSON:
		return nil // it is in the document
	default:
		return output.Printer{Out: a.stderr}.Text(text)
	}
}

// eachHeldLine reads a list page by page, up to a limit where there is one, and returns how many lines it read.
func eachHeldLine(ctx context.Context, r *ledger.Reader, h ledger.HeldChange, limit int, each func(ledger.HeldLine) error) (n int, err error) {
	for after := int64(0); ; {
		want := heldPage
		if limit > 0 {
			want = min(want, limit-n)
		}
		page, err := r.HeldLines(ctx, h, after, want)
		if err != nil {
			return n, err
		}
		for _, l := range page {
			if err := each(l); err != nil {
				return n, err
			}
			n++
			after = l.Number
		}
		if len(page) < want || n == limit {
			return n, nil
		}
	}
}

func describeHeld(h heldItem) string {
	var b strings.Builder
	line := func(name, value string) { writeLine(&b, name, value) }
	line("held change", h.Held+" of "+h.Tenant+", "+h.Product)
	line("state", h.how())
	switch h.Kind {
	case string(ledger.HeldFlip):
		line("would put in force", policyText(h.Mode, h.Group, h.GroupName))
		line("in force now", policyText(h.PreviousMode, h.PreviousGroup, h.PreviousGroupName))
	case string(ledger.HeldRevocations):
		line("holds", "many revocations at once")
	case string(ledger.HeldRefresh):
		line("holds", "what a previewed refresh has found")
	case string(ledger.HeldFreeze):
		line("holds", "revocations while the tenant is frozen")
	}
	line("grants", fmt.Sprint(h.Grants))
	line("revocations", fmt.Sprint(h.Revocations))
	line("licensed now", fmt.Sprintf("%d, purchased: %s", h.Licensed, numberOr(h.Purchased, "not set")))
	line("opened", localOr(h.Opened, ""))
	switch h.State {
	case string(ledger.HeldOpen):
		line("expires", localOr(h.Expires, "not before the tenant is unfrozen"))
	case string(ledger.HeldApproved), string(ledger.HeldApplied):
		line("approved", local(h.Closed)+by(h.By))
		line("carried out", fmt.Sprintf("%d of %d users", h.Applied, h.ToApply))
	default:
		line(h.State, local(h.Closed)+by(h.By))
	}
	line("caused by", h.Cause)
	line("revision", fmt.Sprint(h.Revision))
	return b.String()
}

func by(whom string) string {
	if whom == "" {
		return ""
	}
	return " by " + whom
}
