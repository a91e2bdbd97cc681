package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
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

// askingOf gives work who answers about a subject.
func (a *app) askingOf(ctx context.Context, s *subject, work func(source) error) error {
	if s.user == "" {
		return usage("--user is empty: want an address or an id")
	}
	return a.asking(ctx, s.ledger, work)
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

// question is what the flags ask.
func (s *subject) question() answer.Question {
	return answer.Question{Tenant: s.tenant, Product: s.product, User: s.user}
}

// find finds the product that is asked about.
func (s *subject) find(t ledger.TenantState) (ledger.ProductState, error) {
	p, err := answer.Product(t, s.product)
	return p, askForProduct(err)
}

// decide answers what the flags ask.
func decide(ctx context.Context, r decisions, s *subject) (answer.Decision, ledger.UserState, error) {
	d, u, err := r.Decide(ctx, s.question())
	return d, u, askForProduct(err)
}

// askForProduct makes a fault of the command line of a question that names no product where it has to.
func askForProduct(err error) error {
	if errors.Is(err, answer.ErrWhichProduct) {
		return usage("%v with --product", err)
	}
	return err
}

// local writes a time as the operator's own clock shows it.
func local(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
