package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) tenantsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "tenants",
		Short: "Connect directories, and see which are connected",
	}, a.tenantsAddCommand(), a.tenantsListCommand(), a.tenantsShowCommand(), a.tenantsVerifyCommand(), a.tenantsProductsCommand(),
		a.tenantsSettingsCommand(), a.tenantsCredentialCommand(), a.tenantsPauseCommand(), a.tenantsResumeCommand(), a.tenantsDisconnectCommand(), a.tenantsEraseCommand())
}

func (a *app) tenantsListCommand() *cobra.Command {
	var from string
	cmd := overAPI(list(&cobra.Command{
		Use:     "list",
		Short:   "List the connected directories, and where they stand",
		Example: "  rollcall tenants list\n  rollcall tenants list -o jsonl | jq -r .id",
		Args:    cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			return a.withDirectories(from, func(d directories) error {
				shown, err := d.List(cmd.Context())
				if err != nil {
					return err
				}
				headings := []string{"TENANT", "PROVIDER", "DOMAIN", "PRODUCTS", "CONNECTED", "STANDING"}
				return output.List(a.printer, headings, shown, func(t shownTenant) []string {
					return []string{t.ID, string(t.Provider), t.Domain, products(t.Tenant), t.CreatedAt.Format(time.RFC3339), standingWords(t.Standing)}
				})
			})
		}),
	}))
	ledgerFlag(cmd, &from)
	a.natsFlags(cmd)
	return cmd
}

func (a *app) tenantsShowCommand() *cobra.Command {
	var from string
	cmd := overAPI(&cobra.Command{
		Use:     "show TENANT",
		Short:   "Show how a directory is connected, which groups decide, and where it stands",
		Example: "  rollcall tenants show contoso",
		Args:    cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			return a.withDirectories(from, func(d directories) error {
				shown, err := d.Show(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return output.One(a.printer, shown, func(s shownTenant) string {
					text := describeTenant(s.Tenant) + describeEnd(s.Standing) + s.Known.describe(time.Now()) + describeLists(s.Lists, s.Others, time.Now())
					if notices := standingNotices(s.Standing, s.ID); notices != "" {
						text = notices + "\n" + text
					}
					return text
				})
			})
		}),
	})
	ledgerFlag(cmd, &from)
	a.natsFlags(cmd)
	return cmd
}

func describeTenant(t tenant.Tenant) string {
	var b strings.Builder
	line := func(name, value string) { writeLine(&b, name, value) }
	line("tenant", t.ID)
	line("provider", string(t.Provider))
	line("directory id", t.DirectoryID)
	line("connecting domain", t.Domain)
	line("connected", t.CreatedAt.Format(time.RFC3339))
	if t.Disconnected {
		line("DISCONNECTED", "its directory is not followed")
	}
	for _, p := range t.Products {
		line("product", p.ID+" ("+p.Name+")")
		line("  group", t.GroupAddress(p))
		line("  if licensed", strings.Join(p.Licensed, ", "))
		line("  if active", strings.Join(p.Active, ", "))
	}
	describeCredential(line, t)
	line("API", t.Endpoints.API)
	line("authority", t.Endpoints.Authority)
	line("CA file", t.Endpoints.CAFile)
	return b.String()
}

// writeLine writes a name and what it is, where it is anything.
func writeLine(b *strings.Builder, name, value string) {
	if value != "" {
		_, _ = fmt.Fprintf(b, "%-20s %s\n", name, value)
	}
}

func describeCredential(line func(name, value string), t tenant.Tenant) {
	c := t.Credential
	switch {
	case c == tenant.Credential{}: // a server tells none
		return
	case t.Provider == directory.GoogleWorkspace:
		line("credential", string(c.Kind))
		line("  service account", c.ServiceAccount)
		line("  client id", c.ClientID)
		line("  in the name of", c.Subject)
	default:
		line("credential", string(c.Kind)+" of application "+c.ClientID)
	}
	line("  in file", c.File)
	line("  in environment", c.Env)
	if !c.Expires.IsZero() {
		line("  ends, as told", c.Expires.UTC().Format(time.RFC3339))
	}
	if c.Kind == tenant.GoogleImpersonation && c.File == "" {
		line("  in file", "none: application default credentials")
	}
}

func products(t tenant.Tenant) string {
	ids := make([]string, len(t.Products))
	for i, p := range t.Products {
		ids[i] = p.ID
	}
	return strings.Join(ids, ",")
}
