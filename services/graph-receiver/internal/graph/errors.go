package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// ResponseError is an answer of Graph's that is no success. Of its body it keeps the code alone: messages name people.
type ResponseError struct {
	Status    int
	Code      string // Graph's, e.g. "Authorization_RequestDenied"; "" where none was told
	RequestID string // what Microsoft's support asks for
	limit     bool   // its text speaks of a limit
	means     error  // one of the receiver's errors, or nil
}

// Error returns one line: status, code, request id.
func (e *ResponseError) Error() string {
	text := fmt.Sprintf("graph answers %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.RequestID != "" {
		text += " (request-id " + e.RequestID + ")"
	}
	return text
}

// Unwrap returns what the answer means to the engine: receiver.ErrThrottled, ErrCursorExpired, ErrChannelGone, ErrQuota, or nil.
func (e *ResponseError) Unwrap() error { return e.means }

// Trouble implements receiver.Troubling.
func (e *ResponseError) Trouble() receiver.Trouble { return receiver.TroubleOfStatus(e.Status) }

// newResponseError reads an answer that is no success; the caller closes its body.
func newResponseError(res *http.Response) *ResponseError {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &answer) // a gateway's page has no code
	e := &ResponseError{
		Status: res.StatusCode, Code: remote.Code(answer.Error.Code), RequestID: remote.Code(res.Header.Get("request-id")),
	}
	e.limit = limit.MatchString(answer.Error.Message)
	e.means = remote.Throttled(e.Status, remote.RetryAfter(res.Header), unsaid)
	return e
}

// limit is what Graph's texts about one subscription too many have in common: no code is documented.
var limit = regexp.MustCompile(`(?i)\b(limit|quota|maximum)\b`)

// unsaid is how long to wait after a 429 that does not say: the span of Graph's buckets for a tenant.
const unsaid = 10 * time.Second

// expired reports whether an answer to a cursor says that it is no longer honoured. Entra answers 410; the codes are
// those that Graph's other services use with a 400 or 404, and Entra's own for an old page.
func (e *ResponseError) expired() bool {
	code := strings.ToLower(e.Code)
	return e.Status == http.StatusGone || e.Status >= 400 && e.Status < 500 &&
		(strings.Contains(code, "resync") || strings.Contains(code, "syncstate") || code == "directory_expiredpagetoken")
}

// wrap says what was being done when err came, and drops what an error of net/http would tell: URLs hold addresses and
// tokens of delta queries. A refused token is given up, so that consent given meanwhile counts.
func (c *client) wrap(doing string, err error) error {
	var answer *ResponseError
	var authority *entraid.Error
	switch {
	case errors.As(err, &answer):
		if answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden {
			c.credential.Refused()
		}
		return fmt.Errorf("%s: %w", doing, answer)
	case errors.As(err, &authority):
		if t := remote.Throttled(authority.Status, remote.RetryAfter(authority.Header), unsaid); t != nil {
			return fmt.Errorf("%s: %w: %w", doing, authority, t)
		}
		return fmt.Errorf("%s: %w", doing, authority)
	}
	return fmt.Errorf("%s: %w", doing, remote.Bare(err))
}
