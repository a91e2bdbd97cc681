package receiver

import (
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// CredentialEnd says when what proves us to a tenant's directory ends, and what to do before it does.
type CredentialEnd struct {
	At     time.Time // zero: at no time that can be known
	What   string    // it is: "The certificate of the application"
	Action string    // one sentence for the operator, or several, without an address
}

// Detail says what ends when, in one sentence.
func (e CredentialEnd) Detail() string {
	return e.What + " ends at " + e.At.UTC().Format("2006-01-02 15:04 MST") + "."
}

// EndAsTold is the end of a credential that does not show it itself: what the tenant's record says, where somebody has told it.
// Replace is the sentence on how to get another one.
func EndAsTold(t tenant.Tenant, what, replace string) CredentialEnd {
	return CredentialEnd{
		At: t.Credential.Expires, What: what,
		Action: replace + ` Then tell when that one ends: "rollcall tenants credential ` + t.ID + ` --expires DATE".`,
	}
}
