package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// explained is a decision with how it came about.
type explained struct {
	answer.Decision
	History []period `json:"history"`
}

// period is a time in which a decision held.
type period struct {
	From     time.Time     `json:"from"`
	To       *time.Time    `json:"to,omitempty"` // absent: still so
	Licensed bool          `json:"licensed"`
	Reason   string        `json:"reason"`
	Path     []answer.Step `json:"path,omitempty"`
	Cause    string        `json:"cause"` // id of the event that caused it
	Sequence uint64        `json:"sequence"`
}

func (a *app) explainCommand() *cobra.Command {
	var s subject
	var at string
	cmd := overAPI(&cobra.Command{
		Use:   "explain",
		Short: "Say why a user is licensed or not, since when, and what it was before",
		Long: `Say why a user is licensed or not, since when, and what it was before. With --at it says what held at that moment, for
which period, and what had caused it, down to the notification or the command that started it.`,
		Example: `  rollcall explain --tenant contoso --user ada@contoso.com
  rollcall explain --tenant contoso --user ada@contoso.com --at 2026-11-22T09:00:00Z
  rollcall explain --tenant contoso --user ada@contoso.com --json | jq .history`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			moment, err := parseTime("--at", at, time.Now())
			if err != nil {
				return err
			}
			return a.askingOf(cmd.Context(), &s, func(r source) error {
				if !moment.IsZero() {
					e, err := explainAt(cmd.Context(), r, &s, moment)
					if err != nil {
						return err
					}
					return output.One(a.printer, e, describeAt)
				}
				e, err := explain(cmd.Context(), r, &s)
				if err != nil {
					return err
				}
				return output.One(a.printer, e, describe)
			})
		}),
	})
	s.flags(cmd)
	cmd.Flags().StringVar(&at, "at", "", "explain what held then: a time (RFC 3339), the begin of a day (UTC), or so long ago (e.g. 24h)")
	return cmd
}

func explain(ctx context.Context, r decisions, s *subject) (explained, error) {
	d, user, err := decide(ctx, r, s)
	if err != nil {
		return explained{}, err
	}
	e := explained{Decision: d, History: []period{}}
	if d.User == "" {
		return e, nil
	}
	e.History, err = r.Periods(ctx, s.tenant, user, d.Product)
	return e, err
}

func describe(e explained) string {
	var b strings.Builder
	b.WriteString(e.Why + "\n" + parkedNotices(e.Parked, e.Tenant) + standingNotices(e.Standing, e.Tenant))
	if e.User == "" {
		return b.String()
	}
	_, _ = fmt.Fprintf(&b, "\nuser          %s, %s\n", e.User, e.Status)
	if !e.Removed { // of a product that was removed nobody is decided
		_, _ = fmt.Fprintf(&b, "mode          %s\ngroup         %s\n", e.Mode, e.Group)
	}
	b.WriteString("known as of   " + local(e.AsOf) + "\n")
	if len(e.Path) > 0 {
		b.WriteString("path          " + answer.PathText(e.Path) + "\n")
	}
	if len(e.History) == 0 {
		b.WriteString("\nNever licensed, so no event tells of this user.\n")
		return b.String()
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(w, "FROM\tTO\tLICENSED\tREASON\tSEQUENCE\tCAUSE")
	for _, p := range e.History {
		to := "now"
		if p.To != nil {
			to = local(*p.To)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", local(p.From), to, yesNo(p.Licensed), reasonText(p.Reason, p.Path), p.Sequence, p.Cause)
	}
	_ = w.Flush()
	return b.String()
}

// reasonText is a reason with the groups that it is of.
func reasonText(reason string, path []answer.Step) string {
	if len(path) == 0 {
		return reason
	}
	return reason + " (" + answer.PathText(path) + ")"
}
