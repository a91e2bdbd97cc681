package cli

import (
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// newTenant is what the flags of "tenants add" say.
type newTenant struct {
	provider, directoryID, connectedBy      string
	products                                []string
	credential, clientID                    string
	secretFile, secretEnv, certFile, tkFile string
	api, authority, caFile                  string
}

func (a *app) tenantsAddCommand() *cobra.Command {
	var n newTenant
	cmd := &cobra.Command{
		Use:   "add TENANT",
		Short: "Connect a directory",
		Long: `Connect a directory under a short name of your choice: a-z, 0-9 and hyphen.

The domain of the admin who connects it (--connected-by) is where the provisioning groups are looked for. What proves us
to the directory is named, never given: the file or the environment variable that "rollcall serve" will read it from.

Nothing is asked of the provider by this command: "rollcall serve" begins to read the directory as soon as it is stored.`,
		Example: `  # Entra, with a client secret in a file
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --client-id 1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21 --secret-file /etc/rollcall/contoso.secret

  # Entra, with a certificate
  rollcall tenants add contoso --directory-id 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11 --connected-by admin@contoso.com \
    --client-id 1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21 --credential certificate --certificate-file /etc/rollcall/contoso.pem`,
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
	require(cmd, "directory-id", "connected-by", "client-id")
	return cmd
}

func (n *newTenant) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&n.provider, "provider", string(directory.Entra), "system that the directory lives in: entra")
	f.StringVar(&n.directoryID, "directory-id", "", "the provider's own id of the directory: Entra's tenant id")
	f.StringVar(&n.connectedBy, "connected-by", "", "address of the admin who connects it; its domain is the provisioning groups'")
	f.StringSliceVar(&n.products, "product", []string{tenant.SecureShare().ID}, "product that its users are licensed for; may be repeated")
	f.StringVar(&n.credential, "credential", string(tenant.ClientSecret), "what proves us: client-secret, certificate or workload-identity")
	f.StringVar(&n.clientID, "client-id", "", "application (client) id of the app registration")
	f.StringVar(&n.secretFile, "secret-file", "", "file that holds the client secret")
	f.StringVar(&n.secretEnv, "secret-env", "", "environment variable that holds the client secret")
	f.StringVar(&n.certFile, "certificate-file", "", "PEM or PFX file with the certificate and its key")
	f.StringVar(&n.tkFile, "token-file", "", "file that holds the workload's federated token")
	f.StringVar(&n.api, "api", "", "API to use instead of the public cloud's, e.g. https://graph.microsoft.us/v1.0")
	f.StringVar(&n.authority, "authority", "", "authority to use instead of the public cloud's, e.g. https://login.microsoftonline.us")
	f.StringVar(&n.caFile, "ca-file", "", "PEM file of a private CA that signs for --api and --authority")
}

// tenant is the tenant that the flags describe. Faults of the whole are the registry's to find.
func (n *newTenant) tenant(id string, now time.Time) (tenant.Tenant, error) {
	domain := directory.Domain(directory.Address(n.connectedBy))
	if admin, err := mail.ParseAddress(n.connectedBy); err != nil || admin.Address != n.connectedBy || !strings.Contains(domain, ".") {
		return tenant.Tenant{}, usage("--connected-by %q: want an address such as admin@contoso.com", n.connectedBy)
	}
	if n.provider != string(directory.Entra) {
		return tenant.Tenant{}, usage("--provider %q: the only provider so far is %s", n.provider, directory.Entra)
	}
	if n.secretEnv != "" && !variable.MatchString(n.secretEnv) { // what was given may be the secret: it is not repeated
		return tenant.Tenant{}, usage("--secret-env: want the name of an environment variable, such as CONTOSO_SECRET")
	}
	t := tenant.Tenant{
		ID: id, Provider: directory.Entra, DirectoryID: strings.ToLower(n.directoryID), Domain: domain, CreatedAt: now,
		Credential: tenant.Credential{Kind: tenant.CredentialKind(n.credential), ClientID: n.clientID, Env: n.secretEnv},
		Endpoints:  tenant.Endpoints{API: n.api, Authority: n.authority, CAFile: absolute(n.caFile)},
	}
	for _, id := range n.products {
		if id != tenant.SecureShare().ID {
			return tenant.Tenant{}, usage("--product %q: the only product so far is %s", id, tenant.SecureShare().ID)
		}
		t.Products = append(t.Products, tenant.SecureShare())
	}
	files := map[tenant.CredentialKind]string{
		tenant.ClientSecret: n.secretFile, tenant.Certificate: n.certFile, tenant.WorkloadIdentity: n.tkFile,
	}
	for kind, file := range files {
		if kind != t.Credential.Kind && file != "" {
			return tenant.Tenant{}, usage("a file for the credential %s is given, but --credential is %s", kind, t.Credential.Kind)
		}
	}
	t.Credential.File = absolute(files[t.Credential.Kind])
	if err := t.Validate(); err != nil {
		return tenant.Tenant{}, usage("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	for flag, id := range map[string]string{"directory-id": t.DirectoryID, "client-id": t.Credential.ClientID} {
		if !guid.MatchString(id) {
			return tenant.Tenant{}, usage("--%s %q: want an id such as 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11", flag, id)
		}
	}
	if (n.api == "") != (n.authority == "") {
		return tenant.Tenant{}, usage("--api and --authority belong together: name both, or neither")
	}
	return t, nil
}

var (
	guid     = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

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
