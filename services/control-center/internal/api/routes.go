package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// routes stands between the generated server and the mux: nothing is reached but through what the document says of it.
type routes struct {
	api        *API
	operations map[string]*operation
	taken      []string // patterns
	faults     []error
}

// HandleFunc takes one operation of the generated server.
func (r *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	o, known := r.operations[pattern]
	switch {
	case !known:
		r.faults = append(r.faults, fmt.Errorf("%s is generated and not in openapi.yaml", pattern))
		return
	case o.reach != anybody && o.reach != see && o.reach != orders && o.reach != operates:
		r.faults = append(r.faults, fmt.Errorf("%s: x-rollcall-access is %q", pattern, o.reach))
		return
	}
	r.taken = append(r.taken, pattern)
	r.api.mux.HandleFunc(pattern, r.api.serve(o, handler))
}

func (r *routes) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.api.mux.ServeHTTP(w, req) }

// complete adds an answer for every other method, and says whether anything of the document is missing.
func (r *routes) complete() error {
	methods := map[string][]string{}
	for pattern := range r.operations {
		method, path, _ := strings.Cut(pattern, " ")
		methods[path] = append(methods[path], method)
		if !slices.Contains(r.taken, pattern) {
			r.faults = append(r.faults, fmt.Errorf("%s is in openapi.yaml and not generated", pattern))
		}
	}
	for path, allowed := range methods {
		if slices.Contains(allowed, http.MethodGet) {
			allowed = append(allowed, http.MethodHead)
		}
		slices.Sort(allowed)
		r.api.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			problem.New(problem.MethodNotAllowed, "").Write(w)
		})
	}
	return errors.Join(r.faults...)
}

// serve is what every request goes through.
func (a *API) serve(o *operation, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := o.admit(r)
		if err == nil {
			err = o.check(w, r)
		}
		switch {
		case err != nil:
			a.fail(w, r, err)
		case o.route.Method == http.MethodGet:
			tagged(handler).ServeHTTP(w, r)
		default:
			w.Header().Set("Cache-Control", "no-store")
			handler(w, r)
		}
	}
}
