package workspace

import (
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// CredentialEnd implements receiver.Provider. A key of a service account has no end, unless its organization gives new keys one, which
// the key's file does not say: somebody must have told it. What signs without a key is renewed by itself.
func (p *Provider) CredentialEnd(t tenant.Tenant) (receiver.CredentialEnd, error) {
	if t.Credential.Kind != tenant.GoogleKeyFile {
		return receiver.CredentialEnd{}, nil
	}
	return receiver.EndAsTold(t, "The key of the service account",
		"Make a new key under Google Cloud console > IAM & Admin > Service Accounts > the account > Keys, and put it in the place of the file that the tenant's record names (rollcall tenants show)."), nil
}
