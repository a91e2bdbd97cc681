// Package problem says to a program why it gets no answer: as a problem document (RFC 9457) with a code that never changes its
// meaning. What an error is told as stands here and nowhere else.
package problem

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// ContentType of a problem document.
const ContentType = "application/problem+json"

// Problem is a problem document.
type Problem struct {
	Type   string  `json:"type"` // "urn:rollcall:problem:" and the code
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   Code    `json:"code"`
	Detail string  `json:"detail,omitempty"` // this time, for people
	Faults []Fault `json:"faults,omitempty"` // of a request

	Revision int      `json:"revision,omitempty"` // of a held change's list, with HeldChanged
	Changes  []Change `json:"changes,omitempty"`  // of that list, since the revision that was named

	Findings []receiver.Finding `json:"findings,omitempty"` // of a look at a directory, with NotProved and NotConsented
	Consent  string             `json:"consent,omitempty"`  // where an admin consents, with NotConsented

	RetryAfter time.Duration `json:"-"` // goes into the header
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Where   string `json:"where"` // query:limit, header:Idempotency-Key, body:/purchased
	Message string `json:"message"`
}

// Change is what has changed of one line of a held change's list.
type Change struct {
	User   string `json:"user"`
	Listed bool   `json:"listed"`
	Would  bool   `json:"would_be_licensed,omitempty"`
	Reason string `json:"would_be_reason,omitempty"`
}

// New makes a problem of a code. The detail is for people, and may be empty.
func New(code Code, detail string) *Problem {
	k := kinds[code]
	return &Problem{
		Type: "urn:rollcall:problem:" + string(code), Title: k.title, Status: k.status, Code: code, Detail: detail, RetryAfter: k.retry,
	}
}

// Error makes a problem an error, so that whoever finds it first can hand it up.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// address is what might be somebody's. Errors name nobody by one: they end in logs and on screens of others.
var address = regexp.MustCompile(`[^\s"'<>(),;:]+@[^\s"'<>(),;:]+`)

func scrub(text string) string { return address.ReplaceAllString(text, "(address)") }

// Told is the problem as it is told: without anybody's address.
func (p *Problem) Told() Problem {
	told := *p
	told.Detail = scrub(p.Detail)
	told.Faults = nil
	for _, f := range p.Faults {
		told.Faults = append(told.Faults, Fault{Where: scrub(f.Where), Message: scrub(f.Message)})
	}
	told.Findings = nil
	for _, f := range p.Findings {
		f.Detail, f.Action = scrub(f.Detail), scrub(f.Action)
		told.Findings = append(told.Findings, f)
	}
	return told
}

// Write answers a request with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	body, err := json.Marshal(p.Told())
	if err != nil { // its fields are text and numbers
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", ContentType)
	header.Set("Cache-Control", "no-store")
	header.Del("ETag")
	if p.Status == http.StatusUnauthorized && header.Get("WWW-Authenticate") == "" {
		header.Set("WWW-Authenticate", `Bearer realm="rollcall"`)
	}
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(max(1, int(p.RetryAfter.Round(time.Second)/time.Second))))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone is told nothing
}
