package event

import "time"

// The verbs of commands that the worker obeys, and of its answer. See CommandSubject and CommandID.
const (
	VerbApprove    = "approve"
	VerbReject     = "reject"
	VerbSeats      = "seats"
	VerbSettings   = "settings"
	VerbDisconnect = "disconnect"
	VerbConnect    = "connect"
	VerbErase      = "erase"
	VerbActivation = "activation"
	VerbAnswered   = "answered"
)

// ApproveRequested asks to let a held change take effect as it was at a revision of its list.
type ApproveRequested struct {
	Product  string `json:"product"`
	Held     string `json:"held"`
	Revision int    `json:"revision"`
	By       string `json:"by"` // see ValidActor
}

// RejectRequested asks to leave the licenses on a held change's list as they are.
type RejectRequested struct {
	Product string `json:"product"`
	Held    string `json:"held"`
	By      string `json:"by"`
}

// SeatsRequested sets the seats of a product. What is nil stays as it is; at least one is set.
type SeatsRequested struct {
	Product   string `json:"product"`
	Purchased *int   `json:"purchased,omitempty"` // SeatsNotSet: not any more
	Enforce   *bool  `json:"enforce,omitempty"`
	By        string `json:"by"`
}

// SeatsNotSet takes the number of purchased seats away in SeatsRequested.
const SeatsNotSet = -1

// SettingsRequested sets how a tenant's changes are treated. What is nil stays as it is; at least one is set.
type SettingsRequested struct {
	Paused *bool        `json:"paused,omitempty"`
	Frozen *bool        `json:"frozen,omitempty"`
	Hold   *HoldRequest `json:"hold,omitempty"`
	By     string       `json:"by"`
}

// HoldRequest is HoldSettings with what stays as it is left out; at least one is set.
type HoldRequest struct {
	Flips         string `json:"flips,omitempty"`
	Share         *int   `json:"share,omitempty"`
	Least         *int   `json:"least,omitempty"`
	ExpirySeconds *int   `json:"expiry_seconds,omitempty"`
}

// DisconnectRequested asks to follow a tenant's directory no longer.
type DisconnectRequested struct {
	Licenses string `json:"licenses"` // "keep" or "revoke"
	By       string `json:"by"`
}

// What becomes of the licenses of a tenant that is disconnected.
const (
	LicensesKeep   = "keep"
	LicensesRevoke = "revoke"
)

// ConnectRequested asks to follow a disconnected tenant again.
type ConnectRequested struct {
	By string `json:"by"`
}

// ActivationReported says that a product has seen a user sign in for the first time. Of several reports the earliest moment counts.
type ActivationReported struct {
	Product string    `json:"product"`
	User    string    `json:"user"` // the provider's id
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

// EraseRequested asks to forget what the mirror knows of a tenant's people.
type EraseRequested struct {
	By string `json:"by"`
}

// Answered says what has become of a command, whose id is its cause as well. RefreshCompleted answers RefreshRequested.
type Answered struct {
	Command  string     `json:"command"` // event id
	Outcome  string     `json:"outcome"`
	Code     string     `json:"code,omitempty"`     // of a refusal
	Message  string     `json:"message,omitempty"`  // for people
	Held     string     `json:"held,omitempty"`     // the held change that it is about
	Revision int        `json:"revision,omitempty"` // of that one's list, now
	Changes  []HeldUser `json:"changes,omitempty"`  // since the revision that was named; at most MaxAnswerChanges
}

// MaxAnswerChanges is how many changes one Answered may name.
const MaxAnswerChanges = 100

// The outcomes of commands.
const (
	OutcomeDone    = "done"
	OutcomeRefused = "refused"
)

// The codes of refusals.
const (
	CodeNoSuchHeld      = "no-such-held"     // the product has no such held change
	CodeNotOpen         = "not-open"         // it has ended
	CodeRevision        = "revision"         // its list has changed since
	CodeListing         = "listing"          // its list is not complete yet
	CodeBadRequest      = "bad-request"      // the command says what nobody can do
	CodeNotDisconnected = "not-disconnected" // only a disconnected tenant can be connected or erased
	CodeFrozen          = "frozen"           // it would revoke licenses, and the tenant is frozen
)
