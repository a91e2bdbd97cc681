package tenant_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func initech() tenant.Tenant {
	t := contoso()
	t.ID, t.Provider, t.DirectoryID, t.Domain = "initech", directory.GoogleWorkspace, "C03az79cb", "initech.com"
	t.Credential = tenant.Credential{
		Kind: tenant.GoogleImpersonation, ServiceAccount: "rollcall@vendor.iam.gserviceaccount.com", Subject: "admin@initech.com",
	}
	return t
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	ends := time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)
	const pasted = `{"private_key":"hunter2"}`
	for name, c := range map[string]struct {
		of     func() tenant.Tenant
		change func(*tenant.Credential)
		faults []string // each on a line of its own; none: it is good
	}{
		"default credentials":   {initech, func(*tenant.Credential) {}, nil},
		"workload identity":     {initech, func(c *tenant.Credential) { c.File = "/etc/wif.json" }, nil},
		"with its number":       {initech, func(c *tenant.Credential) { c.ClientID = "104857600000000000001" }, nil},
		"key file":              {initech, func(c *tenant.Credential) { c.Kind, c.File, c.ServiceAccount = tenant.GoogleKeyFile, "/etc/k", "" }, nil},
		"secret":                {contoso, func(*tenant.Credential) {}, nil},
		"certificate":           {contoso, func(c *tenant.Credential) { c.Kind, c.File = tenant.Certificate, "/etc/c" }, nil},
		"of the other provider": {initech, func(c *tenant.Credential) { c.Kind = tenant.ClientSecret }, []string{"google-workspace takes google-impersonation or google-key-file"}},
		"and the other way":     {contoso, func(c *tenant.Credential) { c.Kind = tenant.GoogleKeyFile }, []string{"entra takes workload-identity, certificate or client-secret"}},
		"no subject, no account": {
			initech, func(c *tenant.Credential) { c.Subject, c.ServiceAccount = "", "" },
			[]string{"want as subject the address", "address of the service account"},
		},
		"everything wrong": {
			initech, func(c *tenant.Credential) {
				*c = tenant.Credential{
					Kind: tenant.GoogleKeyFile, ClientID: "hunter2", File: pasted, Env: "hunter2", ServiceAccount: "hunter2", Subject: "Hunter2@initech.com",
				}
			},
			[]string{"want its path", "client id", "environment", "subject", "service account"},
		},
		"a subject with more than an address": {
			initech, func(c *tenant.Credential) { c.Subject = "admin@initech.com/x" }, []string{"subject"},
		},
		"no key":                     {initech, func(c *tenant.Credential) { c.Kind = tenant.GoogleKeyFile }, []string{"path of its file"}},
		"a secret that is not there": {contoso, func(c *tenant.Credential) { c.Env, c.ClientID = "", "" }, []string{"(client) id", "either a file or an environment"}},
		"a secret that ends":         {contoso, func(c *tenant.Credential) { c.Expires = ends }, nil},
		"a key that ends": {initech, func(c *tenant.Credential) {
			c.Kind, c.File, c.ServiceAccount, c.Expires = tenant.GoogleKeyFile, "/etc/k", "", ends
		}, nil},
		"keyless, with an end":       {initech, func(c *tenant.Credential) { c.Expires = ends }, []string{"no end can be told"}},
		"a certificate with another": {contoso, func(c *tenant.Credential) { c.Kind, c.File, c.Expires = tenant.Certificate, "/etc/c", ends }, []string{"no end can be told"}},
		"Google's fields at Entra":   {contoso, func(c *tenant.Credential) { c.Subject = "hunter2" }, []string{"no service account and no subject"}},
	} {
		one := c.of()
		c.change(&one.Credential)
		err := one.Validate()
		if len(c.faults) == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: accepted, want %q", name, c.faults)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(c.faults) || strings.Contains(strings.ToLower(err.Error()), "hunter2") {
			t.Errorf("%s: want %d faults and nothing that was given: %v", name, len(c.faults), err)
			continue
		}
		for i, want := range c.faults {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: fault %q, want %q", name, lines[i], want)
			}
		}
	}
}

func TestCredentialOfNoProvider(t *testing.T) {
	t.Parallel()
	one := contoso()
	one.Provider = "ldap"
	if err := one.Validate(); err == nil || !strings.Contains(err.Error(), "provider") {
		t.Errorf("%v", err)
	}
}
