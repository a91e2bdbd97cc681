package workspace

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/googleauth"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// ResponseError is an answer of Google's that is no success. Of its body it keeps codes alone: messages name people.
type ResponseError struct {
	Status int
	Reason string // Google's, e.g. "userRateLimitExceeded"; "" where none was told
	Key    string // "userKey", "groupKey" or "memberKey" of what State is about
	State  wire.State
	means  error // one of the receiver's errors, or nil
}

// Error returns one line: status, reason, and what of the request it is about.
func (e *ResponseError) Error() string {
	text := fmt.Sprintf("google answers %d", e.Status)
	for _, more := range []string{e.Reason, string(e.State), e.Key} {
		if more != "" {
			text += " " + more
		}
	}
	return text
}

// Unwrap returns what the answer means to the engine: receiver.ErrThrottled, ErrNoGroup, or nil.
func (e *ResponseError) Unwrap() error { return e.means }

// Trouble implements receiver.Troubling.
func (e *ResponseError) Trouble() receiver.Trouble { return receiver.TroubleOfStatus(e.Status) }

func (e *ResponseError) throttled() bool {
	_, yes := errors.AsType[receiver.ErrThrottled](e.means)
	return yes
}

// newResponseError reads an answer that is no success; the caller closes its body. unsaid is asked how long to wait after a
// refusal that does not say.
func newResponseError(res *http.Response, unsaid func() time.Duration) *ResponseError {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // half a body has no code, as a gateway's page
	f := wire.ReadFailure(body)
	e := &ResponseError{Status: res.StatusCode, Reason: remote.Code(f.Reason), Key: f.Key, State: f.State}
	if w := remote.RetryAfter(res.Header); e.quota(res, w) {
		if !w.Told {
			w.For = unsaid()
		}
		e.means = receiver.ErrThrottled{After: w.For}
	}
	return e
}

// quota reports whether an answer asks to be left alone. The Directory API says so with 403 or 429, the Reports API with 503.
func (e *ResponseError) quota(res *http.Response, w remote.Wait) bool {
	switch e.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		switch e.Reason {
		case "userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "RESOURCE_EXHAUSTED":
			return true
		}
	case http.StatusServiceUnavailable:
		return w.Told || res.Request != nil && strings.Contains(res.Request.URL.Path, "/admin/reports")
	case http.StatusGatewayTimeout:
		return w.Told
	}
	return false
}

// is reports whether err is an answer of Google's that says this of the request's key. A 404 that does not may be a
// gateway's, and proves nothing.
func is(err error, status int, state wire.State, key string) bool {
	e, ok := errors.AsType[*ResponseError](err)
	return ok && e.Status == status && e.State == state && e.Key == key
}

func missing(err error, key string) bool { return is(err, http.StatusNotFound, wire.Missing, key) }

// binned: a user who was deleted, and can be brought back for 20 days. Google answers users.get with this instead of a 404.
func binned(err error) bool { return is(err, http.StatusPreconditionFailed, wire.Binned, "") }

// nobody: a key of a member that leads to no account, and so to no member.
func nobody(err error) bool { return is(err, http.StatusBadRequest, wire.Nobody, "memberKey") }

// foreign: what is somebody else's, or all that the admin may not see.
func foreign(err error) bool { return is(err, http.StatusForbidden, wire.Foreign, "") }

func otherType(err error, key string) bool {
	return is(err, http.StatusBadRequest, wire.OtherType, key)
}

// noGroup marks an answer that says that a group is not known.
func noGroup(err error) error {
	if e, ok := errors.AsType[*ResponseError](err); ok && missing(err, "groupKey") {
		e.means = receiver.ErrNoGroup
	}
	return err
}

// foreignGroup marks an answer that says that a group is somebody else's.
func foreignGroup(err error) error {
	if e, ok := errors.AsType[*ResponseError](err); ok && foreign(err) {
		e.means = receiver.ErrForeign
	}
	return err
}

// wrap says what was being done when err came, and drops what an error of net/http would tell: URLs hold addresses. A
// refused token is given up, so that what was granted meanwhile counts.
func (c *client) wrap(doing string, err error) error {
	if answer, ok := errors.AsType[*ResponseError](err); ok {
		if answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden && answer.means == nil && answer.State == "" {
			c.source.Refused()
		}
		return fmt.Errorf("%s: %w", doing, answer)
	}
	if authority, ok := errors.AsType[*googleauth.Error](err); ok {
		if t := remote.Throttled(authority.Status, remote.RetryAfter(authority.Header), 10*time.Second); t != nil {
			return fmt.Errorf("%s: %w: %w", doing, authority, t)
		}
		return fmt.Errorf("%s: %w", doing, authority)
	}
	return fmt.Errorf("%s: %w", doing, remote.Bare(err))
}
