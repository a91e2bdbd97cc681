// Package reports is Google's Reports API as far as it lists, and watches, what was done in a directory. Activities are
// not kept: they are written from the store's log of changes whenever somebody asks, and so are the same ever after.
//
// Sources: the discovery document admin/reports/v1/admin-api.json of google.golang.org/api, and below
// developers.google.com/workspace/admin/reports/v1: guides/push, limits, appendix/activity.
package reports

import (
	"net/http"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleauth"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// Tokens tells who makes a request. Errors are a *googleerror.Error.
type Tokens interface {
	Caller(r *http.Request) (googleauth.Caller, error)
}

// Config is what the API works with.
type Config struct {
	Store    *store.Store
	Tokens   Tokens
	Push     *googlepush.Hub
	Meter    *traffic.Meter
	Faults   *traffic.Faults
	Clock    clock.Clock
	Settings func() control.Settings // nil means the zero value
}

// Server answers Reports requests and feeds the pushes of activities.
type Server struct {
	Config
	queries, filterQueries *traffic.Quota
}

// New returns a server, and makes it a source of the hub.
func New(cfg Config) *Server {
	if cfg.Settings == nil {
		cfg.Settings = func() control.Settings { return control.Settings{} }
	}
	s := &Server{Config: cfg, queries: traffic.NewQuota(), filterQueries: traffic.NewQuota()}
	cfg.Push.Feed(s.messages)
	return s
}

// Handler serves everything below /admin/reports/ and /admin/reports_v1/.
func (s *Server) Handler() http.Handler {
	const activities = "/admin/reports/v1/activity/users/{userKey}/applications/{applicationName}"
	mux := http.NewServeMux()
	mux.Handle("GET "+activities, s.wrap("GET admin/activities", s.list))
	mux.Handle("POST "+activities+"/watch", s.wrap("POST admin/activities", s.watch))
	mux.Handle("POST /admin/reports_v1/channels/stop", s.wrap("POST admin/reports/channels/stop", s.stop))
	mux.HandleFunc("/", notFound)
	return mux
}

// route is the name under which a request is counted and spoiled: the application's behind that of the method.
func route(name string, r *http.Request) string {
	if app := r.PathValue("applicationName"); listed(app) {
		return name + "/" + app
	}
	return name
}

// failed is how a request that was answered with a status is counted.
func failed(status int) control.Counter {
	if status == http.StatusTooManyRequests {
		return control.Counter{Requests: 1, Throttled: 1}
	}
	return control.Counter{Requests: 1, Failed: 1}
}
