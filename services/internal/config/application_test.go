package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// What would keep every tenant from being connected is told at the start, and not to the first admin who tries.
func TestApplicationsAreWhole(t *testing.T) {
	t.Parallel()
	entra := config.Entra{ClientID: "app", Credential: "client-secret", CredentialFile: "s"}
	google := config.Google{ClientID: "104857600000000002026", Credential: "google-key-file", CredentialFile: "k"}
	for name, c := range map[string]struct {
		change func(*config.Config)
		says   string
	}{
		"none": {func(*config.Config) {}, ""},
		"both": {func(c *config.Config) { c.Entra, c.Google = entra, google }, ""},
		"another cloud": {func(c *config.Config) {
			c.Entra = entra
			c.Entra.API, c.Entra.Authority = "https://a.us/v1.0", "https://b.us"
		}, ""},
		"no key": {func(c *config.Config) { c.Google = google; c.Google.CredentialFile = "" }, "google_workspace: "},
		"without a key": {func(c *config.Config) {
			c.Google = config.Google{ClientID: google.ClientID, Credential: "google-impersonation", ServiceAccount: "R@v.iam.gserviceaccount.com"}
		}, ""},
		"no id":                   {func(c *config.Config) { c.Entra = entra; c.Entra.ClientID = "" }, "entra.client_id: "},
		"no secret":               {func(c *config.Config) { c.Entra = entra; c.Entra.CredentialFile = "" }, "entra: "},
		"the other's credential":  {func(c *config.Config) { c.Entra = entra; c.Entra.Credential = "google-key-file" }, "entra: "},
		"an API alone":            {func(c *config.Config) { c.Entra = entra; c.Entra.API = "https://a.us/v1.0" }, "entra.api: "},
		"an authority by http":    {func(c *config.Config) { c.Entra = entra; c.Entra.API, c.Entra.Authority = "https://a", "http://b" }, "entra: "},
		"a secret for its path":   {func(c *config.Config) { c.Entra = entra; c.Entra.CredentialFile = "{hunter2}" }, "entra: "},
		"an address for a number": {func(c *config.Config) { c.Google = google; c.Google.ClientID = "hunter2" }, "google_workspace: "},
	} {
		cfg := config.Default()
		cfg.Sync.Push = false
		c.change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnApplicationIsWhatTenantsReferTo(t *testing.T) {
	t.Parallel()
	credential, endpoints := config.Entra{ClientID: "app", Credential: "certificate", CredentialFile: "cert.pem", CredentialEnv: "PASSWORD", CAFile: "ca.pem"}.Application()
	cert, _ := filepath.Abs("cert.pem")
	ca, _ := filepath.Abs("ca.pem")
	if (credential != tenant.Credential{Kind: tenant.Certificate, ClientID: "app", File: cert, Env: "PASSWORD"}) || endpoints.CAFile != ca {
		t.Errorf("%+v %+v", credential, endpoints)
	}
	credential, _ = config.Google{ClientID: "1", Credential: "google-impersonation", ServiceAccount: "Rollcall@V.iam.gserviceaccount.com"}.Application()
	if credential.ServiceAccount != "rollcall@v.iam.gserviceaccount.com" || credential.File != "" || credential.Subject != "" {
		t.Errorf("%+v", credential)
	}
}

// Whoever does not receive from a provider need not have its files.
func TestFilesOfAnApplicationAreTheReceivers(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Entra.CredentialFile, c.Google.CredentialFile = "/no/such/secret", "/no/such/key"
	for role, want := range map[string]string{"graph-receiver": "entra.credential_file", "workspace-receiver": "google_workspace.credential_file", "control-center": ""} {
		c.Roles = []string{role}
		err := c.CheckFiles()
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Count(err.Error(), "no such file") != 1) {
			t.Errorf("%s: %v", role, err)
		}
	}
}
