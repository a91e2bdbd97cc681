// Package controlapi serves the simulator's control API; package control is its client and describes what it does.
package controlapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/push"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// Config is what the API works on.
type Config struct {
	Store       *store.Store
	Push        *push.Hub       // of Entra tenants
	GooglePush  *googlepush.Hub // of Workspace tenants
	Meter       *traffic.Meter
	Faults      *traffic.Faults
	Settings    *atomic.Pointer[control.Settings]
	AllowRemote bool // serve callers that are not on this machine
}

// Server answers control requests.
type Server struct{ Config }

// New returns a server.
func New(cfg Config) *Server { return &Server{cfg} }

const maxBody = 32 << 20 // bytes: 200,000 members fit, by address too

// Handler serves everything below /control/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.tenantRoutes(mux)
	s.userRoutes(mux)
	s.groupRoutes(mux)
	s.trafficRoutes(mux)
	s.planRoutes(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.AllowRemote && !fromHere(r) {
			fail(w, http.StatusForbidden, "forbidden", "the control API serves callers on this machine only")
			return
		}
		if via := r.URL.Query().Get("via"); !word.MatchString(via) {
			failWith(w, invalid("via %q: want up to 60 of a-z and hyphen", via))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// route serves a pattern below /control with a function that returns what to answer.
func route(mux *http.ServeMux, pattern string, f func(*http.Request) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		out, err := f(r)
		if err != nil {
			failWith(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the caller is gone; there is nobody to tell
	})
}

// tenantRoute is route below /control/tenants/{tenant}, with the tenant found.
func (s *Server) tenantRoute(mux *http.ServeMux, method, path string, f func(*http.Request, store.Tenant) (any, error)) {
	route(mux, method+" /control/tenants/{tenant}"+path, func(r *http.Request) (any, error) {
		t, ok := s.Store.Tenant(r.PathValue("tenant"))
		if !ok {
			return nil, fmt.Errorf("tenant %q: %w", r.PathValue("tenant"), store.ErrNotFound)
		}
		return f(r, t)
	})
}

func failWith(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		fail(w, http.StatusNotFound, "not-found", err.Error())
	case errors.Is(err, store.ErrExists):
		fail(w, http.StatusConflict, "exists", err.Error())
	case errors.Is(err, errForgotten):
		fail(w, http.StatusGone, "forgotten", err.Error())
	case errors.Is(err, store.ErrInvalid):
		fail(w, http.StatusBadRequest, "invalid", err.Error())
	default:
		fail(w, http.StatusInternalServerError, "internal", err.Error())
	}
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message})
}

// decode reads a body strictly: a name that is not known is a typing error.
func decode(r *http.Request, out any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(out)
	if err == nil {
		if _, trailing := dec.Token(); !errors.Is(trailing, io.EOF) {
			err = errors.New("there is more than one JSON value")
		}
	}
	if err != nil {
		return fmt.Errorf("request body: %w: %w", err, store.ErrInvalid)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), store.ErrInvalid)
}

func change(r store.Result) control.Change {
	return control.Change{ID: r.ID, Version: r.Version, At: r.At, Count: r.Count}
}

var word = regexp.MustCompile(`^[a-z-]{0,60}$`)

// as is the store with changes told as made in the way that the request says.
func (s *Server) as(r *http.Request) *store.Store {
	return s.Store.Via(store.Via(r.URL.Query().Get("via")))
}

// done is the answer of what has nothing to tell.
var done = struct{}{}
