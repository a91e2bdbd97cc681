package reports

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// api is where this API's channels are made.
const api = "admin/reports"

// watch answers activities.watch.
func (s *Server) watch(c *call) error {
	app, values := c.r.PathValue("applicationName"), c.r.URL.Query()
	if !watchable(app) {
		return googleerror.InvalidParameter("applicationName", app)
	}
	q, err := readQuery(app, c.r.PathValue("userKey"), values, s.Clock.Now())
	if err != nil {
		return err
	}
	asked, err := googlepush.ReadChannel(c.r.Body)
	if err != nil {
		return err
	}
	err = s.Store.View(c.caller.Tenant.DirectoryID, func(v store.View) error { return checkWhose(v, last(values, "customerId"), q.user) })
	if err != nil {
		return err
	}
	channel, err := s.Push.Watch(c.r.Context(), c.owner(), resource(c.r.URL.Path, values), asked)
	if err != nil {
		return err
	}
	c.items = 1
	return c.reply(channel)
}

// stop answers channels.stop.
func (s *Server) stop(c *call) error {
	asked, err := googlepush.ReadChannel(c.r.Body)
	if err != nil {
		return err
	}
	if err := s.Push.Stop(c.owner(), api, asked); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) owner() googlepush.Owner {
	return googlepush.Owner{Tenant: c.caller.Tenant.DirectoryID, Client: c.caller.Tenant.App.ClientID, Subject: c.caller.Admin}
}

// resource is what a channel watches: the path without watch, and those parameters that choose what is told.
func resource(path string, values url.Values) string {
	out := strings.TrimPrefix(strings.TrimSuffix(path, "/watch"), "/")
	chosen := url.Values{}
	for _, name := range []string{"eventName", "filters", "actorIpAddress", "customerId"} {
		if value := last(values, name); value != "" {
			chosen.Set(name, value)
		}
	}
	if len(chosen) == 0 {
		return out
	}
	return out + "?" + chosen.Encode()
}

// messages makes the pushes of a mutation's activities: one for each, when it becomes visible.
func (s *Server) messages(v store.View, changes []store.Change) []googlepush.Message {
	settings := s.Settings()
	w := newScribe(v, settings.OpaqueIDs)
	var out []googlepush.Message
	for _, app := range logging() {
		for _, a := range w.write(app, changes) {
			out = append(out, googlepush.Message{
				Version: a.version, Name: app + "/" + a.events[0].Name, Due: a.visible(settings),
				State: a.state,
				Body:  func() ([]byte, error) { return json.Marshal(a.render()) },
			})
		}
	}
	return out
}

// state is the name of the event that a channel is told of, if it watches the activity.
func (a activity) state(w googlepush.Watched) (string, bool) {
	parts := strings.Split(w.Path, "/") // admin/reports/v1/activity/users/{userKey}/applications/{applicationName}
	if len(parts) != 8 || !slices.Equal(parts[:5], []string{"admin", "reports", "v1", "activity", "users"}) || parts[7] != a.app {
		return "", false
	}
	if user := parts[5]; user != "all" && !a.by(user) {
		return "", false
	}
	want, err := readFilter(w.Query.Get("eventName"), w.Query.Get("filters"), w.Query.Get("actorIpAddress"))
	if err != nil {
		return "", false
	}
	return want.match(a)
}
