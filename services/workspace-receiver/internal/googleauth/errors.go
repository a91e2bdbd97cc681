package googleauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// Step says who refused: each has its own person to mend it.
type Step string

// The steps to a token.
const (
	Federation Step = "sts"            // our platform's token for a federated one: the operator's
	Signing    Step = "iamcredentials" // that IAM signs as the service account: the operator's
	Delegation Step = "oauth2"         // that the service account acts as the admin: the customer's
	Elsewhere  Step = ""
)

// Reason is what a refusal of the token endpoint is about, as far as its text tells.
type Reason string

// The reasons.
const (
	NoReason  Reason = ""
	Subject   Reason = "subject"   // the admin is unknown, suspended or deleted
	Signature Reason = "signature" // the key is not one of the service account's, any more
	Clock     Reason = "clock"     // ours is wrong
	Account   Reason = "account"   // the service account is unknown
)

// Error says why Google gave no token. It holds no text of Google's, which may repeat what was sent, and names people.
type Error struct {
	Step   Step
	Status int         // of the answer; 0 where none came
	Code   string      // OAuth's "invalid_grant" or IAM's "PERMISSION_DENIED"; "" where none was told
	Reason Reason      // of a Delegation that is refused
	Header http.Header // of the answer, for its Retry-After
	Cause  error       // why no answer came
}

// unreadable is the code of an answer that is a success and cannot be used.
const unreadable = "unreadable_answer"

// Error returns one line for the operator.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("google gives no token: %v", e.Cause)
	}
	text := strings.TrimSpace(fmt.Sprintf("google gives no token: %d %s", e.Status, e.Code))
	if e.Reason != NoReason {
		text += " (" + string(e.Reason) + ")"
	}
	if e.Step != Elsewhere {
		text += " from " + string(e.Step)
	}
	return text
}

func (e *Error) Unwrap() error { return e.Cause }

// Trouble implements receiver.Troubling. What the customer has not delegated, or not any more, lacks its consent.
func (e *Error) Trouble() receiver.Trouble {
	switch {
	case e.Status == 0 || e.Status >= http.StatusInternalServerError:
		return receiver.Unreachable
	case e.Undelegated():
		return receiver.Consent
	}
	return receiver.SignIn
}

// Undelegated reports whether the credential is good, and may not do what was asked for in the admin's name.
func (e *Error) Undelegated() bool {
	return e.Code == "unauthorized_client" || e.Code == "access_denied" || e.Code == "invalid_scope"
}

// explain turns a library's error into ours. An authority that was too slow is its error, a caller who gave up is not.
func explain(caller context.Context, seen *remote.Record, err error) error {
	switch {
	case caller.Err() != nil:
		return fmt.Errorf("get a token: %w", context.Cause(caller))
	case seen.Err != nil:
		return &Error{Step: step(seen.URL), Cause: seen.Err}
	case seen.Status >= 300:
		e := &Error{Step: step(seen.URL), Status: seen.Status, Header: seen.Header}
		if e.Code, e.Reason = codeOf(seen.Body); e.Step != Delegation {
			e.Reason = NoReason // the others word it otherwise
		}
		return e
	case seen.Status != 0:
		return &Error{Step: step(seen.URL), Status: seen.Status, Code: unreadable}
	}
	return fmt.Errorf("google credential: %w", err) // nothing was sent: what is said of our own files
}

// codeOf reads an error of OAuth's ("error" is a word) or of Google's APIs ("error" is an object).
func codeOf(body []byte) (code string, reason Reason) {
	var answer struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	_ = json.Unmarshal(body, &answer) // what is not JSON has no code
	var word string
	if json.Unmarshal(answer.Error, &word) == nil {
		if word == "invalid_grant" || word == "invalid_request" {
			reason = reasonOf(answer.Description)
		}
		return remote.Code(word), reason
	}
	var object struct {
		Status string `json:"status"`
	}
	_ = json.Unmarshal(answer.Error, &object)
	return remote.Code(object.Status), NoReason
}

// reasonOf reads Google's texts, which no document lists: these are those that people report.
func reasonOf(text string) Reason {
	text = strings.ToLower(text)
	for _, known := range []struct {
		says  string
		means Reason
	}{
		{"email or user id", Subject},
		{"not a valid email", Subject},
		{"account has been", Subject}, // deleted, suspended
		{"impersonation", Subject},    // Invalid impersonation "sub" field: long gone
		{"signature", Signature},
		{"timeframe", Clock},
		{"account not found", Account},
	} {
		if strings.Contains(text, known.says) {
			return known.means
		}
	}
	return NoReason
}

// step names the host of a request as it was meant, before it was sent to another authority.
func step(u *url.URL) Step {
	if u == nil {
		return Elsewhere
	}
	switch u.Host {
	case stsHost:
		return Federation
	case iamHost:
		return Signing
	case oauthHost:
		return Delegation
	}
	return Elsewhere
}
