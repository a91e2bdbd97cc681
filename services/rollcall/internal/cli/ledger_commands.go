package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/serve"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/worker/rebuild"
)

func (a *app) ledgerCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "ledger",
		Short: "Compare the ledger with what was published, and bring back a lost one",
	}, a.ledgerVerifyCommand(), a.ledgerRebuildCommand())
}

func (a *app) ledgerRebuildCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Fill an empty ledger from LICENSES, the bucket entitlements and full reads",
		Long: `Fill an empty ledger with what others have of it: decisions, their history, sequences, held changes, seats and settings from
the stream LICENSES and the bucket "entitlements". Then a full read of every directory is ordered, which brings the mirror
back as soon as the services run again. Nothing is published twice, and until a tenant is read nothing is decided for it.

Stop the worker first, and move what is left of the old ledger away. Settings are those of "rollcall serve".`,
		Example: `  rollcall ledger rebuild --config /etc/rollcall.yaml`,
		Args:    cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file, a.getenvWithFlags(cmd))
			if err == nil {
				err = cfg.CheckFiles()
			}
			if err != nil {
				return fmt.Errorf("the configuration has faults:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
			}
			report, err := a.rebuild(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			return output.One(a.printer, report, func(report rebuild.Report) string {
				return fmt.Sprintf("Rebuilt: %d users of %d products of %d tenants, from %d events and %d entries of the bucket; %d held changes wait.\n"+
					"A full read of every directory is ordered: start the services.",
					report.Users, report.Products, report.Tenants, report.Events, report.FromCopy, report.Held)
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&file, "config", a.getenv("ROLLCALL_CONFIG"), "path of the YAML file")
	f.String("nats", "", "URL of the NATS server, where it is not an embedded one")
	return cmd
}

func (a *app) rebuild(ctx context.Context, cfg config.Config) (report rebuild.Report, err error) {
	logger, err := telemetry.NewLogger(a.stderr, "warn", "text")
	if err != nil {
		return report, err
	}
	dir, err := datadir.Open(cfg.Data)
	if err != nil {
		return report, err
	}
	defer func() { _ = dir.Close() }()
	deps := serve.Deps{Dir: dir, Logger: logger, Clock: clock.System(), Metrics: telemetry.NewRegistry()}
	err = serve.Offline(ctx, cfg, deps, func(b *bus.Bus, registry *tenant.Registry) error {
		tenants, err := registry.List(ctx)
		if err != nil {
			return err
		}
		l, err := ledger.Open(ctx, cfg.LedgerAddress())
		if err != nil {
			return err
		}
		report, err = rebuild.Run(ctx, rebuild.Deps{Bus: b, Ledger: l, Tenants: tenants, Clock: clock.System(), Logger: logger})
		return errors.Join(err, l.Close())
	})
	return report, err
}

func (a *app) ledgerVerifyCommand() *cobra.Command {
	var only, path string
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare ledger, LICENSES and the bucket entitlements, and say what differs",
		Long: `Compare, for each tenant and product, what the ledger, the stream LICENSES and the bucket "entitlements" say of every user,
and look for gaps in the sequence. What is on its way between them is waited for. It ends with 1 when they differ.`,
		Example: `  rollcall ledger verify
  rollcall ledger verify --tenant contoso --json`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			return a.withBus(func(b *bus.Bus) error {
				reader, err := ledger.OpenReader(cmd.Context(), a.ledgerAddress(path))
				if err != nil {
					return err
				}
				defer func() { _ = reader.Close() }()
				return a.verifyLedger(cmd.Context(), b, reader, only, patience)
			})
		}),
	}
	cmd.Flags().StringVar(&only, "tenant", "", "only this tenant")
	cmd.Flags().StringVar(&path, "ledger", "", "path or URL of the ledger, instead of the one of the data folder's process")
	cmd.Flags().DurationVar(&patience, "wait", 10*time.Second, "how long to wait for what is on its way")
	a.natsFlags(cmd)
	return cmd
}

func (a *app) verifyLedger(ctx context.Context, b *bus.Bus, reader *ledger.Reader, only string, patience time.Duration) error {
	names, err := reader.TenantNames(ctx)
	if err != nil {
		return err
	}
	reports := []verify.LedgerReport{}
	differ := false
	for _, name := range names {
		if only != "" && name != only {
			continue
		}
		t, err := reader.Tenant(ctx, name)
		if err != nil {
			return err
		}
		for _, p := range t.Products {
			r, err := verify.Ledger(ctx, b, name, p.ID, func(ctx context.Context) (verify.Held, error) {
				return heldBy(ctx, reader, name, p.ID)
			}, patience)
			if err != nil {
				return err
			}
			reports, differ = append(reports, r), differ || !r.OK()
		}
	}
	if only != "" && len(reports) == 0 {
		return fmt.Errorf("tenant %s: %w", only, ledger.ErrNoTenant)
	}
	if err := a.printLedgerReports(reports); err != nil || !differ {
		return err
	}
	return &exit{code: codeFailed}
}

func (a *app) printLedgerReports(reports []verify.LedgerReport) error {
	return output.List(a.printer, []string{"TENANT", "PRODUCT", "USERS", "LICENSED", "EVENTS", "RESULT"}, reports, func(r verify.LedgerReport) []string {
		result := "the same everywhere"
		if !r.OK() {
			result = fmt.Sprintf("%d faults, first: %s", len(r.Faults)+r.More, r.Faults[0])
		}
		return []string{r.Tenant, r.Product, fmt.Sprint(r.Users), fmt.Sprint(r.Licensed), fmt.Sprint(r.Events), result}
	})
}

func heldBy(ctx context.Context, reader *ledger.Reader, tenantID, product string) (verify.Held, error) {
	t, err := reader.Tenant(ctx, tenantID)
	if err != nil {
		return verify.Held{}, err
	}
	held := verify.Held{Decisions: map[string]verify.Decision{}}
	for _, p := range t.Products {
		if p.ID == product {
			held.Sequence = p.Sequence
		}
	}
	all, err := reader.Decisions(ctx, tenantID, product)
	for user, d := range all {
		held.Decisions[user] = verify.Decision(d)
	}
	return held, err
}
