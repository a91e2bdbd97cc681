package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// simulated is the simulated directory that a command changes.
type simulated struct {
	app                 *app
	url, caFile, tenant string
	provider            directory.Provider // of the tenant
	group, kind         string
	via                 control.Via
}

func (a *app) simulateCommand() *cobra.Command {
	s := &simulated{app: a}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Change the simulated directories of a demo, Entra ID or Google Workspace",
		Long: `Change the simulated directories of a demo, as an admin would in the provider's console, and watch what comes of it with
"rollcall events --follow". Users and groups are named by address or by id. An address says by its domain which directory
is meant: contoso.com is in Microsoft Entra ID, initech.com in Google Workspace; otherwise --tenant does.`,
		Example: `  rollcall simulate remove-member ada@contoso.com
  rollcall simulate suspend ada@initech.com
  rollcall simulate remove-group --tenant initech
  rollcall simulate push off`,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&s.url, "simulator", "", "URL of the simulator, instead of the one of the data folder's demo")
	f.StringVar(&s.caFile, "simulator-ca", "", "PEM file of the CA that signed the simulator's certificate")
	f.StringVar(&s.tenant, "tenant", "", "simulated tenant, where no address says it; the demo's first where nothing does")
	f.StringVar((*string)(&s.via), "via", "", "Workspace: how the change is made, on which it depends what Google's logs tell: "+vias())
	for _, act := range userActs {
		cmd.AddCommand(s.command(act))
	}
	for _, act := range groupActs {
		c := s.command(act)
		if c.Name() == "add-group" {
			c.Flags().StringVar(&s.kind, "kind", "", "Entra ID: microsoft-365 (the default), which holds no groups, security, mail-enabled-security or distribution")
		}
		cmd.AddCommand(c)
	}
	for _, act := range memberActs {
		c := s.command(act)
		c.Flags().StringVar(&s.group, "group", "", "group, instead of the provisioning group")
		cmd.AddCommand(c)
	}
	return group(cmd, s.generateCommand(), s.pushCommand(), s.lagCommand(), s.faultsCommand())
}

// act is one change that a person can make.
type act struct {
	use, short, example string
	only                directory.Provider // that has such a thing; "" for all
	args                cobra.PositionalArgs
	do                  func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error)
}

// changed is what a change did, as it is printed.
type changed struct {
	Act     string    `json:"act"`
	Tenant  string    `json:"tenant,omitempty"`
	ID      string    `json:"id,omitempty"`
	Count   int       `json:"count"`
	Version uint64    `json:"version"`
	At      time.Time `json:"at"`
}

func (s *simulated) command(a act) *cobra.Command {
	return &cobra.Command{
		Use: a.use, Short: a.short, Example: "  rollcall simulate " + a.example, Args: a.args,
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			client, err := s.client(cmd.Context(), args...)
			if err != nil {
				return err
			}
			if err := s.possible(a); err != nil {
				return fmt.Errorf("%s: %w", cmd.Name(), err)
			}
			change, err := a.do(cmd.Context(), s, client.Via(s.via), args)
			if err != nil {
				return err
			}
			return s.print(cmd.Name(), s.tenant, change)
		}),
	}
}

// possible refuses what the tenant's provider does not have.
func (s *simulated) possible(a act) error {
	switch {
	case a.only != "" && s.provider != a.only:
		return fmt.Errorf("only %s has that, and %s is of %s", a.only, s.tenant, s.provider)
	case s.via != control.ViaConsole && s.provider != directory.GoogleWorkspace:
		return fmt.Errorf("--via is for %s, and %s is of %s", directory.GoogleWorkspace, s.tenant, s.provider)
	case !slices.Contains(ways, s.via):
		return usage("--via %q: want %s", s.via, vias())
	}
	return nil
}

func (s *simulated) print(act, tenant string, c control.Change) error {
	result := changed{Act: act, Tenant: tenant, ID: c.ID, Count: c.Count, Version: c.Version, At: c.At}
	return output.One(s.app.printer, result, func(r changed) string {
		what := r.Act
		if r.Tenant != "" {
			what += " in " + r.Tenant
		}
		if r.Count == 0 {
			return what + ": nothing to change, it was so already\n"
		}
		return fmt.Sprintf("%s: done at %s\n", what, r.At.Local().Format("15:04:05.000"))
	})
}

// client opens the control API of the simulator that the flags or the data folder name, and finds out which of its
// tenants is meant by a command with these arguments.
func (s *simulated) client(ctx context.Context, args ...string) (*control.Client, error) {
	first, err := s.locate()
	if err != nil {
		return nil, err
	}
	client, err := control.NewWithCA(s.url, s.caFile)
	if err != nil {
		return nil, err
	}
	all, err := client.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	t, err := meant(all, s.tenant, args, first)
	if err != nil {
		return nil, err
	}
	s.tenant, s.provider = t.ID, cmp.Or(t.Provider, directory.Entra)
	if s.group == "" {
		s.group = tenant.Tenant{Domain: t.Domains[0]}.GroupAddress(tenant.SecureShare())
	}
	return client, nil
}

// locate says where the simulator is, and returns the tenant that is meant where nothing says otherwise.
func (s *simulated) locate() (first string, err error) {
	if s.url == "" {
		found, err := datadir.Find(s.app.data)
		if errors.Is(err, datadir.ErrNotRunning) || err == nil && found.Simulator == nil {
			return "", errors.New("no demo runs with the data folder " + s.app.data + ": start \"rollcall demo\", or name --data or --simulator")
		}
		if err != nil {
			return "", err
		}
		s.url, s.caFile, first = found.Simulator.URL, defaultTo(s.caFile, found.Simulator.CAFile), found.Simulator.Tenant
	}
	if s.caFile == "" || first == "" && s.tenant == "" {
		return "", usage("with --simulator, name --simulator-ca and --tenant too")
	}
	return first, nil
}

// meant finds the simulated tenant that was named, or else has the domain of the first address among the arguments, or
// else is the first.
func meant(all []control.Tenant, named string, args []string, first string) (control.Tenant, error) {
	is := func(t control.Tenant) bool { return t.ID == defaultTo(named, first) && len(t.Domains) > 0 }
	for _, arg := range args {
		has := func(t control.Tenant) bool {
			return slices.Contains(t.Domains, directory.Domain(directory.Address(arg)))
		}
		if named == "" && slices.ContainsFunc(all, has) {
			is = has
			break
		}
	}
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return control.Tenant{}, fmt.Errorf("the simulator has no tenant %q", defaultTo(named, first))
	}
	return all[i], nil
}
