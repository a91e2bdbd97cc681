package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// ResponseError is an answer of Graph's that is no success. Of its body it keeps the code alone: messages name people.
type ResponseError struct {
	Status    int
	Code      string // Graph's, e.g. "Authorization_RequestDenied"; "" where none was told
	RequestID string // what Microsoft's support asks for
	retry     wait
	means     error // one of the receiver's errors, or nil
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

// Unwrap returns what the answer means to the engine: receiver.ErrThrottled, ErrCursorExpired, ErrChannelGone, or nil.
func (e *ResponseError) Unwrap() error { return e.means }

// newResponseError reads an answer that is no success; the caller closes its body.
func newResponseError(res *http.Response) *ResponseError {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	var answer struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &answer) // a gateway's page has no code
	e := &ResponseError{
		Status: res.StatusCode, Code: harmless(answer.Error.Code), RequestID: harmless(res.Header.Get("request-id")),
		retry: retryAfter(res.Header),
	}
	e.means = throttled(e.Status, e.retry)
	return e
}

// wait is a Retry-After header, if there was one.
type wait struct {
	d    time.Duration
	told bool
}

// unsaid is how long to wait after a 429 that does not say: the span of Graph's buckets for a tenant.
const unsaid = 10 * time.Second

// longest is how long an answer may ask to be left alone: a wrong header must not end a tenant's work, and one request an
// hour is a burden to nobody.
const longest = time.Hour

// throttled returns receiver.ErrThrottled for an answer that asks to be left alone, else nil.
func throttled(status int, w wait) error {
	switch {
	case status == http.StatusTooManyRequests && !w.told:
		return receiver.ErrThrottled{After: unsaid}
	case status == http.StatusTooManyRequests, w.told && (status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout):
		return receiver.ErrThrottled{After: w.d}
	}
	return nil
}

// retryAfter reads seconds or a date; the date counts from the answer's own, so that no clock has to be right.
func retryAfter(h http.Header) wait {
	raw := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(raw, 64); err == nil && s >= 0 {
		return wait{time.Duration(min(s, longest.Seconds()) * float64(time.Second)), true}
	}
	until, err := http.ParseTime(raw)
	if err != nil {
		return wait{}
	}
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return wait{}
	}
	return wait{min(max(until.Sub(from), 0), longest), true}
}

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
	var at *url.Error
	switch {
	case errors.As(err, &answer):
		if answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden {
			c.credential.Refused()
		}
		return fmt.Errorf("%s: %w", doing, answer)
	case errors.As(err, &authority):
		if t := throttled(authority.Status, retryAfter(authority.Header)); t != nil {
			return fmt.Errorf("%s: %w: %w", doing, authority, t)
		}
		return fmt.Errorf("%s: %w", doing, authority)
	case errors.As(err, &at):
		return fmt.Errorf("%s: %w", doing, at.Err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// harmless returns s where it can be nothing but a code or an id.
func harmless(s string) string {
	if len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.')
	}) {
		return ""
	}
	return s
}
