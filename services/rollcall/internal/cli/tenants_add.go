package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) tenantsAddCommand() *cobra.Command {
	var n newTenant
	cmd := &cobra.Command{
		Use:   "add TENANT",
		Short: "Connect a directory",
		Long: `Connect a directory under a short name of your choice: a-z, 0-9 and hyphen.

The domain of the admin who connects it (--connected-by) is where the provisioning groups are looked for. What proves us
to the directory is named, never given: the file or the environment variable that "rollcall serve" will read it from.

Nothing is asked of the provider by this command: "rollcall serve" begins to read the directory as soon as it is stored.
"rollcall tenants verify" tells what keeps it from that. docs/connect-entra.md and docs/connect-google-workspace.md say what
to prepare.`,
		Example: `  # Entra, with a client secret in a file
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --client-id 1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21 --secret-file /etc/rollcall/contoso.secret

  # Entra, with a certificate
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --client-id 1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21 --credential certificate --certificate-file /etc/rollcall/contoso.pem

  # Google Workspace, without any key
  rollcall tenants add initech --provider google-workspace --directory-id C03az79cb --connected-by admin@initech.com \
    --service-account rollcall@vendor.iam.gserviceaccount.com --credentials-file /etc/rollcall/workload-identity.json

  # Google Workspace, with a key file, in the name of another admin than the one who connects it
  rollcall tenants add initech --provider google-workspace --directory-id C03az79cb --connected-by admin@initech.com \
    --subject rollcall-reader@initech.com --credential google-key-file --key-file /etc/rollcall/service-account.json`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			t, err := n.tenant(args[0], time.Now().UTC())
			if err != nil {
				return err
			}
			if err := a.withTenants(cmd, func(r *tenant.Registry) error { return r.Add(cmd.Context(), t) }); err != nil {
				return err
			}
			a.warnAboutFiles(t)
			return output.One(a.printer, t, func(t tenant.Tenant) string {
				return "connected\n\n" + describeTenant(t)
			})
		}),
	}
	n.flags(cmd)
	a.natsFlags(cmd)
	require(cmd, "directory-id", "connected-by")
	return cmd
}

// warnAboutFiles tells of files that cannot be read here: "serve" may well run elsewhere.
func (a *app) warnAboutFiles(t tenant.Tenant) {
	for _, path := range []string{t.Credential.File, t.Endpoints.CAFile} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			_, _ = fmt.Fprintf(a.stderr, "note: %s is not there on this machine; \"rollcall serve\" must find it on its own\n", path)
		}
	}
}

// absolute is the path as another process can use it. It keeps an empty one.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return full
}
