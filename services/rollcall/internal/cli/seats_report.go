package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/seats"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) seatsReportCommand() *cobra.Command {
	var w whichProduct
	var from, to string
	cmd := overAPI(list(&cobra.Command{
		Use:   "report",
		Short: "Report the use of a product's seats, day by day",
		Long: `Report the use of a product's seats: for each day (UTC) how many were used at its end and at its peak, and how many were
purchased; and the peak of all these days, for a true-up. It is made from the record of every license, so it can be made at any
time for any days, and says the same each time. The last day may be the present one, which is counted up to now.`,
		Example: `  rollcall seats report --tenant contoso --product secure-share --from 2026-01-01 --to 2026-12-31 -o csv > seats-2026.csv
  rollcall seats report --tenant contoso
  rollcall seats report --tenant contoso --from 2026-01-01 --json | jq .peak`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			last, err := parseDay("--to", to, seats.Midnight(time.Now()))
			if err != nil {
				return err
			}
			begin, err := parseDay("--from", from, last.AddDate(0, 0, -29))
			if err != nil {
				return err
			}
			if last.Before(begin) {
				return usage("--from %s is behind --to %s", begin.Format(time.DateOnly), last.Format(time.DateOnly))
			}
			return a.asking(cmd.Context(), w.ledger, func(r source) error {
				return a.reportSeats(cmd.Context(), r, &w, begin, last)
			})
		}),
	}))
	w.flags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "first day; 30 days where it is left out")
	cmd.Flags().StringVar(&to, "to", "", "last day; today where it is left out")
	return cmd
}

// seatsReport is what stands above the days.
type seatsReport struct {
	Tenant  string     `json:"tenant"`
	Product string     `json:"product"`
	From    time.Time  `json:"from"`
	To      time.Time  `json:"to"` // not included
	Peak    int        `json:"peak"`
	PeakAt  time.Time  `json:"peak_at"`
	Over    int        `json:"over"` // so many more were used than were purchased, at the worst
	OverAt  *time.Time `json:"over_at,omitempty"`
}

// seatsDay is one day of a report.
type seatsDay struct {
	Date      string `json:"date"`
	Used      int    `json:"used"`
	Peak      int    `json:"peak"`
	Purchased *int   `json:"purchased,omitempty"`
	Over      int    `json:"over"`
	Enforce   bool   `json:"enforce"`
}

var seatsDayFields = []output.Field[seatsDay]{
	same("date", 10, func(d seatsDay) string { return d.Date }),
	same("used", 8, func(d seatsDay) string { return strconv.Itoa(d.Used) }),
	same("peak", 8, func(d seatsDay) string { return strconv.Itoa(d.Peak) }),
	{
		Name: "purchased", Width: 9,
		Cell:  func(d seatsDay) string { return numberOr(d.Purchased, "-") },
		Value: func(d seatsDay) string { return numberOr(d.Purchased, "") },
	},
	same("over", 8, func(d seatsDay) string { return strconv.Itoa(d.Over) }),
	{Name: "limit", Cell: func(d seatsDay) string { return yesNo(d.Enforce) }},
	{Name: "enforce", Value: func(d seatsDay) string { return yesNo(d.Enforce) }},
}

func (a *app) reportSeats(ctx context.Context, r seatsKnower, w *whichProduct, from, to time.Time) error {
	if _, _, err := w.find(ctx, r); err != nil {
		return err
	}
	made, err := r.Days(ctx, w.tenant, w.product, from, to)
	if err != nil {
		return err
	}
	head := seatsReport{
		Tenant: w.tenant, Product: w.product, From: made.From, To: made.To, Peak: made.Peak, PeakAt: made.PeakAt, Over: made.Over,
	}
	summary := fmt.Sprintf("%s, %s, %d days: at most %d seats used, first on %s", w.tenant, w.product, len(made.Days), made.Peak, stamped(made.PeakAt))
	if made.Over > 0 {
		head.OverAt = &made.OverAt
		summary += fmt.Sprintf("; up to %d more than purchased, first on %s", made.Over, stamped(made.OverAt))
	}
	if err := a.beside(summary + "\n"); err != nil {
		return err
	}
	rows := output.NewRows(a.printer, seatsDayFields).Within(head, "days")
	for _, d := range made.Days {
		err = errors.Join(err, rows.Write(seatsDay{
			Date: d.Date.Format(time.DateOnly), Used: d.Used, Peak: d.Peak, Purchased: purchasedOf(d.Seats), Over: d.Over, Enforce: d.Seats.Enforce,
		}))
	}
	return errors.Join(err, rows.Close())
}
