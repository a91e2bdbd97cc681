package controlcenter

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/authzen"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Nobody gets past the guard without a proof, by no path and no method, but to where one signs in, to what pages are made of and to
// where AuthZEN is found.
func TestNothingIsReachedWithoutAProof(t *testing.T) {
	t.Parallel()
	open := map[string]bool{
		"GET /sign-in": true, "HEAD /sign-in": true, "GET /sign-in/none": true, "HEAD /sign-in/none": true, "GET /sign-in/none/callback": true,
		"HEAD /sign-in/none/callback": true, "POST /sign-in/development": true, "POST /sign-out": true, "GET /assets/rollcall.css": true,
		"HEAD /assets/rollcall.css": true, "GET /sign-in/development": true, "HEAD /sign-in/development": true,
	}
	paths := []string{
		"/", "/sign-in", "/sign-in/none", "/sign-in/none/callback", "/sign-in/development", "/sign-out", "/assets/rollcall.css", "/assets/", "/assets/../tenants/contoso",
		authzen.MetadataPath, "/.well-known/", "/api", "/api/", "/access", "/access/", "/access/v1/evaluation", "/access/v1/evaluations",
		"/access/v1/search/subject", "/access/v1/search/resource", "/access/v1/search/action", "/tenants", "/metrics", "/debug/pprof/",
		"/connect", "/connect/x", "/connect/x/check", "/connect/x/consent", "/connect/entra/callback?state=x&admin_consent=True",
	}
	for _, part := range []string{
		"", "/live", "/usage", "/users", "/users.csv", "/users/ann", "/users/ann/check", "/activity", "/held/flip-1", "/held/flip-1/approve", "/held/flip-1/reject",
		"/connections", "/refreshes", "/refreshes/k?at=1", "/refreshes/k/progress?at=1", "/settings", "/settings/seats", "/settings/hold", "/settings/standing",
	} {
		paths = append(paths, "/tenants/contoso"+part)
	}
	for path := range centertest.Document(t).Paths.Map() {
		paths = append(paths, strings.NewReplacer("{tenant}", "contoso", "{", "", "}", "").Replace(path))
	}
	made, _ := center(t, bustest.New(t), clock.NewFake(centertest.Nine), false)
	for i, path := range paths {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch} {
			r := httptest.NewRequestWithContext(t.Context(), method, "http://rollcall.example.com"+path, nil)
			r.RemoteAddr = "[2001:db8:0:" + string("0123456789abcdef"[i/16]) + string("0123456789abcdef"[i%16]) + "::1]:1" // one address may ask only so often
			w := httptest.NewRecorder()
			made.Handler().ServeHTTP(w, r)
			to := w.Header().Get("Location")
			guarded := w.Code == http.StatusUnauthorized || w.Code == http.StatusSeeOther && strings.HasPrefix(to, "/sign-in")
			elsewhere := w.Code == http.StatusTemporaryRedirect && to != path // the path as it is to be written, which is guarded
			if !guarded && !elsewhere && !open[method+" "+path] && path != authzen.MetadataPath {
				t.Errorf("%s %s: %d, to %q", method, path, w.Code, to)
			}
			if w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s: without headers", method, path)
			}
		}
	}
}
