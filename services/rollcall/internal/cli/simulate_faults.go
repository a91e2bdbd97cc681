package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// faultsShown are the plans in force and what plans did so far, as they are printed.
type faultsShown struct {
	Plans []control.Plan            `json:"plans"`
	Dealt map[control.FaultKind]int `json:"dealt"`
}

func (s *simulated) faultsCommand() *cobra.Command {
	var plan control.Plan
	var lasts, retryAfter time.Duration
	cmd := &cobra.Command{
		Use:   "faults [KIND=RATE...|off]",
		Short: "Let what goes wrong with providers go wrong by dice, or show what did",
		Long: `Let requests and notifications of both providers suffer, each kind of fault at its own rate from 0 to 1. The rates are in
force, in place of those before, until "off", for as long as --for says, or until the simulator ends; with --tenant for that
tenant only. The same --seed does the same to the same requests again. Without an argument, show what is in force and what
happened so far. It is there to see that changes still arrive, if later, and that nobody loses a license for a fault.

Requests, each of which suffers one of these at most:
  throttled, failed (5xx), forbidden (403), expired (a cursor), cut (no answer), half-page, short-page, stale-read
and beside them: slow
Notifications, each of which suffers one of these at most:
  push-lost, push-delayed, push-reordered, subscription-lost
and beside them: push-repeated
All that are not named: all`,
		Example: `  rollcall simulate faults throttled=0.1 cut=0.05 push-lost=0.5 --seed 7 --for 10m
  rollcall simulate faults all=0.05
  rollcall simulate faults
  rollcall simulate faults off`,
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			rates, err := plannedRates(args)
			if err != nil {
				return err
			}
			plan.Tenant, plan.Rates, plan.RetryAfter = s.tenant, rates, int(retryAfter.Round(time.Second)/time.Second)
			if cmd.Flags().Changed("for") {
				if lasts <= 0 {
					return usage("--for %s: want a time above 0", lasts)
				}
				plan.Until = time.Now().Add(lasts)
			}
			if err := plan.Check(); err != nil {
				return usage("%s", err)
			}
			client, err := s.client(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case len(args) == 0:
				return s.showFaults(cmd.Context(), client, plan.Tenant)
			case rates == nil:
				err = client.EndPlan(cmd.Context(), plan.Tenant)
			default:
				err = client.PutPlan(cmd.Context(), plan)
			}
			if err != nil {
				return err
			}
			return s.print("faults "+strings.Join(args, " "), plan.Tenant, control.Change{Count: 1, At: time.Now()})
		}),
	}
	f := cmd.Flags()
	f.Uint64Var(&plan.Seed, "seed", 0, "the same seed lets the same go wrong")
	f.DurationVar(&lasts, "for", 0, "how long; without it, until \"off\"")
	f.DurationVar(&retryAfter, "retry-after", 0, "what answers to throttled requests ask for; 0 for nothing")
	f.DurationVar(&plan.Delay, "delay", control.DefaultDelay, "the longest that slow answers wait")
	f.DurationVar(&plan.PushDelay, "push-delay", 0, "the longest that notifications wait; 0 for as long as slow answers")
	f.DurationVar(&plan.Stale, "stale", control.DefaultStale, "the longest that stale reads are behind")
	return cmd
}

// plannedRates reads the rates; nil for none.
func plannedRates(args []string) (map[control.FaultKind]float64, error) {
	if len(args) == 0 || slices.Equal(args, []string{"off"}) {
		return nil, nil
	}
	rates, err := control.ParseRates(args)
	if err != nil {
		return nil, usage("%s", err)
	}
	return rates, nil
}

func (s *simulated) showFaults(ctx context.Context, client *control.Client, tenant string) error {
	plans, err := client.Plans(ctx)
	if err != nil {
		return err
	}
	dealt, err := client.Dealt(ctx, tenant)
	if err != nil {
		return err
	}
	return output.One(s.app.printer, faultsShown{plans, dealt}, func(f faultsShown) string {
		var b strings.Builder
		w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		for _, p := range f.Plans {
			fmt.Fprintf(w, "seed %d for %s\t%s\n", p.Seed, defaultTo(p.Tenant, "all tenants"), ratesText(p.Rates))
		}
		if len(f.Plans) == 0 {
			fmt.Fprintln(w, "no faults are in force")
		}
		for _, kind := range slices.Sorted(maps.Keys(f.Dealt)) {
			fmt.Fprintf(w, "%s\t%d so far\n", kind, f.Dealt[kind])
		}
		_ = w.Flush() // to a builder
		return b.String()
	})
}

func ratesText(rates map[control.FaultKind]float64) string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(rates)) {
		out = append(out, fmt.Sprintf("%s=%g", kind, rates[kind]))
	}
	return strings.Join(out, " ")
}
