package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) licensesCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "licenses",
		Short: "List who holds a license, or held one at a moment",
	}, a.licensesListCommand())
}

func (a *app) licensesListCommand() *cobra.Command {
	var w whichProduct
	var at string
	cmd := overAPI(list(&cobra.Command{
		Use:   "list",
		Short: "List who holds a license for a product, since when and why; or held one at a moment",
		Long: `List who holds a license for a product, since when and why; with --at who held one at that moment. Names and addresses are
those that the mirror knows now: they are no part of the record. "licensed since" is since when without a break, also where
the reason has changed meanwhile. Lists of any length are printed while they are read.`,
		Example: `  rollcall licenses list --tenant contoso --product secure-share
  rollcall licenses list --tenant contoso --product secure-share --at 2026-11-22T09:00:00Z -o csv > seats.csv
  rollcall licenses list --tenant contoso -o jsonl | jq -r .user`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			moment, err := parseTime("--at", at, time.Now())
			if err != nil {
				return err
			}
			return a.asking(cmd.Context(), w.ledger, func(r source) error {
				return a.listLicenses(cmd.Context(), r, &w, moment)
			})
		}),
	}))
	w.flags(cmd)
	cmd.Flags().StringVar(&at, "at", "", "who held one then: a time (RFC 3339), the begin of a day (UTC), or so long ago (e.g. 24h)")
	return cmd
}

// licenseItem is one license as it is printed.
type licenseItem struct {
	User      string        `json:"user"`
	Name      string        `json:"name,omitempty"`
	Addresses []string      `json:"addresses,omitempty"`
	Since     time.Time     `json:"licensed_since"`
	Reason    string        `json:"reason"`
	Path      []answer.Step `json:"path,omitempty"`
	Cause     string        `json:"cause"`
	Sequence  uint64        `json:"sequence"`
}

func licenseItemOf(l ledger.License) licenseItem {
	item := licenseItem{
		User: l.User, Name: l.Name, Addresses: l.Addresses, Since: l.Since, Reason: l.Reason, Cause: l.Cause, Sequence: l.Sequence,
	}
	for _, g := range l.Path {
		item.Path = append(item.Path, answer.Step{ID: g.ID, Name: g.Name})
	}
	return item
}

var licenseFields = []output.Field[licenseItem]{
	same("user", 36, func(l licenseItem) string { return l.User }),
	same("name", 24, func(l licenseItem) string { return l.Name }),
	{
		Name: "address", Width: 28,
		Cell:  func(l licenseItem) string { return first(l.Addresses) },
		Value: func(l licenseItem) string { return joined(l.Addresses) },
	},
	{
		Name: "licensed_since", Width: 19,
		Cell:  func(l licenseItem) string { return local(l.Since) },
		Value: func(l licenseItem) string { return stamped(l.Since) },
	},
	{
		Name: "reason", Width: 14,
		Cell:  func(l licenseItem) string { return reasonText(l.Reason, l.Path) },
		Value: func(l licenseItem) string { return l.Reason },
	},
	{Name: "path", Value: func(l licenseItem) string { return answer.PathText(l.Path) }},
	{Name: "cause", Value: func(l licenseItem) string { return l.Cause }},
}

func (a *app) listLicenses(ctx context.Context, r licensees, w *whichProduct, at time.Time) error {
	if _, _, err := w.find(ctx, r); err != nil {
		return err
	}
	rows := output.NewRows(a.printer, licenseFields)
	err := r.Licenses(ctx, w.tenant, w.product, at, func(l ledger.License) error { return rows.Write(licenseItemOf(l)) })
	return errors.Join(err, rows.Close())
}
