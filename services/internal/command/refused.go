package command

import "github.com/rollcall-hq/rollcall/pkg/event"

// Refused says that the worker has read a command and does not obey it. Its answer says why, and for the code "revision"
// what has changed.
type Refused struct{ Answer event.Answered }

func (r *Refused) Error() string {
	if r.Answer.Message != "" {
		return "refused: " + r.Answer.Message
	}
	if says, known := refusals[r.Answer.Code]; known {
		return "refused: " + says
	}
	return "refused: " + r.Answer.Code
}

// refusals are for answers that give no reason of their own.
var refusals = map[string]string{
	event.CodeNoSuchHeld:      "there is no such held change",
	event.CodeNotOpen:         "it is not open any more",
	event.CodeRevision:        "its list has changed since that revision",
	event.CodeListing:         "its list is not complete yet",
	event.CodeBadRequest:      "it asks for what cannot be",
	event.CodeNotDisconnected: "the tenant is not disconnected",
}

func refusal(a event.Answered) error {
	if a.Outcome == event.OutcomeDone {
		return nil
	}
	return &Refused{Answer: a}
}
