package access

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
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

// fault is an answer without a result: the members of a problem detail (RFC 9457) and for how long to wait with the next try.
type fault struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`

	wait time.Duration
}

var (
	unauthenticated = fault{
		Status: http.StatusUnauthorized, Code: "unauthenticated", Title: "Nobody is signed in",
		Detail: "Send a session's cookie, or a token in the header Authorization: Bearer.",
	}
	unavailable = fault{
		Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Not available now",
		Detail: "What tells who is asking does not answer.", wait: 5 * time.Second,
	}
	crossOrigin = fault{
		Status: http.StatusForbidden, Code: "cross-origin", Title: "Sent by another site",
		Detail: "A browser says that this request was made by a page of another origin.",
	}
	tooLarge = fault{
		Status: http.StatusRequestEntityTooLarge, Code: "too-large", Title: "The body is too large",
		Detail: "A body holds at most " + strconv.Itoa(maxBody>>10) + " KiB.",
	}
)

// tooMany is the fault of who asks too often, and how long to wait.
func tooMany(wait time.Duration) fault {
	return fault{
		Status: http.StatusTooManyRequests, Code: "rate-limited", Title: "Too many requests",
		Detail: "Ask again after the time in Retry-After.", wait: wait,
	}
}

// faultOf is what is answered to a proof that was not accepted.
func faultOf(err error) fault {
	switch {
	case errors.Is(err, ErrRefused):
		return unauthenticated
	case errors.Is(err, ErrTooMany):
		return tooMany(10 * time.Second)
	}
	return unavailable
}

// problem answers a program.
func (f fault) problem(w http.ResponseWriter) {
	f.headers(w)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(f)
}

// text answers a browser where there is no page to show.
func (f fault) text(w http.ResponseWriter) {
	f.headers(w)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Title + ". " + f.Detail + "\n"))
}

func (f fault) headers(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if f.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.wait.Seconds()))))
	}
	if f.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="rollcall"`)
	}
}
