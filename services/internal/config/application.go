package config

import (
	"path/filepath"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Entra is the application by which a graph-receiver connects new tenants, when the Control Center asks it to.
type Entra struct {
	ClientID       string `yaml:"client_id" env:"ROLLCALL_ENTRA_CLIENT_ID" doc:"graph-receiver: application (client) id by which the Control Center connects new Entra tenants. Empty: it connects none."`
	Credential     string `yaml:"credential" env:"ROLLCALL_ENTRA_CREDENTIAL" doc:"What proves that application: workload-identity, certificate or client-secret."`
	CredentialFile string `yaml:"credential_file" env:"ROLLCALL_ENTRA_CREDENTIAL_FILE" doc:"Path of the federated token, of the certificate with its key, or of the client secret."`
	CredentialEnv  string `yaml:"credential_env" env:"ROLLCALL_ENTRA_CREDENTIAL_ENV" doc:"Name of the environment variable that holds the client secret, in place of a file, or the password of a PFX."`
	API            string `yaml:"api" env:"ROLLCALL_ENTRA_API" doc:"Graph of another cloud than the public one, for new tenants, e.g. https://graph.microsoft.us/v1.0."`
	Authority      string `yaml:"authority" env:"ROLLCALL_ENTRA_AUTHORITY" doc:"The authority that belongs to it, e.g. https://login.microsoftonline.us."`
	CAFile         string `yaml:"ca_file" env:"ROLLCALL_ENTRA_CA_FILE" doc:"Path of the PEM of a private CA that signs for both."`
}

// Google is the service account by which a workspace-receiver connects new customers, when the Control Center asks it to.
type Google struct {
	ClientID       string `yaml:"client_id" env:"ROLLCALL_GOOGLE_WORKSPACE_CLIENT_ID" doc:"workspace-receiver: number of the service account by which the Control Center connects new Workspace customers; their admins delegate to it. Empty: it connects none."`
	ServiceAccount string `yaml:"service_account" env:"ROLLCALL_GOOGLE_WORKSPACE_SERVICE_ACCOUNT" doc:"Address of that service account. A key file names its own."`
	Credential     string `yaml:"credential" env:"ROLLCALL_GOOGLE_WORKSPACE_CREDENTIAL" doc:"What proves it: google-impersonation or google-key-file."`
	CredentialFile string `yaml:"credential_file" env:"ROLLCALL_GOOGLE_WORKSPACE_CREDENTIAL_FILE" doc:"Path of the workload identity configuration, empty for application default credentials; or of the JSON key."`
	API            string `yaml:"api" env:"ROLLCALL_GOOGLE_WORKSPACE_API" doc:"What stands for https://admin.googleapis.com, for the simulator."`
	Authority      string `yaml:"authority" env:"ROLLCALL_GOOGLE_WORKSPACE_AUTHORITY" doc:"What stands for Google's hosts that give tokens, for the simulator."`
	CAFile         string `yaml:"ca_file" env:"ROLLCALL_GOOGLE_WORKSPACE_CA_FILE" doc:"Path of the PEM of a private CA that signs for both."`
}

// Application is how new tenants refer to the application, and where their directories are reached.
func (e Entra) Application() (tenant.Credential, tenant.Endpoints) {
	return tenant.Credential{Kind: tenant.CredentialKind(e.Credential), ClientID: e.ClientID, File: absolute(e.CredentialFile), Env: e.CredentialEnv},
		tenant.Endpoints{API: e.API, Authority: e.Authority, CAFile: absolute(e.CAFile)}
}

// Application is how new customers refer to the service account, and where their directories are reached.
func (g Google) Application() (tenant.Credential, tenant.Endpoints) {
	return tenant.Credential{
			Kind: tenant.CredentialKind(g.Credential), ClientID: g.ClientID, File: absolute(g.CredentialFile), ServiceAccount: directory.Address(g.ServiceAccount),
		},
		tenant.Endpoints{API: g.API, Authority: g.Authority, CAFile: absolute(g.CAFile)}
}

// absolute is a path as other processes can use it, too: the record of a tenant names it. It keeps an empty one.
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

// applicationFaults are those that would keep every tenant from being connected.
func (c Config) applicationFaults(add addFault) {
	credential, endpoints := c.Entra.Application()
	applicationFault(add, "entra", c.Entra != Entra{}, tenant.Tenant{Provider: directory.Entra, Credential: credential, Endpoints: endpoints})
	credential, endpoints = c.Google.Application()
	credential.Subject = "admin@example.com" // each customer's own
	applicationFault(add, "google_workspace", c.Google != Google{}, tenant.Tenant{Provider: directory.GoogleWorkspace, Credential: credential, Endpoints: endpoints})
}

func applicationFault(add addFault, setting string, given bool, t tenant.Tenant) {
	if !given {
		return
	}
	t.ID, t.DirectoryID, t.Domain, t.Products = "any", "any", "example.com", []tenant.Product{tenant.SecureShare()}
	if t.Credential.ClientID == "" {
		add(setting+".client_id", "without it no tenant is connected: want it, or none of the section")
		return
	}
	if (t.Endpoints.API == "") != (t.Endpoints.Authority == "") {
		add(setting+".api", "it and the authority belong together: want both, or neither")
	}
	if err := t.Validate(); err != nil {
		add(setting, "%s", oneLine(err))
	}
}

// oneLine is an error of several lines on one.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
