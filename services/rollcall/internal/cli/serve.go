package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	controlcenter "github.com/rollcall-hq/rollcall/services/control-center"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/serve"
)

func (a *app) serveCommand() *cobra.Command {
	var file string
	var check bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the services",
		Long: `Run the services: all of them, or the roles that --role names. Settings come from a YAML file, from the environment
(ROLLCALL_…), which wins over the file, and from flags, which win over both. docs/configuration.md lists them all.

Without nats.url it runs a NATS server of its own, for any NATS client on this machine.`,
		Example: `  rollcall serve --config /etc/rollcall.yaml
  rollcall serve --config /etc/rollcall.yaml --check
  ROLLCALL_NATS_URL=nats://nats:4222 rollcall serve --role worker`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file, a.getenvWithFlags(cmd))
			if err == nil || check {
				err = errors.Join(err, cfg.CheckFiles(), controlcenter.CheckFiles(cfg))
			}
			if err != nil {
				return fmt.Errorf("the configuration has faults:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
			}
			if check {
				return a.printSettings(cfg)
			}
			return a.serve(cmd.Context(), cfg)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&file, "config", a.getenv("ROLLCALL_CONFIG"), "path of the YAML file")
	f.BoolVar(&check, "check", false, "report every fault of the configuration, or its settings, and start nothing")
	f.StringSlice("role", nil, "what to do: graph-receiver, workspace-receiver, worker, control-center or all; may be repeated")
	f.String("http-addr", "", "address to listen on for pushes, the Control Center, health and metrics")
	f.String("nats-addr", "", "loopback address of the embedded NATS server")
	f.String("nats", "", "URL of the NATS server to use instead of an embedded one")
	return cmd
}

// settingFlags are the flags that stand for a setting.
var settingFlags = map[string]string{
	"ROLLCALL_DATA": "data", "ROLLCALL_ROLES": "role", "ROLLCALL_HTTP_ADDR": "http-addr", "ROLLCALL_NATS_LISTEN": "nats-addr",
	"ROLLCALL_NATS_URL": "nats",
}

// getenvWithFlags is the environment with the flags that were given over it.
func (a *app) getenvWithFlags(cmd *cobra.Command) func(string) string {
	return func(name string) string {
		flag := cmd.Flags().Lookup(settingFlags[name])
		if flag == nil || !flag.Changed {
			return a.getenv(name)
		}
		return strings.Trim(flag.Value.String(), "[]") // a list is shown in brackets
	}
}

func (a *app) serve(ctx context.Context, cfg config.Config) error {
	logger, err := telemetry.NewLogger(a.stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	dir, err := datadir.Open(cfg.Data)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	process, err := serve.Open(ctx, cfg, serve.Options{}, serve.Deps{
		Dir: dir, Logger: logger, Clock: clock.System(), Metrics: telemetry.NewRegistry(),
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it had begun
		}
		return err
	}
	return errors.Join(process.Run(ctx, nil), process.Close())
}

// setting is one line of "serve --check".
type setting struct {
	Setting string `json:"setting"`
	Env     string `json:"env"`
	Value   string `json:"value"`
	Default bool   `json:"default"`
}

func (a *app) printSettings(cfg config.Config) error {
	var all []setting
	for _, s := range cfg.Settings() {
		all = append(all, setting{Setting: s.Path, Env: s.Env, Value: s.Value, Default: s.Value == s.Default})
	}
	return output.List(a.printer, []string{"SETTING", "VALUE", "", "ENVIRONMENT"}, all, func(s setting) []string {
		from := ""
		if s.Default {
			from = "default"
		}
		return []string{s.Setting, s.Value, from, s.Env}
	})
}
