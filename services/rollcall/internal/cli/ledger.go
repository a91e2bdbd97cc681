package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
)

// subject is whom a question is about, and in which ledger the answer is.
type subject struct {
	tenant, user, product string
	ledger                string
}

func (s *subject) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.tenant, "tenant", "", "tenant that the user is of")
	cmd.Flags().StringVar(&s.user, "user", "", "address or id of the user")
	cmd.Flags().StringVar(&s.product, "product", "", "product; not needed where the tenant has only one")
	ledgerFlag(cmd, &s.ledger)
	require(cmd, "tenant", "user")
}

// ledgerFlag lets a command ask another ledger than that of the process behind --data.
func ledgerFlag(cmd *cobra.Command, named *string) {
	cmd.Flags().StringVar(named, "ledger", "", "ledger to ask, a path or a postgres URL, instead of the one of the data folder's process")
}

// withLedger gives work a reader of the ledger: that of the process behind --data, or what such a process has left there.
func (a *app) withLedger(ctx context.Context, s *subject, work func(*ledger.Reader) error) error {
	if s.user == "" {
		return usage("--user is empty: want an address or an id")
	}
	return a.withReader(ctx, s.ledger, work)
}

// withReader gives work a reader of the ledger that is named, or of that behind --data.
func (a *app) withReader(ctx context.Context, named string, work func(*ledger.Reader) error) error {
	address := a.ledgerAddress(named)
	reader, err := ledger.OpenReader(ctx, address)
	if err != nil {
		return fmt.Errorf("open %s: %w", ledger.Shown(address), err)
	}
	defer func() { _ = reader.Close() }()
	return work(reader)
}

// ledgerAddress is the ledger that was named, or else that of the process behind --data, or what such a process has left.
func (a *app) ledgerAddress(named string) string {
	if named != "" {
		return named
	}
	if found, err := datadir.Find(a.data); err == nil && found.Ledger != "" {
		return found.Ledger
	}
	return filepath.Join(a.data, "ledger.db")
}

// find finds the product that is asked about. One that the tenant has no longer has to be named.
func (s *subject) find(t ledger.TenantState) (ledger.ProductState, error) {
	var present []ledger.ProductState
	for _, p := range t.Products {
		if p.ID == s.product {
			return p, nil
		}
		if p.Address != "" {
			present = append(present, p)
		}
	}
	switch {
	case s.product != "":
		return ledger.ProductState{}, fmt.Errorf("tenant %s has no product %q", t.Name, s.product)
	case len(present) != 1:
		return ledger.ProductState{}, usage("tenant %s has %d products: name one with --product", t.Name, len(present))
	}
	return present[0], nil
}

// local writes a time as the operator's own clock shows it.
func local(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
