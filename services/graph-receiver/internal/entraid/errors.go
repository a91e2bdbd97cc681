package entraid

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// Error says why the authority gave no token. It holds no text of the authority's, which may repeat what was sent.
type Error struct {
	Status int         // of the answer; 0 where none came
	Code   string      // "AADSTS7000215", or OAuth's "invalid_client"; "" where none was told
	Header http.Header // of the answer, for its Retry-After
	Cause  error       // why no answer came
}

// Error returns one line for the operator. Codes are explained at https://login.microsoftonline.com/error.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("entra gives no token: %v", e.Cause)
	}
	return strings.TrimSpace(fmt.Sprintf("entra gives no token: %d %s", e.Status, e.Code))
}

func (e *Error) Unwrap() error { return e.Cause }

// Trouble implements receiver.Troubling. An application without a service principal in the directory has lost its consent.
func (e *Error) Trouble() receiver.Trouble {
	switch {
	case e.Status == 0 || e.Status >= http.StatusInternalServerError:
		return receiver.Unreachable
	case e.Code == "AADSTS700016" || e.Code == "AADSTS7000229":
		return receiver.Consent
	}
	return receiver.SignIn
}

// explain turns azidentity's error into ours: it holds the whole answer, and hides its cause.
func explain(ctx context.Context, seen *remote.Record, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("get a token: %w", context.Cause(ctx))
	case seen.Err != nil:
		return &Error{Cause: seen.Err}
	case seen.Status >= 300:
		return &Error{Status: seen.Status, Code: codeOf(seen.Body), Header: seen.Header}
	case seen.Status != 0:
		return &Error{Status: seen.Status, Code: "unreadable_answer"}
	}
	return fmt.Errorf("get a token: %w", err) // nothing was sent: what azidentity says of its own arguments
}

// codeOf reads the error's code.
func codeOf(body []byte) string {
	var answer struct {
		Error string  `json:"error"`
		Codes []int64 `json:"error_codes"`
	}
	_ = json.Unmarshal(body, &answer) // what is not JSON has no code
	if len(answer.Codes) > 0 {
		return fmt.Sprintf("AADSTS%d", answer.Codes[0])
	}
	return remote.Code(answer.Error)
}
