package cli

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture"
)

func (a *app) tortureCommand() *cobra.Command {
	cfg := torture.Default()
	var minutes float64
	var provider string
	cmd := &cobra.Command{
		Use:   "torture",
		Short: "Kill Rollcall's processes at random under load and faults, and see that nothing is wrong at the end",
		Long: `Run all of Rollcall as separate processes against simulated directories that change all the time, while requests fail,
pushes get lost and, with --kill, receivers, worker and NATS are killed at random moments. Then compare: directory, ledger,
LICENSES and the bucket of entitlements must say the same of every user. It ends with 0 only when they do.

The seed fixes what the directories go through, the faults and the dice of the kills; not who comes first where processes
work at the same time. Full reads after the first are on where it is even, and off where it is odd. docs/torture.md tells how
to read what it prints.`,
		Example: `  rollcall torture --kill
  rollcall torture --minutes 10 --kill --seed 7
  rollcall torture --minutes 1 --provider entra --json | jq .wrong`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) (err error) {
			if cfg.Providers, err = providers(provider); err != nil {
				return err
			}
			if !cmd.Flags().Changed("seed") {
				cfg.Seed = rand.Uint64N(1_000_000) //nolint:gosec // G404: any will do
			}
			cfg.Duration = time.Duration(minutes * float64(time.Minute))
			if err := cfg.Check(); err != nil {
				return usage("%v", err)
			}
			return a.torture(cmd, cfg)
		}),
	}
	f := cmd.Flags()
	f.Uint64Var(&cfg.Seed, "seed", 0, "of what happens; random where it is not given")
	f.Float64Var(&minutes, "minutes", cfg.Duration.Minutes(), "how long the directories change, by the wall")
	f.Float64Var(&cfg.Speed, "speed", cfg.Speed, fmt.Sprintf("how many times as fast the clock of all parts goes; at most %d", torture.MaxSpeed))
	f.StringVar(&provider, "provider", "both", "whose directories: entra, google-workspace or both")
	f.BoolVar(&cfg.Kill, "kill", false, "kill receivers, worker and NATS at random moments")
	f.StringVar(&cfg.Folder, "folder", "", "where to keep logs and streams; empty: a temporary folder, which goes when all is well")
	cmd.AddCommand(a.tortureLookCommand(), a.torturePartCommand())
	return cmd
}

func providers(named string) ([]directory.Provider, error) {
	all := []directory.Provider{directory.Entra, directory.GoogleWorkspace}
	switch one := directory.Provider(named); {
	case named == "both":
		return all, nil
	case slices.Contains(all, one):
		return []directory.Provider{one}, nil
	default:
		return nil, usage("--provider %q: want %s, %s or both", named, directory.Entra, directory.GoogleWorkspace)
	}
}

func (a *app) torture(cmd *cobra.Command, cfg torture.Config) (err error) {
	temporary := cfg.Folder == ""
	if temporary {
		if cfg.Folder, err = os.MkdirTemp("", "rollcall-torture-"); err != nil {
			return fmt.Errorf("make a folder for the run: %w", err)
		}
	}
	cfg.Folder = absolute(cfg.Folder)
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	tell := func(format string, args ...any) {
		_, _ = fmt.Fprintf(a.stderr, format+"\n", args...)
	}
	tell("seed %d; logs are in %s", cfg.Seed, cfg.Folder)
	report, err := torture.Run(cmd.Context(), cfg, torture.Deps{Program: program, Tell: tell})
	if err != nil {
		return fmt.Errorf("the run broke off (%s): %w", cfg.Folder, err)
	}
	if a.printer.Format == output.Table {
		err = report.Write(a.stdout)
	} else {
		err = output.One(a.printer, report, nil)
	}
	again := "rollcall torture " + strings.Join(cfg.Args(), " ")
	if !report.OK {
		tell("what is left of the run is in %s; run it again with\n  %s", cfg.Folder, again)
		return errorsOr(err, &exit{code: codeFailed})
	}
	if temporary {
		return errorsOr(err, os.RemoveAll(cfg.Folder))
	}
	return err
}

// errorsOr is the first of two errors that there is.
func errorsOr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// tortureLookCommand looks for the cause of what a run has found.
func (a *app) tortureLookCommand() *cobra.Command {
	var tenant, user string
	cmd := &cobra.Command{
		Use:   "look FOLDER",
		Short: "Look into what a torture has left in its folder",
		Long: `Look into what a torture has left in its folder: judge every revocation again or, with --user, tell what the directory
went through around a user, what was read of that and what was published, by time.`,
		Example: `  rollcall torture look /tmp/run
  rollcall torture look /tmp/run --tenant entra-1 --user 337a8418-c72f-46a6-a358-bb4ed1977f19`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			if user != "" && tenant == "" {
				return usage("--user: of which --tenant?")
			}
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			return torture.Look(cmd.Context(), absolute(args[0]), tenant, user, torture.Deps{Program: program}, a.stdout)
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "of which directory, e.g. entra-1; empty: of all")
	cmd.Flags().StringVar(&user, "user", "", "id of a user")
	return cmd
}

// torturePartCommand is what the driver starts its processes with.
func (a *app) torturePartCommand() *cobra.Command {
	return &cobra.Command{
		Use: "part", Hidden: true, Args: cobra.ExactArgs(1), ValidArgs: torture.PartNames(),
		Short: "Run one part of a torture; its driver calls this",
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			return torture.RunPart(cmd.Context(), args[0], a.getenv, a.stdin, a.stderr)
		}),
	}
}
