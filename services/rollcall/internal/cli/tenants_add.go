package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) tenantsAddCommand() *cobra.Command {
	var n newTenant
	var g given
	cmd := &cobra.Command{
		Use:   "add TENANT",
		Short: "Connect a directory",
		Long: `Connect a directory under a short name of your choice: a-z, 0-9 and hyphen.

The domain of the admin who connects it (--connected-by) is where the provisioning groups are looked for. What proves us
to the directory is named, never given: the file or the environment variable that "rollcall serve" will read it from.

Nothing is asked of the provider by this command: "rollcall serve" begins to read the directory as soon as it is stored.
"rollcall tenants verify" tells what keeps it from that. docs/connect-entra.md and docs/connect-google-workspace.md say what
to prepare.

A directory that was disconnected is connected again under its name; it keeps its products unless others are named.

With --server a receiver connects it, by the application that is in its own configuration: no credential is named, and only
products that are shipped. It looks at the directory first, and the command ends with 1 and tells what is missing; where that
is an admin's consent, it tells the address at which one gives it in a browser.`,
		Example: `  # Entra, with a client secret in a file
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --client-id 1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21 --secret-file /etc/rollcall/contoso.secret

  # Entra, with a certificate
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --client-id 1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21 --credential certificate --certificate-file /etc/rollcall/contoso.pem

  # with several products, each with a provisioning group of its own
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --client-id 1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21 --secret-file /etc/rollcall/contoso.secret \
    --product secure-share --product drive --products-file /etc/rollcall/products.yaml

  # Google Workspace, without any key
  rollcall tenants add initech --provider google-workspace --directory-id C03az79cb --connected-by admin@initech.com \
    --service-account rollcall@vendor.iam.gserviceaccount.com --credentials-file /etc/rollcall/workload-identity.json

  # Google Workspace, with a key file, in the name of another admin than the one who connects it
  rollcall tenants add initech --provider google-workspace --directory-id C03az79cb --connected-by admin@initech.com \
    --subject rollcall-reader@initech.com --credential google-key-file --key-file /etc/rollcall/service-account.json

  # by a receiver, which has the credential
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --server https://rollcall.example.com --token-file token`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			if a.server.named() {
				return a.addOverAPI(cmd, n, g, args[0])
			}
			t, err := n.tenant(args[0], time.Now().UTC())
			if err != nil {
				return err
			}
			if err := g.check(); err != nil {
				return err
			}
			word := "connected"
			err = a.withBus(func(b *bus.Bus) error {
				registry, err := a.tenants(cmd.Context(), b)
				if err != nil {
					return err
				}
				stored, again, err := registry.Connect(cmd.Context(), t, n.namesProducts(), func(ctx context.Context) error {
					return a.orderConnect(ctx, b, g, t.ID)
				})
				if t = stored; again {
					word = "connected again"
				}
				return err
			})
			if err != nil {
				return err
			}
			a.warnAboutFiles(t)
			return output.One(a.printer, t, func(t tenant.Tenant) string {
				return word + "\n\n" + describeTenant(t)
			})
		}),
	}
	n.flags(cmd)
	g.flags(a, cmd)
	require(cmd, "directory-id", "connected-by")
	return overAPI(cmd)
}

// orderConnect tells the worker that a tenant is connected again. It hears of that first, so that the full read which the registry
// sets off finds it waiting.
func (a *app) orderConnect(ctx context.Context, b *bus.Bus, g given, tenantID string) error {
	_, err := a.order(ctx, b, g, tenantID, event.ConnectRequested{By: g.by})
	if refused, ok := errors.AsType[*command.Refused](err); ok && refused.Answer.Code == event.CodeNotDisconnected {
		return nil // an earlier try has come so far
	}
	return err
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
