package access

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// What whoever looks at a proof may find.
var (
	// ErrRefused says that a proof is none: unknown, expired, revoked, forged, or of somebody who is not let in.
	ErrRefused = errors.New("the proof is not accepted")
	// ErrUnavailable says that nobody can tell at the moment.
	ErrUnavailable = errors.New("proofs cannot be looked at now")
	// ErrTooMany says that proofs of this kind come too often to be looked at.
	ErrTooMany = errors.New("too many proofs to look at")
)

// tooMany is the problem of who asks too often, and how long to wait.
func tooMany(wait time.Duration) *problem.Problem {
	p := problem.New(problem.RateLimited, "Ask again after the time in Retry-After.")
	p.RetryAfter = (wait + time.Second - 1).Truncate(time.Second) // not a moment too early
	return p
}

// problemOf is what is answered to a proof that was not accepted.
func problemOf(err error) *problem.Problem {
	switch {
	case errors.Is(err, ErrRefused):
		return problem.New(problem.Unauthenticated, "Send a session's cookie, or a token in the header Authorization: Bearer.")
	case errors.Is(err, ErrTooMany):
		return tooMany(10 * time.Second)
	}
	return problem.New(problem.Unavailable, "What tells who is asking does not answer.")
}

// crossOrigin is the problem of a request that another site has had a browser send.
func crossOrigin() *problem.Problem {
	return problem.New(problem.Forbidden, "A browser says that a page of another origin has sent this.")
}

func tooLarge() *problem.Problem {
	return problem.New(problem.TooLarge, "A body holds at most "+strconv.Itoa(maxBody>>10)+" KiB.")
}

// writeText answers a browser where there is no page to show.
func writeText(w http.ResponseWriter, p *problem.Problem) {
	w.Header().Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.RetryAfter/time.Second)))
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = w.Write([]byte(p.Title + ". " + p.Detail + "\n")) //nolint:gosec // plain text, of ours
}
