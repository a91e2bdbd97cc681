package event

import "time"

// What a connection is seen in, see ConnectionObserved.State.
const (
	ConnectionWorking  = "working"
	ConnectionDegraded = "degraded"
)

// What keeps a connection from working, see Degraded.Class.
const (
	ClassSignIn      = "sign-in"     // the credential is not accepted: a secret that is wrong or has expired
	ClassConsent     = "consent"     // what is asked for is not allowed, or is no longer
	ClassUnreachable = "unreachable" // no answer comes, or none that is the provider's
	ClassThrottled   = "throttled"   // the provider has put off every request for long
	ClassFailing     = "failing"     // it answers, and reading fails all the same
	ClassQuota       = "quota"       // no push channel more is granted
	ClassSilent      = "silent"      // changes show of which no push has told
)

// ConnectionObserved says how the connection to a tenant's directory is. The same may be said again and again.
type ConnectionObserved struct {
	Stamp Stamp     `json:"stamp"` // a later one wins
	State string    `json:"state"` // ConnectionWorking or ConnectionDegraded
	Class string    `json:"class,omitempty"`
	Since time.Time `json:"since"` // since when it has been so, as far as whoever says it knows
	// Unheard, of one that works: no push has come yet that shows that pushes come. What was silent may be so still.
	Unheard bool `json:"unheard,omitempty"`
	// Check is the failed check of `rollcall tenants verify` that explains it; "" where none does.
	Check  string `json:"check,omitempty"`
	Detail string `json:"detail,omitempty"` // what is so: one sentence, without an address or a secret
	Action string `json:"action,omitempty"` // what the admin or the operator does about it, likewise
	// Credential is nil where it could not be looked at: what was said of it before stands.
	Credential *CredentialSeen `json:"credential,omitempty"`
}

// CredentialSeen says when what proves Rollcall to a tenant's directory ends. One that is about to, and works, degrades nothing.
type CredentialSeen struct {
	Expires time.Time `json:"expires,omitzero"` // zero: at no time that is known
	Days    int       `json:"days,omitempty"`   // 30, 7 or 1: it ends within so many. 0: it does not yet, or has ended
	Detail  string    `json:"detail,omitempty"` // of one that ends within Days; without an address or a secret
	Action  string    `json:"action,omitempty"` // likewise: what the operator does before it ends
}

// Degraded says that a tenant's directory is not followed as it should be, why, and what to do about it. It is told of each of
// the tenant's products, when it begins and when class, check or action become others.
type Degraded struct {
	Tenant  string    `json:"tenant"`
	Product string    `json:"product"`
	Class   string    `json:"class"`
	Since   time.Time `json:"since"` // when it began, whatever the class was then
	Check   string    `json:"check,omitempty"`
	Detail  string    `json:"detail"`
	Action  string    `json:"action"`
}

// Recovered says that the directory is followed again as it should be.
type Recovered struct {
	Tenant  string    `json:"tenant"`
	Product string    `json:"product"`
	Class   string    `json:"class"` // what it was last
	Since   time.Time `json:"since"` // when it had begun
}

// CredentialExpiring says that what proves Rollcall to a tenant's directory ends soon. It is told of each of the tenant's products,
// once for each credential and number of days.
type CredentialExpiring struct {
	Tenant  string    `json:"tenant"`
	Product string    `json:"product"`
	Expires time.Time `json:"expires"`
	Days    int       `json:"days"` // 30, 7 or 1: it ends within so many
	Detail  string    `json:"detail"`
	Action  string    `json:"action"`
}

// CredentialReplaced says that in its place there is another, which does not end soon.
type CredentialReplaced struct {
	Tenant  string    `json:"tenant"`
	Product string    `json:"product"`
	Was     time.Time `json:"was"`              // when the one before would have ended
	Expires time.Time `json:"expires,omitzero"` // zero: at no time that is known
}
