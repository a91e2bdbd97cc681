package controlapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func (s *Server) trafficRoutes(mux *http.ServeMux) {
	route(mux, "GET /control/counters", func(r *http.Request) (any, error) {
		id, err := s.directoryID(r.URL.Query().Get("tenant"))
		return s.Meter.Totals(id), err
	})
	route(mux, "DELETE /control/counters", func(*http.Request) (any, error) {
		s.Meter.Reset()
		s.Faults.Reset()
		return done, nil
	})
	route(mux, "POST /control/faults", s.addFault)
	route(mux, "DELETE /control/faults", func(*http.Request) (any, error) { s.Faults.Clear(); return done, nil })
	route(mux, "PUT /control/push", s.setPush)
	route(mux, "GET /control/settings", func(*http.Request) (any, error) { return s.Settings.Load(), nil })
	route(mux, "PUT /control/settings", func(r *http.Request) (any, error) {
		var body control.Settings
		if err := decode(r, &body); err != nil {
			return nil, err
		}
		if !inRange(body) {
			return nil, invalid("settings: out of range")
		}
		s.Settings.Store(&body)
		return done, nil
	})
	s.tenantRoute(mux, "GET", "/deliveries", func(r *http.Request, t store.Tenant) (any, error) {
		after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
		if err != nil {
			return nil, invalid("after: want a version")
		}
		if t.Workspace() {
			return s.GooglePush.Deliveries(t.DirectoryID, after), nil
		}
		return s.Push.Deliveries(t.DirectoryID, after), nil
	})
	s.tenantRoute(mux, "GET", "/subscriptions", s.listSubscriptions)
	s.tenantRoute(mux, "DELETE", "/subscriptions/{id}", func(r *http.Request, t store.Tenant) (any, error) {
		return done, s.Store.DeleteSubscriptions(t.DirectoryID, r.PathValue("id"))
	})
	s.tenantRoute(mux, "POST", "/subscriptions/{id}/lifecycle", func(r *http.Request, t store.Tenant) (any, error) {
		var event string
		if err := decode(r, &event); err != nil {
			return nil, err
		}
		return done, s.Push.Lifecycle(t.DirectoryID, r.PathValue("id"), event)
	})
}

// directoryID finds a tenant's directory id; no name means no tenant in particular.
func (s *Server) directoryID(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	t, ok := s.Store.Tenant(name)
	if !ok {
		return "", invalid("tenant %q is not known", name)
	}
	return t.DirectoryID, nil
}

func (s *Server) addFault(r *http.Request) (any, error) {
	var body control.Fault
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if body.Status != 0 && (body.Status < 400 || body.Status > 599) || body.Count < 0 || body.Every < 0 || body.Delay < 0 || body.RetryAfter < 0 {
		return nil, invalid("fault: out of range")
	}
	var err error
	if body.Tenant, err = s.directoryID(body.Tenant); err != nil {
		return nil, err
	}
	s.Faults.Add(body)
	return done, nil
}

func (s *Server) setPush(r *http.Request) (any, error) {
	var body control.Push
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	switch body.Mode {
	case control.PushOn, control.PushOff, control.PushHold:
	default:
		return nil, invalid("push mode %q", body.Mode)
	}
	if body.Duplicates < 0 || body.Duplicates > 10 {
		return nil, invalid("duplicates: want 0 to 10")
	}
	if body.Drop < 0 || body.Drop > 1 || body.Delay < 0 || body.AfterStop < 0 {
		return nil, invalid("push: out of range")
	}
	s.Push.Set(body)
	s.GooglePush.Set(body)
	return done, nil
}

func inRange(s control.Settings) bool {
	for _, n := range []int{s.PageSize, s.SubscriptionQuota, s.QuotaPerMinute, s.FilterQuotaPerMinute} {
		if n < 0 {
			return false
		}
	}
	for _, d := range []time.Duration{s.DeltaLag, s.ActivityLagJitter, s.ChannelLife, s.MemberLag} {
		if d < 0 {
			return false
		}
	}
	for _, d := range s.ActivityLag {
		if d < 0 {
			return false
		}
	}
	return s.PageSize <= 999
}

func (s *Server) listSubscriptions(_ *http.Request, t store.Tenant) (any, error) {
	out := []control.Subscription{}
	return &out, s.Store.View(t.DirectoryID, func(v store.View) error {
		for _, sub := range v.Subscriptions() {
			out = append(out, control.Subscription{
				ID: sub.ID, Resource: sub.Resource, ChangeType: sub.ChangeType, NotificationURL: sub.URL,
				LifecycleURL: sub.LifecycleURL, Expires: sub.Expires,
			})
		}
		return nil
	})
}
