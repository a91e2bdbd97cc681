package remote

import (
	"net/http"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Wait is how long an answer's Retry-After asks to be left alone, and whether it says so at all.
type Wait struct {
	For  time.Duration
	Told bool
}

// Longest is how long an answer may ask to be left alone: a wrong header must not end a tenant's work, and one request an
// hour is a burden to nobody.
const Longest = time.Hour

// RetryAfter reads seconds or a date; the date counts from the answer's own, so that no clock has to be right.
func RetryAfter(h http.Header) Wait {
	raw := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(raw, 64); err == nil && s >= 0 {
		return Wait{time.Duration(min(s, Longest.Seconds()) * float64(time.Second)), true}
	}
	until, err := http.ParseTime(raw)
	if err != nil {
		return Wait{}
	}
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return Wait{}
	}
	return Wait{min(max(until.Sub(from), 0), Longest), true}
}

// Throttled returns receiver.ErrThrottled for an answer whose status asks to be left alone, else nil: a 429 always, for
// unsaid where it names no time; a 503 or 504 only where it names one.
func Throttled(status int, w Wait, unsaid time.Duration) error {
	switch {
	case status == http.StatusTooManyRequests && !w.Told:
		return receiver.ErrThrottled{After: unsaid}
	case status == http.StatusTooManyRequests, w.Told && (status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout):
		return receiver.ErrThrottled{After: w.For}
	}
	return nil
}
