package receiver

// Finding is one thing that a look at a tenant's directory has found, for the customer's admin and for the operator.
type Finding struct {
	Check  string       `json:"check"` // [a-z-], the same for every provider where it means the same: "sign-in", "read-users", ...
	State  FindingState `json:"state"`
	Detail string       `json:"detail"`           // one sentence: what is so
	Action string       `json:"action,omitempty"` // one sentence: what the admin or the operator does about it; "" where nothing is to be done
	// Consent: an admin's consent in a browser mends it.
	Consent bool `json:"consent,omitempty"`
}

// FindingState says how a finding came out.
type FindingState string

// The states. A Blind finding is about something that no right or setting makes readable.
const (
	Passed  FindingState = "passed"
	Failed  FindingState = "failed"
	Unknown FindingState = "unknown" // it could not be found out, because an earlier check failed
	Blind   FindingState = "blind"
)

// Troubling reports whether a finding is one to do something about.
func (f Finding) Troubling() bool { return f.State == Failed || f.State == Unknown && f.Action != "" }
