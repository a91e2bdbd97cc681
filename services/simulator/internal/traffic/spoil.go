package traffic

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Request is what it depends on which faults can befall a request.
type Request struct {
	Tenant string // directory id
	Route  string
	Cursor bool // it goes on from a cursor that the provider may refuse to know
}

// can reports whether a kind of fault can befall the request.
func (r Request) can(kind control.FaultKind) bool {
	signIn := r.Route == TokenRoute || r.Route == ExchangeRoute || r.Route == SignRoute
	switch kind {
	case control.Expired:
		return r.Cursor
	case control.Forbidden:
		return !signIn
	case control.HalfPage, control.ShortPage:
		return strings.HasPrefix(r.Route, http.MethodGet+" ")
	case control.StaleRead:
		return slices.ContainsFunc(directories, func(prefix string) bool { return strings.HasPrefix(r.Route, prefix) })
	}
	return true
}

// directories are the beginnings of the routes that show users, groups and members.
var directories = []string{"GET /users", "GET /groups", "GET admin/users", "GET admin/groups", "GET admin/members", "GET admin/hasMember"}

// Spoil is what befalls a request. The zero value is nothing.
type Spoil struct {
	control.Fault
	Kind   control.FaultKind // by a plan; "" for none that changes the answer
	Choice uint64            // decides between the forms that a kind has
	// Age is how old the directory is that is to be shown. Whether anything has changed since is for the server to see, and
	// to Count.
	Age time.Duration
}

// Deal decides what befalls a request, a fault before a plan, and waits as long as that says. The error is the context's.
func (f *Faults) Deal(ctx context.Context, r Request) (Spoil, error) {
	s := f.decide(r)
	if s.Delay <= 0 {
		return s, nil
	}
	timer := f.clock.NewTimer(s.Delay)
	defer timer.Stop()
	select {
	case <-timer.C():
		return s, nil
	case <-ctx.Done():
		return s, ctx.Err()
	}
}

func (f *Faults) decide(r Request) Spoil {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s Spoil
	if p := f.planFor(r.Tenant); p != nil {
		s = p.roll(r) // also where a fault goes first: the story stays that of the n-th request
	}
	if fault, ok := f.next(r.Tenant, r.Route); ok {
		return Spoil{Fault: fault}
	}
	if s.Kind != "" && s.Kind != control.StaleRead && s.Kind != control.ShortPage { // those are seen when they are shown
		f.deal(r.Tenant, s.Kind)
	}
	if s.Delay > 0 {
		f.deal(r.Tenant, control.Slow)
	}
	return s
}

// Size is how many entries a page may have that is to have so many.
func (s Spoil) Size(size int) int {
	if s.Kind == control.ShortPage {
		return max(1, size/2)
	}
	return size
}

// RetryHeader is the header that a spoiled answer has; nil for none.
func (s Spoil) RetryHeader() http.Header {
	if s.RetryAfter <= 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(s.RetryAfter)}}
}

// Tears reports whether the answer does not arrive whole.
func (s Spoil) Tears() bool { return s.Kind == control.Cut || s.Kind == control.HalfPage }

// Early reports whether the connection is cut before the request is carried out.
func (s Spoil) Early() bool { return s.Kind == control.Cut && s.Choice%2 == 0 }

// Writer is where the request is answered: w, or what keeps the answer so that Tear can tear it.
func (s Spoil) Writer(w http.ResponseWriter) http.ResponseWriter {
	if !s.Tears() {
		return w
	}
	return &kept{ResponseWriter: w, status: http.StatusOK, half: s.Kind == control.HalfPage}
}

// kept is an answer that is not sent yet.
type kept struct {
	http.ResponseWriter
	body   bytes.Buffer
	status int
	half   bool
}

func (k *kept) WriteHeader(status int)         { k.status = status }
func (k *kept) Write(part []byte) (int, error) { return k.body.Write(part) }
func (k *kept) Unwrap() http.ResponseWriter    { return k.ResponseWriter }

// Tear ends the connection, behind the first half of the answer where there is to be one, when w is a Writer that tears.
// It does not return then: nothing else makes net/http cut a connection.
func Tear(w http.ResponseWriter) {
	k, ok := w.(*kept)
	if !ok {
		return
	}
	if k.half {
		whole := k.body.Bytes()
		k.Header().Set("Content-Length", strconv.Itoa(len(whole)))
		k.ResponseWriter.WriteHeader(k.status)
		_, _ = k.ResponseWriter.Write(whole[:len(whole)/2]) // the caller is gone; there is nobody to tell
		_ = http.NewResponseController(k.ResponseWriter).Flush()
	}
	panic(http.ErrAbortHandler)
}
