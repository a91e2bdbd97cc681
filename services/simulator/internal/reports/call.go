package reports

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleauth"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// call is one request under way.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	caller googleauth.Caller
	spoil  traffic.Spoil
	items  int // in the answer
}

// wrap authenticates, spoils on demand, minds the quota, runs the handler, answers its error and counts.
func (s *Server) wrap(name string, f func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r}
		route := route(name, r)
		err := s.admit(c, route)
		if err == nil {
			err = f(c)
		}
		served := control.Counter{Requests: 1, Items: c.items}
		if c.spoil.Tears() {
			served = control.Counter{Requests: 1, Failed: 1}
		}
		if err != nil {
			served = failed(googleerror.Write(c.w, known(err)))
			if errors.Is(err, errQuota) {
				served = control.Counter{Requests: 1, Throttled: 1}
			}
		}
		s.Meter.Count(c.caller.Tenant.DirectoryID, route, served)
		traffic.Tear(c.w)
	})
}

// admit checks who calls, injects faults and minds the quota, in that order.
func (s *Server) admit(c *call, route string) error {
	var err error
	if c.caller, err = s.Tokens.Caller(c.r); err != nil {
		return err
	}
	c.spoil, err = s.Faults.Deal(c.r.Context(), traffic.Request{
		Tenant: c.caller.Tenant.DirectoryID, Route: route, Cursor: c.r.Method == http.MethodGet && c.r.URL.Query().Get("pageToken") != "",
	})
	c.w = c.spoil.Writer(c.w)
	switch {
	case err != nil:
		return err
	case c.spoil.Status != 0 || c.spoil.Early():
		return spoiled(c.spoil)
	}
	if err := s.spend(c); err != nil {
		return err
	}
	if err := c.caller.May(control.PrivilegeReports, control.ScopeReports); err == nil || c.caller.Privileged(control.PrivilegeReports) {
		return err
	}
	return googleerror.NoActivities()
}

// known turns the store's errors into Google's.
func known(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return googleerror.NotFound("customer")
	}
	return err
}

// reply answers with JSON.
func (c *call) reply(v any) error {
	c.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	enc := json.NewEncoder(c.w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the caller is gone; there is nobody to tell
	return nil
}

func notFound(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 64<<10))
	googleerror.Write(w, &googleerror.Error{Status: http.StatusNotFound, Reason: "notFound", Message: "Not Found"})
}
