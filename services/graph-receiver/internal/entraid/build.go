package entraid

import (
	"context"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// build makes azidentity's credential from a secret.
func (c *Credential) build(m material) (azcore.TokenCredential, error) {
	options, id := c.options(), c.cfg.Credential.ClientID
	// A custom authority is a private or national cloud, or a test: asking login.microsoft.com whether it exists would
	// tell the world of it, and fail.
	custom := c.cfg.Authority != ""
	switch c.cfg.Credential.Kind {
	case tenant.ClientSecret:
		return azidentity.NewClientSecretCredential(c.cfg.DirectoryID, id, string(m.data),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: custom})
	case tenant.Certificate:
		certs, key, err := azidentity.ParseCertificates(m.data, m.password)
		if err != nil {
			return nil, fmt.Errorf("the certificate %s cannot be used: %w", c.cfg.Credential.File, err)
		}
		return azidentity.NewClientCertificateCredential(c.cfg.DirectoryID, id, certs, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: custom})
	case tenant.WorkloadIdentity:
		// azidentity's own WorkloadIdentityCredential keeps the file's content for ten minutes. Here it is read with each
		// request already, so the assertion is given as it was read.
		assertion := string(m.data)
		return azidentity.NewClientAssertionCredential(c.cfg.DirectoryID, id,
			func(context.Context) (string, error) { return assertion, nil },
			&azidentity.ClientAssertionCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: custom})
	}
	return nil, fmt.Errorf("unknown kind %q", c.cfg.Credential.Kind)
}

// options turn azidentity's retries off: a request is one request, and who called decides when to ask again.
func (c *Credential) options() policy.ClientOptions {
	options := policy.ClientOptions{
		Retry: policy.RetryOptions{MaxRetries: -1},
		Transport: &http.Client{
			Transport:     remote.Recorder{Next: c.deps.Transport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if c.cfg.Authority != "" {
		options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: c.cfg.Authority}
	}
	return options
}
