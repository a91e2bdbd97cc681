package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) freezeCommand() *cobra.Command {
	return a.frostCommand(true, &cobra.Command{
		Use:   "freeze",
		Short: "Let nothing be revoked, in one tenant or in all",
		Long: `Let nothing be revoked, in one tenant or, without --tenant, in all that are registered (with --server, in all that the token
may see): for when something is wrong and
nobody knows yet what. Grants go on. What would have been revoked is parked on a list for each product, and decided anew when
the tenant is unfrozen. It stays so until then, also over a restart.`,
		Example: "  rollcall freeze --tenant contoso\n  rollcall freeze --by ada",
	})
}

func (a *app) unfreezeCommand() *cobra.Command {
	return a.frostCommand(false, &cobra.Command{
		Use:   "unfreeze",
		Short: "Let revocations take effect again, in one tenant or in all",
		Long: `Let revocations take effect again, in one tenant or, without --tenant, in all that are registered (with --server, in all that
the token may see). Everybody whose license was parked is decided anew; where that comes to many revocations, they are held as
any others would be.`,
		Example: "  rollcall unfreeze --tenant contoso\n  rollcall unfreeze --by ada",
	})
}

// settled is what has become of a command to one tenant of several.
type settled struct {
	Tenant string `json:"tenant"`
	Done   bool   `json:"done"`
	Error  string `json:"error,omitempty"`
}

func (a *app) frostCommand(frozen bool, cmd *cobra.Command) *cobra.Command {
	var only string
	var g given
	cmd.Args = cobra.NoArgs
	cmd.RunE = run(codeFailed, func(cmd *cobra.Command, _ []string) error {
		if err := g.check(); err != nil {
			return err
		}
		return a.ordering(func(o orders) error {
			names, err := o.TenantNames(cmd.Context(), only)
			if err != nil {
				return err
			}
			return a.tellSettled(o.OrderAll(cmd.Context(), g, names, event.SettingsRequested{Frozen: &frozen, By: g.by}), cmd.Name())
		})
	})
	cmd.Flags().StringVar(&only, "tenant", "", "only this tenant")
	g.flags(a, cmd)
	return overAPI(list(cmd))
}

func (o onBus) TenantNames(ctx context.Context, only string) (names []string, err error) {
	registry, err := o.app.tenants(ctx, o.bus)
	if err != nil {
		return nil, err
	}
	if only != "" {
		t, err := registry.Get(ctx, only)
		return []string{t.ID}, err
	}
	all, err := registry.List(ctx)
	for _, t := range all {
		names = append(names, t.ID)
	}
	return names, err
}

// OrderAll gives the command to all of them before it waits for any.
func (o onBus) OrderAll(ctx context.Context, g given, tenants []string, data any) []settled {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	client := command.New(o.bus, clock.System())
	all, sent := make([]settled, len(tenants)), make([]command.Sent, len(tenants))
	for i, name := range tenants {
		all[i].Tenant = name
		var err error
		if sent[i], err = client.Send(ctx, name, g.key, data); err != nil {
			all[i].Error = err.Error()
		}
	}
	for i := range tenants {
		if all[i].Error != "" {
			continue
		}
		if _, err := client.Wait(ctx, sent[i]); err != nil {
			all[i].Error = waited(err, g.timeout).Error()
			continue
		}
		all[i].Done = true
	}
	return all
}

func (a *app) tellSettled(all []settled, what string) error {
	failed := 0
	for _, s := range all {
		if !s.Done {
			failed++
		}
	}
	err := output.List(a.printer, []string{"TENANT", "DONE", "ERROR"}, all, func(s settled) []string {
		return []string{s.Tenant, yesNo(s.Done), s.Error}
	})
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return errors.New("no tenant is registered")
	case failed > 0:
		return fmt.Errorf("%s: %d of %d tenants did not obey", what, failed, len(all))
	}
	return nil
}
