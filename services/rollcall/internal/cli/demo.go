package cli

import (
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/demo"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) demoCommand() *cobra.Command {
	cfg := demo.Config{Again: 40, Settle: time.Second, Poll: 15 * time.Second}
	var logLevel string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See Rollcall at work on simulated directories",
		Long: `See Rollcall at work: one process runs NATS, all services and two simulated directories, contoso in Microsoft Entra ID
and initech in Google Workspace. It connects them, and plays a short story of changes in both at the same time, with the
time that each took. Then it stays up and prints commands to try.

A second run on the same --data resumes. Ports that are taken are replaced, and it says so.`,
		Example: `  rollcall demo
  rollcall demo --users 20000 --data big
  rollcall demo --once --json | jq '.tenants[].latency'   # exits 0 only when every license is as the directory says`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			started := time.Now()
			cfg.Data = a.data
			logger, err := telemetry.NewLogger(a.stderr, logLevel, "text")
			if err != nil {
				return usage("%v", err)
			}
			deps := demo.Deps{Out: a.stdout, Logger: logger, Started: started, Tamper: a.tamper}
			if a.printer.Format != output.Table {
				deps.Out = a.stderr
			}
			result, err := demo.Run(cmd.Context(), cfg, deps)
			played := slices.ContainsFunc(result.Tenants, func(t demo.Tenant) bool { return len(t.Steps) > 0 })
			if a.printer.Format != output.Table && played {
				err = errors.Join(err, output.One(a.printer, result, nil))
			}
			return err
		}),
	}
	f := cmd.Flags()
	f.IntVar(&cfg.Users, "users", 2000, "users of each simulated directory, where it is made anew")
	f.StringVar(&cfg.HTTPAddr, "http-addr", "127.0.0.1:8080", "address of the Control Center, of health and metrics")
	f.StringVar(&cfg.NATSAddr, "nats-addr", "127.0.0.1:4222", "loopback address of the NATS server")
	f.StringVar(&cfg.ShareAddr, "share-addr", "127.0.0.1:8090", "loopback address of the worked example, a product that asks who is licensed")
	f.BoolVar(&cfg.Once, "once", false, "end after the story: 0 when every license is as the directory says and nothing is held, 1 otherwise")
	f.StringVar(&logLevel, "log-level", "error", "what to log on stderr beside the story: debug, info, warn or error")
	return cmd
}
