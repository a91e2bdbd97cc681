package apiclient

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Codes by which programs go, of those in docs/api.md.
const (
	CodeNoSuchTenant = "no-such-tenant"
	CodeNoSuchUser   = "no-such-user"
	CodeNoSuchHeld   = "no-such-held-change"
	CodeSeveralUsers = "several-users"
	CodeHeldChanged  = "held-changed"
	CodeNotReadYet   = "not-read-yet"
	CodeKeyUsed      = "idempotency-key-used"
)

// Error is what the server answers where it does not do what it was asked for.
type Error struct {
	Problem               // with a code; without one it is no answer of the API
	After   time.Duration // when to try again; 0: the server does not say
}

func (e *Error) Error() string {
	text := plain(e.text())
	if e.Code != "" {
		text += " (" + plain(e.Code) + ")"
	}
	return text
}

func (e *Error) text() string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "the server does not take the token: it is wrong, revoked or expired"
	case e.Status == http.StatusForbidden:
		return "the token does not allow it: its role or its scope is too small"
	case e.Status == http.StatusTooManyRequests:
		return "the server was asked too often" + e.again()
	case e.Code == "":
		return fmt.Sprintf("the server answers %d %s, which is no answer of a Control Center's API", e.Status, http.StatusText(e.Status))
	case e.Status == http.StatusNotFound:
		return "the server answers: " + lower(e.Title) + ", or the token may not see it"
	}
	text := "the server answers: " + lower(cmp.Or(e.Detail, e.Title))
	for _, f := range e.Faults {
		text += "; " + f.Where + ": " + f.Message
	}
	for _, f := range e.Findings {
		if f.Action != "" && (f.State == FindingStateFailed || f.State == FindingStateUnknown) {
			text += "; " + f.Check + ": " + f.Detail + " " + f.Action
		}
	}
	if e.Consent != "" {
		text += "; consent is given at " + e.Consent
	}
	return text + e.again()
}

func (e *Error) again() string {
	if e.After <= 0 {
		return ""
	}
	return ": try again in " + e.After.String()
}

// lower begins a sentence as a part of one.
func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// plain keeps what a server says from moving the cursor of a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// mostBytes is more than any answer has: a page is 500 items at most.
const mostBytes = 32 << 20

// Read reads what a method of Client has returned: an answer, or why there is none, see Error.
func Read[T any](res *http.Response, err error) (answer T, _ error) {
	if err != nil {
		return answer, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBytes))
	if err != nil {
		return answer, fmt.Errorf("%w: the answer broke off: %w", ErrUnreachable, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return answer, refusal(res, body)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return answer, &Error{Problem: Problem{Status: res.StatusCode}}
	}
	return answer, nil
}

func refusal(res *http.Response, body []byte) error {
	e := &Error{}
	if json.Unmarshal(body, &e.Problem) != nil {
		e.Problem = Problem{}
	}
	e.Status = res.StatusCode
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.After = time.Duration(seconds) * time.Second
	}
	return e
}
