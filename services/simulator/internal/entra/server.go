// Package entra speaks Microsoft Graph v1.0 over simulated directories: users, groups, members, delta queries and
// subscriptions, as learn.microsoft.com/graph documents them.
package entra

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// Verifier reads the access tokens that the identity platform issued.
type Verifier interface {
	Verify(token string) (tenant, app string, err error)
}

// Validator does the handshake with a notification URL.
type Validator interface {
	Validate(ctx context.Context, notificationURL string) error
}

// Config is what the Graph server works with.
type Config struct {
	Store             *store.Store
	Tokens            Verifier
	Push              Validator
	Meter             *traffic.Meter
	Faults            *traffic.Faults
	Settings          func() control.Settings
	Clock             clock.Clock
	AllowLoopbackHTTP bool
}

// Server answers Graph requests.
type Server struct{ Config }

// New returns a server.
func New(cfg Config) *Server { return &Server{cfg} }

// Handler serves everything below /v1.0/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern, route string, need right, f handler) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" /v1.0"+path, s.wrap(route, need, f))
	}
	for _, form := range []string{"delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()"} {
		handle("GET /users/"+form, "GET /users/delta", readUsers, s.usersDelta)
		handle("GET /groups/"+form, "GET /groups/delta", readGroups, s.groupsDelta)
	}
	handle("GET /users", "GET /users", readUsers, s.listUsers)
	handle("GET /users/$count", "GET /users/$count", readUsers, s.countUsers)
	handle("GET /users/{id}", "GET /users/{id}", readUsers, s.getUser)
	handle("GET /groups", "GET /groups", readGroups, s.listGroups)
	handle("GET /groups/{id}", "GET /groups/{id}", readGroups, s.getGroup)
	for _, nav := range []string{"members", "transitiveMembers"} {
		route := "GET /groups/{id}/" + nav
		f := s.members(nav == "transitiveMembers")
		handle(route, route, readGroups, f)
		handle(route+"/{cast}", route, readGroups, f)
	}
	handle("POST /groups/{id}/members/$ref", "POST /groups/{id}/members/$ref", writeMembers, s.addMember)
	handle("DELETE /groups/{id}/members/{member}/$ref", "DELETE /groups/{id}/members/{id}/$ref", writeMembers, s.removeMember)
	handle("PATCH /groups/{id}", "PATCH /groups/{id}", writeMembers, s.patchGroup)
	handle("GET /subscriptions", "GET /subscriptions", anyApp, s.listSubscriptions)
	handle("POST /subscriptions", "POST /subscriptions", anyApp, s.createSubscription)
	handle("GET /subscriptions/{id}", "GET /subscriptions/{id}", anyApp, s.getSubscription)
	handle("PATCH /subscriptions/{id}", "PATCH /subscriptions/{id}", anyApp, s.renewSubscription)
	handle("DELETE /subscriptions/{id}", "DELETE /subscriptions/{id}", anyApp, s.deleteSubscription)
	handle("POST /subscriptions/{id}/reauthorize", "POST /subscriptions/{id}/reauthorize", anyApp, s.reauthorize)
	mux.Handle("/v1.0/", s.wrap("other", anyApp, func(c *call) error {
		return badQuery("Resource not found for the segment '%s'.", strings.TrimPrefix(c.r.URL.Path, "/v1.0/"))
	}))
	return mux
}

func (s *Server) now() time.Time { return s.Clock.Now().UTC() }
