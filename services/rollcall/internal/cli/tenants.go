package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) tenantsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "tenants",
		Short: "Connect directories, and see which are connected",
	}, a.tenantsAddCommand(), a.tenantsListCommand(), a.tenantsShowCommand())
}

func (a *app) tenantsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the connected directories",
		Example: "  rollcall tenants list\n  rollcall tenants list -o jsonl | jq -r .id",
		Args:    cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			return a.withTenants(cmd, func(r *tenant.Registry) error {
				all, err := r.List(cmd.Context())
				if err != nil {
					return err
				}
				headings := []string{"TENANT", "PROVIDER", "DOMAIN", "PRODUCTS", "CONNECTED"}
				return output.List(a.printer, headings, all, func(t tenant.Tenant) []string {
					return []string{t.ID, string(t.Provider), t.Domain, products(t), t.CreatedAt.Format(time.RFC3339)}
				})
			})
		}),
	}
	a.natsFlags(cmd)
	return cmd
}

func (a *app) tenantsShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show TENANT",
		Short:   "Show how a directory is connected, and which groups decide",
		Example: "  rollcall tenants show contoso",
		Args:    cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			return a.withTenants(cmd, func(r *tenant.Registry) error {
				t, err := r.Get(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return output.One(a.printer, t, describeTenant)
			})
		}),
	}
	a.natsFlags(cmd)
	return cmd
}

func describeTenant(t tenant.Tenant) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(&b, "%-20s %s\n", name, value)
		}
	}
	line("tenant", t.ID)
	line("provider", string(t.Provider))
	line("directory id", t.DirectoryID)
	line("connecting domain", t.Domain)
	line("connected", t.CreatedAt.Format(time.RFC3339))
	for _, p := range t.Products {
		line("product", p.ID+" ("+p.Name+")")
		line("  group", t.GroupAddress(p))
		line("  if licensed", strings.Join(p.Licensed, ", "))
		line("  if active", strings.Join(p.Active, ", "))
	}
	line("credential", string(t.Credential.Kind)+" of application "+t.Credential.ClientID)
	line("  in file", t.Credential.File)
	line("  in environment", t.Credential.Env)
	line("API", t.Endpoints.API)
	line("authority", t.Endpoints.Authority)
	line("CA file", t.Endpoints.CAFile)
	return b.String()
}

func products(t tenant.Tenant) string {
	ids := make([]string, len(t.Products))
	for i, p := range t.Products {
		ids[i] = p.ID
	}
	return strings.Join(ids, ",")
}
