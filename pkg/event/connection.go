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
