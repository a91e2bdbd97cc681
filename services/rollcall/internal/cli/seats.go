package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) seatsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "seats",
		Short: "Set how many seats were purchased, and see how many are used and were",
	}, a.seatsSetCommand(), a.seatsShowCommand(), a.seatsReportCommand())
}

// whichProduct says which product of a tenant is meant.
type whichProduct struct {
	tenant, product string
	ledger          string
}

func (w *whichProduct) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.tenant, "tenant", "", "tenant")
	cmd.Flags().StringVar(&w.product, "product", "", "product; not needed where the tenant has only one")
	ledgerFlag(cmd, &w.ledger)
	require(cmd, "tenant")
}

// find looks up the tenant and the product, and remembers which it is.
func (w *whichProduct) find(ctx context.Context, r stateKnower) (ledger.TenantState, ledger.ProductState, error) {
	t, err := r.Tenant(ctx, w.tenant)
	if err != nil {
		return t, ledger.ProductState{}, err
	}
	p, err := (&subject{product: w.product}).find(t)
	w.product = p.ID
	return t, p, err
}

func (a *app) seatsSetCommand() *cobra.Command {
	var tenantID, product, purchased string
	var enforce bool
	var g given
	cmd := overAPI(&cobra.Command{
		Use:   "set",
		Short: "Set how many seats of a product were purchased, and whether they are a limit",
		Long: `Set how many seats of a product were purchased, and whether they are a limit. What is not named stays as it is.

Without --enforce more seats may be used than were purchased: it is shown and announced, and nobody loses anything. With it,
who would get a license waits in line until a seat is free; who holds one keeps it.`,
		Example: `  rollcall seats set --tenant contoso --product secure-share --purchased 250
  rollcall seats set --tenant contoso --product secure-share --enforce
  rollcall seats set --tenant contoso --product secure-share --purchased none --enforce=false`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			data := event.SeatsRequested{Product: product, By: g.by}
			if cmd.Flags().Changed("purchased") {
				n, err := parseSeats(purchased)
				if err != nil {
					return err
				}
				data.Purchased = &n
			}
			if cmd.Flags().Changed("enforce") {
				data.Enforce = &enforce
			}
			if data.Purchased == nil && data.Enforce == nil {
				return usage("nothing is set: name --purchased, --enforce or both")
			}
			if err := g.check(); err != nil {
				return err
			}
			return a.ordering(func(o orders) error {
				if _, err := o.ProductOf(cmd.Context(), tenantID, product); err != nil {
					return err // before a command names it
				}
				answer, err := o.Order(cmd.Context(), g, tenantID, data)
				if err != nil {
					return err
				}
				return output.One(a.printer, seatsSet{tenantID, product, data.Purchased, data.Enforce, answer.Command}, describeSeatsSet)
			})
		}),
	})
	f := cmd.Flags()
	f.StringVar(&tenantID, "tenant", "", "tenant")
	f.StringVar(&product, "product", "", "product")
	f.StringVar(&purchased, "purchased", "", "how many seats were purchased; none where it is not known any more")
	f.BoolVar(&enforce, "enforce", false, "whether nobody gets a license when no seat is free")
	g.flags(a, cmd)
	require(cmd, "tenant", "product")
	return cmd
}

// mostSeats is more than anybody has users.
const mostSeats = 1_000_000_000

func parseSeats(s string) (int, error) {
	if s == "none" {
		return event.SeatsNotSet, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > mostSeats {
		return 0, usage("--purchased %q: want a number of seats, or none", s)
	}
	return n, nil
}

// seatsSet is what was set.
type seatsSet struct {
	Tenant    string `json:"tenant"`
	Product   string `json:"product"`
	Purchased *int   `json:"purchased,omitempty"` // -1: not any more
	Enforce   *bool  `json:"enforce,omitempty"`
	Command   string `json:"command"`
}

func describeSeatsSet(s seatsSet) string {
	var what []string
	switch {
	case s.Purchased == nil:
	case *s.Purchased < 0:
		what = append(what, "how many seats were purchased is not set any more")
	default:
		what = append(what, fmt.Sprintf("%d seats purchased", *s.Purchased))
	}
	switch {
	case s.Enforce == nil:
	case *s.Enforce:
		what = append(what, "seats are a limit")
	default:
		what = append(what, "seats are no limit")
	}
	return fmt.Sprintf("%s, %s: %s\n", s.Tenant, s.Product, strings.Join(what, "; "))
}

func (a *app) seatsShowCommand() *cobra.Command {
	var w whichProduct
	var line int
	cmd := overAPI(&cobra.Command{
		Use:   "show",
		Short: "Show how many seats are used and were purchased, and who waits for one",
		Example: `  rollcall seats show --tenant contoso --product secure-share
  rollcall seats show --tenant contoso --line 50`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			if line < 0 {
				return usage("--line %d: want how many of those who wait are shown", line)
			}
			return a.asking(cmd.Context(), w.ledger, func(r source) error {
				shown, err := seatsNow(cmd.Context(), r, &w, line)
				if err != nil {
					return err
				}
				return output.One(a.printer, shown, describeSeats)
			})
		}),
	})
	w.flags(cmd)
	cmd.Flags().IntVar(&line, "line", 10, "show so many of those who wait for a seat")
	return cmd
}

// seatsShown is where the seats of a product stand.
type seatsShown struct {
	Tenant    string           `json:"tenant"`
	Product   string           `json:"product"`
	Used      int              `json:"used"`
	Purchased *int             `json:"purchased,omitempty"`
	Enforce   bool             `json:"enforce"`
	Over      int              `json:"over"`    // so many more are used than were purchased
	Waiting   int              `json:"waiting"` // users who wait for a seat
	Line      []lineEntry      `json:"line,omitempty"`
	Standing  *answer.Standing `json:"standing"`
}

type lineEntry struct {
	Place     int64    `json:"place"`
	User      string   `json:"user"`
	Name      string   `json:"name,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
}

func seatsNow(ctx context.Context, r seatsKnower, w *whichProduct, limit int) (seatsShown, error) {
	t, p, err := w.find(ctx, r)
	if err != nil {
		return seatsShown{}, err
	}
	s := seatsShown{Tenant: t.Name, Product: p.ID, Used: p.Licensed, Purchased: purchasedOf(p.Seats), Enforce: p.Seats.Enforce}
	if p.Seats.Exceeded(p.Licensed) {
		s.Over = p.Licensed - p.Seats.Purchased
	}
	line, waiting, err := r.Line(ctx, t.Name, p.ID, 0, limit)
	for _, l := range line {
		s.Line = append(s.Line, lineEntry(l))
	}
	s.Waiting = waiting
	var standingErr error
	s.Standing, standingErr = r.Standing(ctx, t)
	return s, errors.Join(err, standingErr)
}

func describeSeats(s seatsShown) string {
	var b strings.Builder
	line := func(name, value string) { writeLine(&b, name, value) }
	line("tenant, product", s.Tenant+", "+s.Product)
	line("used", strconv.Itoa(s.Used))
	line("purchased", numberOr(s.Purchased, "not set"))
	if s.Over > 0 {
		line("OVER", fmt.Sprintf("%d more are used than were purchased", s.Over))
	}
	line("a limit", yesNo(s.Enforce))
	line("waiting for one", strconv.Itoa(s.Waiting))
	for _, l := range s.Line {
		_, _ = fmt.Fprintf(&b, "  place %-6d %s, %s (%s)\n", l.Place, defaultTo(l.Name, "-"), first(l.Addresses), l.User)
	}
	return b.String() + standingNotices(s.Standing, s.Tenant)
}
