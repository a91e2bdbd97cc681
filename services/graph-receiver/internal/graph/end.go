package graph

import (
	"fmt"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// CredentialEnd implements receiver.Provider. A certificate shows its end; that of a client secret is readable in Entra only with
// rights over all applications, which Rollcall does not ask for, so that somebody must have told it; a federated token is renewed by
// its platform, every hour or so.
func (p *Provider) CredentialEnd(t tenant.Tenant) (receiver.CredentialEnd, error) {
	switch t.Credential.Kind {
	case tenant.Certificate:
		at, err := entraid.CertificateEnd(t.Credential, p.deps.LookupEnv)
		if err != nil {
			return receiver.CredentialEnd{}, fmt.Errorf("look when the certificate of %s ends: %w", t.ID, err)
		}
		return receiver.CredentialEnd{
			At: at, What: "The certificate of the application",
			Action: "Make a new certificate, add it under " + secrets + " > Certificates, and put it with its key in the place of the file that the tenant's record names (rollcall tenants show).",
		}, nil
	case tenant.ClientSecret:
		return receiver.EndAsTold(t, "The client secret of the application",
			"Make a new client secret under "+secrets+", and put its value where the tenant's credential is read from."), nil
	}
	return receiver.CredentialEnd{}, nil
}
