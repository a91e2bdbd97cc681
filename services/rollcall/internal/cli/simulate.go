package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// simulated is the simulated directory that a command changes.
type simulated struct {
	app                 *app
	url, caFile, tenant string
	group               string
}

func (a *app) simulateCommand() *cobra.Command {
	s := &simulated{app: a}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Change the simulated directory of a demo",
		Long: `Change the simulated directory of a demo, as an admin would in the provider's console, and watch what comes of it with
"rollcall events --follow". Users and groups are named by address or by id.`,
		Example: `  rollcall simulate remove-member ada@contoso.com
  rollcall simulate suspend ada@contoso.com
  rollcall simulate push off`,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&s.url, "simulator", "", "URL of the simulator, instead of the one of the data folder's demo")
	f.StringVar(&s.caFile, "simulator-ca", "", "PEM file of the CA that signed the simulator's certificate")
	f.StringVar(&s.tenant, "tenant", "", "simulated tenant, instead of the demo's")
	for _, act := range userActs {
		cmd.AddCommand(s.command(act))
	}
	for _, act := range groupActs {
		cmd.AddCommand(s.command(act))
	}
	for _, act := range memberActs {
		c := s.command(act)
		c.Flags().StringVar(&s.group, "group", "", "group, instead of the provisioning group")
		cmd.AddCommand(c)
	}
	return group(cmd, s.generateCommand(), s.pushCommand())
}

// act is one change that a person can make.
type act struct {
	use, short, example string
	args                cobra.PositionalArgs
	do                  func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error)
}

// changed is what a change did, as it is printed.
type changed struct {
	Act     string    `json:"act"`
	ID      string    `json:"id,omitempty"`
	Count   int       `json:"count"`
	Version uint64    `json:"version"`
	At      time.Time `json:"at"`
}

func (s *simulated) command(a act) *cobra.Command {
	return &cobra.Command{
		Use: a.use, Short: a.short, Example: "  rollcall simulate " + a.example, Args: a.args,
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			client, err := s.client(cmd.Context())
			if err != nil {
				return err
			}
			change, err := a.do(cmd.Context(), s, client, args)
			if err != nil {
				return err
			}
			return s.print(cmd.Name(), change)
		}),
	}
}

func (s *simulated) print(act string, c control.Change) error {
	result := changed{Act: act, ID: c.ID, Count: c.Count, Version: c.Version, At: c.At}
	return output.One(s.app.printer, result, func(r changed) string {
		if r.Count == 0 {
			return r.Act + ": nothing to change, it was so already\n"
		}
		return fmt.Sprintf("%s: done at %s\n", r.Act, r.At.Local().Format("15:04:05.000"))
	})
}

// client opens the control API of the simulator that the flags or the data folder name.
func (s *simulated) client(ctx context.Context) (*control.Client, error) {
	if s.url == "" {
		found, err := datadir.Find(s.app.data)
		if errors.Is(err, datadir.ErrNotRunning) || err == nil && found.Simulator == nil {
			return nil, errors.New("no demo runs with the data folder " + s.app.data + ": start \"rollcall demo\", or name --data or --simulator")
		}
		if err != nil {
			return nil, err
		}
		s.url, s.caFile = found.Simulator.URL, defaultTo(s.caFile, found.Simulator.CAFile)
		s.tenant = defaultTo(s.tenant, found.Simulator.Tenant)
	}
	if s.caFile == "" || s.tenant == "" {
		return nil, usage("with --simulator, name --simulator-ca and --tenant too")
	}
	client, err := control.NewWithCA(s.url, s.caFile)
	if err != nil {
		return nil, err
	}
	if s.group == "" {
		s.group, err = s.provisioningGroup(ctx, client)
	}
	return client, err
}

// provisioningGroup is the address that makes a group count in the simulated tenant.
func (s *simulated) provisioningGroup(ctx context.Context, c *control.Client) (string, error) {
	all, err := c.Tenants(ctx)
	if err != nil {
		return "", err
	}
	for _, t := range all {
		if t.ID == s.tenant && len(t.Domains) > 0 {
			return tenant.Tenant{Domain: t.Domains[0]}.GroupAddress(tenant.SecureShare()), nil
		}
	}
	return "", fmt.Errorf("the simulator has no tenant %q", s.tenant)
}
