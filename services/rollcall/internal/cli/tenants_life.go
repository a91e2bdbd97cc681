package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// lived is what has become of a command about a tenant's life.
type lived struct {
	Tenant  string `json:"tenant"`
	Command string `json:"command"` // event id
	Now     string `json:"now"`     // where the tenant stands
}

func describeLived(l lived) string { return l.Tenant + " " + l.Now + "\n" }

func (a *app) tenantsPauseCommand() *cobra.Command {
	return a.pauseCommand(true, "is paused: its directory is followed, and nothing is decided before \"rollcall tenants resume\"", &cobra.Command{
		Use:   "pause TENANT",
		Short: "Decide nothing for a tenant, until it is resumed",
		Long: `Decide nothing for a tenant, until it is resumed. Its directory is followed meanwhile: nothing is missed, and with the
resumption everybody is decided anew.`,
		Example: "  rollcall tenants pause contoso\n  rollcall tenants pause contoso --by ada",
	})
}

func (a *app) tenantsResumeCommand() *cobra.Command {
	return a.pauseCommand(false, "is resumed: everybody is decided anew", &cobra.Command{
		Use:   "resume TENANT",
		Short: "Decide for a paused tenant again",
		Long: `Decide for a paused tenant again. Everybody is decided anew; where that comes to many revocations, they are held as any
others would be.`,
		Example: "  rollcall tenants resume contoso\n  rollcall tenants resume contoso --by ada",
	})
}

func (a *app) pauseCommand(paused bool, now string, cmd *cobra.Command) *cobra.Command {
	var g given
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = run(codeFailed, func(cmd *cobra.Command, args []string) error {
		return a.settle(cmd.Context(), g, args[0], now, event.SettingsRequested{Paused: &paused, By: g.by})
	})
	g.flags(a, cmd)
	return overAPI(cmd)
}

// settle gives a command of which the ledger knows everything.
func (a *app) settle(ctx context.Context, g given, id, now string, data event.SettingsRequested) error {
	if err := g.check(); err != nil {
		return err
	}
	return a.ordering(func(o orders) error {
		answer, err := o.Order(ctx, g, id, data)
		if err != nil {
			return err
		}
		return output.One(a.printer, lived{Tenant: id, Command: answer.Command, Now: now}, describeLived)
	})
}

// live gives a command about a tenant's life: do returns its id.
func (a *app) live(ctx context.Context, g given, id, now string, do func(orders) (string, error)) error {
	if err := g.check(); err != nil {
		return err
	}
	return a.ordering(func(o orders) error {
		command, err := do(o)
		if err != nil {
			return err
		}
		return output.One(a.printer, lived{Tenant: id, Command: command, Now: now}, describeLived)
	})
}

func (a *app) tenantsDisconnectCommand() *cobra.Command {
	var g given
	var licenses string
	cmd := &cobra.Command{
		Use:   "disconnect TENANT",
		Short: "Follow a directory no longer, and keep its licenses or revoke them",
		Long: `Follow a directory no longer. Its licenses are kept as they stand, or all revoked: say which. What is held is withdrawn.
Nothing is forgotten: "rollcall tenants add" with the same directory connects it again, "rollcall tenants erase" forgets it.`,
		Example: `  rollcall tenants disconnect contoso --licenses keep
  rollcall tenants disconnect contoso --licenses revoke --by ada`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			now := map[string]string{
				event.LicensesKeep:   "is disconnected: its licenses stand as they were",
				event.LicensesRevoke: "is disconnected: its licenses are being revoked",
			}[licenses]
			if now == "" {
				return usage("--licenses %q: want keep or revoke", licenses)
			}
			return a.live(cmd.Context(), g, args[0], now, func(o orders) (string, error) {
				return o.Disconnect(cmd.Context(), g, args[0], event.DisconnectRequested{Licenses: licenses, By: g.by})
			})
		}),
	}
	cmd.Flags().StringVar(&licenses, "licenses", "", "what becomes of its licenses: keep or revoke")
	g.flags(a, cmd)
	require(cmd, "licenses")
	return overAPI(cmd)
}

func (a *app) tenantsEraseCommand() *cobra.Command {
	var g given
	var confirm string
	cmd := &cobra.Command{
		Use:   "erase TENANT",
		Short: "Forget a disconnected directory, with everything that is known of its people",
		Long: `Forget a disconnected directory, with everything that is known of its people: the mirror with their names and addresses,
their licenses and the history of these, what was observed, and how it was connected. It cannot be taken back. The stream
LICENSES and the bucket "entitlements", which hold ids alone, stay as they are. The ledger forgets in small steps, so that other
tenants do not wait: a million users take some minutes. Called again after it broke off, it goes on.

Only a tenant none of whose users holds a license can be erased: disconnect it with --licenses revoke before. To confirm it,
type its name, here or with --confirm.`,
		Example: `  rollcall tenants erase contoso
  rollcall tenants erase contoso --confirm contoso --by ada`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			if confirm == "" && a.asks() {
				confirm = a.ask("This forgets everything about " + args[0] + ". Type its name to go on:")
			}
			if confirm != args[0] {
				return usage("--confirm %q: want the name of the tenant, %s, exactly", confirm, args[0])
			}
			return a.live(cmd.Context(), g, args[0], "is erased", func(o orders) (string, error) {
				return o.Erase(cmd.Context(), g, args[0], event.EraseRequested{By: g.by})
			})
		}),
	}
	cmd.Flags().StringVar(&confirm, "confirm", "", "name of the tenant, to confirm it")
	g.flagsWithin(a, cmd, time.Hour)
	return overAPI(cmd)
}
