package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) tenantsCredentialCommand() *cobra.Command {
	var expires string
	cmd := &cobra.Command{
		Use:   "credential TENANT",
		Short: "Tell when the client secret or key of a tenant ends",
		Long: `Tell when what proves Rollcall to a tenant's directory ends: a client secret, or the key of a key file. Neither shows it, so
that nobody is warned unless it is told. A certificate shows its end, and is not told.

Put another secret or key in the place of the present one first. What was told of the present one ends with this.`,
		Example: `  rollcall tenants credential contoso --expires 2027-11-01
  rollcall tenants credential initech --expires never`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			var at time.Time
			if expires != "never" {
				var err error
				if at, err = parseEnd("--expires", expires, time.Now()); err != nil {
					return err
				}
			}
			return a.withTenants(cmd, func(r *tenant.Registry) error {
				t, err := r.Change(cmd.Context(), args[0], func(t *tenant.Tenant) error {
					t.Credential.Expires = at
					return nil
				})
				if err != nil {
					return err
				}
				return output.One(a.printer, t, describeTenant)
			})
		}),
	}
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends: a day such as 2027-11-01, a time, or never")
	require(cmd, "expires")
	a.natsFlags(cmd)
	return cmd
}

// describeEnd says when the credential ends, as the receiver knows.
func describeEnd(s *answer.Standing) string {
	if s == nil || s.Credential == nil {
		return ""
	}
	var b strings.Builder
	writeLine(&b, "credential ends", s.Credential.Expires.UTC().Format(time.RFC3339))
	return b.String()
}
