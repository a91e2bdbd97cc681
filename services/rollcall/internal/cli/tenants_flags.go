package cli

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// newTenant is what the flags of "tenants add" say.
type newTenant struct {
	provider, directoryID, connectedBy      string
	products                                []string
	productsFile                            string
	credential, clientID                    string
	secretFile, secretEnv, certFile, tkFile string // Entra's
	serviceAccount, subject                 string // Google's
	keyFile, credentialsFile                string
	expires                                 string
	api, authority, caFile                  string
}

func (n *newTenant) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&n.provider, "provider", string(directory.Entra), "system that the directory lives in: entra or google-workspace")
	f.StringVar(&n.directoryID, "directory-id", "", "the provider's own id of the directory: Entra's tenant id, Workspace's customer id (C…)")
	f.StringVar(&n.connectedBy, "connected-by", "", "address of the admin who connects it; its domain is the provisioning groups'")
	f.StringSliceVar(&n.products, "product", nil, "product that its users are licensed for, of those that are shipped: "+
		strings.Join(shippedIDs(), ", ")+"; may be repeated (default "+tenant.SecureShare().ID+")")
	f.StringVar(&n.productsFile, "products-file", "", "YAML file that describes other products that its users are licensed for")
	f.StringVar(&n.credential, "credential", "", "what proves us: client-secret (what is meant for Entra), certificate or workload-identity; "+
		"google-impersonation (what is meant for Workspace) or google-key-file")
	f.StringVar(&n.clientID, "client-id", "", "Entra: application (client) id of the app registration; Workspace: the service account's number, for \"tenants verify\" to name")
	f.StringVar(&n.secretFile, "secret-file", "", "Entra: file that holds the client secret")
	f.StringVar(&n.secretEnv, "secret-env", "", "Entra: environment variable that holds the client secret")
	f.StringVar(&n.certFile, "certificate-file", "", "Entra: PEM or PFX file with the certificate and its key")
	f.StringVar(&n.tkFile, "token-file", "", "Entra: file that holds the workload's federated token; with --server, path of a file with the token for that")
	f.StringVar(&n.serviceAccount, "service-account", "", "Workspace: address of the service account that has domain-wide delegation")
	f.StringVar(&n.subject, "subject", "", "Workspace: address of the admin in whose name the directory is read; empty means --connected-by")
	f.StringVar(&n.credentialsFile, "credentials-file", "", "Workspace: workload identity configuration; empty means application default credentials")
	f.StringVar(&n.keyFile, "key-file", "", "Workspace: JSON key of the service account, for google-key-file")
	f.StringVar(&n.expires, "secret-expires", "", "when the client secret or the key of the key file ends, such as 2027-11-01: neither shows it, and "+
		"without it nobody is warned")
	f.StringVar(&n.api, "api", "", "API to use instead of the public cloud's, e.g. https://graph.microsoft.us/v1.0")
	f.StringVar(&n.authority, "authority", "", "authority to use instead of the public cloud's, e.g. https://login.microsoftonline.us")
	f.StringVar(&n.caFile, "ca-file", "", "PEM file of a private CA that signs for --api and --authority")
}

// tenant is the tenant that the flags describe, or every fault that can be seen without asking anybody.
func (n *newTenant) tenant(id string, now time.Time) (tenant.Tenant, error) {
	var f faults
	t := tenant.Tenant{
		ID: id, Provider: directory.Provider(n.provider), DirectoryID: n.directoryID, Domain: directory.Domain(directory.Address(n.connectedBy)), CreatedAt: now,
		Endpoints: tenant.Endpoints{API: n.api, Authority: n.authority, CAFile: absolute(n.caFile)},
	}
	if !isAddress(n.connectedBy) {
		f.add("--connected-by %q: want an address such as admin@contoso.com", n.connectedBy)
		t.Domain = "of.nobody" // told already
	}
	t.Products = n.wanted(&f)
	if (n.api == "") != (n.authority == "") {
		f.add("--api and --authority belong together: name both, or neither")
	}
	switch t.Provider {
	case directory.Entra:
		n.ofEntra(&t, &f)
	case directory.GoogleWorkspace:
		n.ofWorkspace(&t, &f)
	default:
		return tenant.Tenant{}, usage("--provider %q: want %s or %s", n.provider, directory.Entra, directory.GoogleWorkspace)
	}
	if n.expires != "" {
		var err error
		if t.Credential.Expires, err = parseEnd("--secret-expires", n.expires, now); err != nil {
			f.add("%v", err)
		}
	}
	return t, f.with(t)
}

// wanted are the products that the flags name.
func (n *newTenant) wanted(f *faults) []tenant.Product {
	all := append(productsNamed("--product", n.products, f), productsFrom(n.productsFile, f)...)
	if n.namesProducts() {
		return all
	}
	return []tenant.Product{tenant.SecureShare()}
}

// namesProducts reports whether the flags say which products the tenant is to have.
func (n *newTenant) namesProducts() bool { return len(n.products) > 0 || n.productsFile != "" }

var (
	guid     = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func (n *newTenant) ofEntra(t *tenant.Tenant, f *faults) {
	t.DirectoryID = strings.ToLower(n.directoryID)
	t.Credential = tenant.Credential{Kind: n.kind(tenant.ClientSecret), ClientID: n.clientID, Env: n.secretEnv}
	if !tenant.ValidDirectoryID(t.Provider, t.DirectoryID) {
		f.add("--directory-id %q: want an id such as 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11", t.DirectoryID)
	}
	if !guid.MatchString(n.clientID) {
		f.add("--client-id %q: want an id such as 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11", n.clientID)
	}
	if n.secretEnv != "" && !variable.MatchString(n.secretEnv) { // what was given may be the secret: it is not repeated
		f.add("--secret-env: want the name of an environment variable, such as CONTOSO_SECRET")
	}
	f.refuse(t.Provider, [][2]string{
		{"--service-account", n.serviceAccount}, {"--subject", n.subject}, {"--key-file", n.keyFile}, {"--credentials-file", n.credentialsFile},
	})
	t.Credential.File = f.file(t.Credential.Kind, map[tenant.CredentialKind]string{
		tenant.ClientSecret: n.secretFile, tenant.Certificate: n.certFile, tenant.WorkloadIdentity: n.tkFile,
	})
}

func (n *newTenant) ofWorkspace(t *tenant.Tenant, f *faults) {
	t.Credential = tenant.Credential{
		Kind: n.kind(tenant.GoogleImpersonation), ClientID: n.clientID,
		ServiceAccount: directory.Address(n.serviceAccount), Subject: directory.Address(n.subject),
	}
	if n.subject == "" {
		t.Credential.Subject = directory.Address(n.connectedBy)
	}
	if !tenant.ValidDirectoryID(t.Provider, n.directoryID) {
		f.add("--directory-id %q: want a customer id such as C03az79cb (Admin console > Account > Account settings > Profile)", n.directoryID)
	}
	f.refuse(t.Provider, [][2]string{
		{"--secret-file", n.secretFile}, {"--secret-env", n.secretEnv}, {"--certificate-file", n.certFile}, {"--token-file", n.tkFile},
	})
	t.Credential.File = f.file(t.Credential.Kind, map[tenant.CredentialKind]string{
		tenant.GoogleImpersonation: n.credentialsFile, tenant.GoogleKeyFile: n.keyFile,
	})
}

func (n *newTenant) kind(meant tenant.CredentialKind) tenant.CredentialKind {
	return tenant.CredentialKind(defaultTo(n.credential, string(meant)))
}

func isAddress(s string) bool {
	admin, err := mail.ParseAddress(s)
	return err == nil && admin.Address == s && strings.Contains(directory.Domain(directory.Address(s)), ".")
}

// faults are what is wrong with a command line, told together.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// refuse files flags that are the other provider's. What was given with them is not repeated: it may be a secret.
func (f *faults) refuse(p directory.Provider, given [][2]string) {
	for _, flag := range given {
		if flag[1] != "" {
			f.add("%s has no meaning for --provider %s", flag[0], p)
		}
	}
}

// file is the path for the kind of credential that was chosen.
func (f *faults) file(kind tenant.CredentialKind, files map[tenant.CredentialKind]string) string {
	for of, file := range files {
		if of != kind && file != "" {
			f.add("a file for the credential %s is given, but --credential is %s", of, kind)
		}
	}
	return absolute(files[kind])
}

// with is the error of all faults, those of the tenant as the registry would see it included.
func (f *faults) with(t tenant.Tenant) error {
	if err := t.Validate(); err != nil {
		*f = append(*f, strings.Split(err.Error(), "\n")...)
	}
	if len(*f) == 0 {
		return nil
	}
	return usage("%s", strings.Join(*f, "; "))
}
