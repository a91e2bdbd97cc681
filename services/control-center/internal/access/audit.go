package access

import (
	"net/http"
	"strings"
)

// questions are below a path where POST asks and changes nothing.
const questions = "/access/v1/"

// commands reports whether a request may change something.
func commands(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return !strings.HasPrefix(r.URL.Path, questions)
}

// commanded writes the line of a request that may have changed something. It names the route and not the path, in which
// there may be an address.
func (g *Guard) commanded(r *http.Request, p Principal, status int) {
	g.deps.Logger.InfoContext(r.Context(), "command", "principal", p.ID, "role", string(p.Role), "route", route(r),
		"tenant", r.PathValue("tenant"), "status", status)
}

// refused writes the line of a request that is not answered.
func (g *Guard) refused(r *http.Request, principal, why string) {
	g.deps.Logger.WarnContext(r.Context(), "refused", "principal", principal, "method", r.Method, "why", why)
}

// route is the pattern that served a request; nothing of the request itself is in it.
func route(r *http.Request) string {
	if r.Pattern != "" {
		return r.Pattern
	}
	return r.Method
}

// answered remembers what was answered.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	if a.status == 0 || a.status < http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answered) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
