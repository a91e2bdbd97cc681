// Package workspace is Google's Directory API as far as it reads users, groups and members and watches users.
//
// Sources: the discovery document admin/directory/v1/admin-api.json of google.golang.org/api, and below
// developers.google.com/workspace/admin/directory/v1: guides/manage-users, manage-group-members, push, limits.
package workspace

import (
	"net/http"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleauth"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// Callers tells who makes a request. Errors are *googleerror.Error.
type Callers interface {
	Caller(r *http.Request) (googleauth.Caller, error)
}

// Config is what the API works with.
type Config struct {
	Store    *store.Store
	Callers  Callers
	Push     *googlepush.Hub
	Meter    *traffic.Meter
	Faults   *traffic.Faults
	Clock    clock.Clock
	Settings func() control.Settings
}

// Server answers Directory requests.
type Server struct {
	Config
	quota *traffic.Quota
}

// New returns a server.
func New(cfg Config) *Server { return &Server{Config: cfg, quota: traffic.NewQuota()} }

// The paths of the API begin with one of these.
const (
	Path     = "/admin/directory/v1/"
	StopPath = "/admin/directory_v1/channels/stop"
)

const scopeBase = "https://www.googleapis.com/auth/"

// right is what a method needs: one of the scopes, and the admin's privilege.
type right struct {
	privilege string
	scopes    []string
}

func needs(privilege string, scopes ...string) right {
	r := right{privilege: privilege}
	for _, s := range scopes {
		r.scopes = append(r.scopes, scopeBase+s)
	}
	return r
}

// Handler serves everything below Path, and StopPath.
func (s *Server) Handler() http.Handler {
	users := needs(control.PrivilegeUsers, "admin.directory.user", "admin.directory.user.readonly")
	listing := needs(control.PrivilegeUsers, "admin.directory.user", "admin.directory.user.readonly", "cloud-platform")
	groups := needs(control.PrivilegeGroups, "admin.directory.group", "admin.directory.group.readonly")
	members := needs(control.PrivilegeGroups, "admin.directory.group", "admin.directory.group.readonly", "admin.directory.group.member", "admin.directory.group.member.readonly")
	mux := http.NewServeMux()
	handle := func(pattern, route string, need right, f handler) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" "+Path+path, s.wrap(route, need, f))
	}
	handle("GET users", "GET admin/users", listing, s.listUsers)
	handle("GET users/{userKey}", "GET admin/users/{userKey}", users, s.getUser)
	handle("POST users/watch", "POST admin/users/watch", listing, s.watchUsers)
	handle("GET groups", "GET admin/groups", groups, s.listGroups)
	handle("GET groups/{groupKey}", "GET admin/groups/{groupKey}", groups, s.getGroup)
	handle("GET groups/{groupKey}/members", "GET admin/members", members, s.listMembers)
	handle("GET groups/{groupKey}/members/{memberKey}", "GET admin/members/{memberKey}", members, s.getMember)
	handle("GET groups/{groupKey}/hasMember/{memberKey}", "GET admin/hasMember/{memberKey}", members, s.hasMember)
	mux.Handle("POST "+StopPath, s.wrap("POST admin/directory/channels/stop", listing, s.stopChannel))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		googleerror.Write(w, &googleerror.Error{Status: http.StatusNotFound, Reason: "notFound", Message: "Not Found"})
	})
	return mux
}
