package reports

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// list answers activities.list: what has become visible, the newest first.
func (s *Server) list(c *call) error {
	values := c.r.URL.Query()
	q, err := readQuery(c.r.PathValue("applicationName"), c.r.PathValue("userKey"), values, s.Clock.Now())
	if err != nil {
		return err
	}
	if c.spoil.Kind == control.Expired {
		return googleerror.InvalidParameter("pageToken", last(values, "pageToken"))
	}
	var page []activity
	var more bool
	err = s.Store.View(c.caller.Tenant.DirectoryID, func(v store.View) error {
		if err := checkWhose(v, last(values, "customerId"), q.user); err != nil {
			return err
		}
		size := q.size
		if most := s.Settings().PageSize; most > 0 {
			size = min(size, most)
		}
		q.size = c.spoil.Size(size)
		if page, more = s.page(v, q); more && q.size < size {
			s.Faults.Count(c.caller.Tenant.DirectoryID, control.ShortPage)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.items = len(page)
	out := map[string]any{"kind": "admin#reports#activities", "etag": etag(q, page)}
	items := make([]any, len(page))
	for i, a := range page {
		items[i] = a.render()
	}
	if len(items) > 0 {
		out["items"] = items
	}
	if more {
		end := page[len(page)-1]
		out["nextPageToken"] = pageToken{
			Start: q.start.UnixMilli(), End: q.end.UnixMilli(), First: end.first, Index: uint32(end.index), Sum: q.sum(values), //nolint:gosec // small
		}.String()
	}
	return c.reply(out)
}

// checkWhose refuses another customer, and an actor who is not there. One who is deleted can be named by id only.
func checkWhose(v store.View, customer, user string) error {
	if customer != "" && customer != "my_customer" && customer != v.Tenant().DirectoryID {
		return googleerror.NotAuthorized()
	}
	if user == "all" || v.User(user) != nil {
		return nil
	}
	for _, id := range v.At(user) {
		if v.User(id) != nil {
			return nil
		}
	}
	return googleerror.NotFound("userKey")
}

// page collects the activities of one page.
func (s *Server) page(v store.View, q query) (page []activity, more bool) {
	settings, now := s.Settings(), s.Clock.Now()
	w := newScribe(v, settings.OpaqueIDs)
	changes := v.Changes(v.VersionAt(q.start.Add(-time.Millisecond)), v.VersionAt(q.end.Add(time.Millisecond)))
	for mutation := range backwards(changes) {
		if q.after != nil && mutation[0].Version > q.after.First {
			continue
		}
		written := w.write(q.app, mutation)
		for i := len(written) - 1; i >= 0; i-- {
			a := written[i]
			if !q.shows(a) || a.visible(settings).After(now) {
				continue
			}
			if len(page) == q.size {
				return page, true
			}
			page = append(page, a)
		}
	}
	return page, false
}

// shows reports whether the query asks for the activity.
func (q query) shows(a activity) bool {
	if at := a.time(); at.Before(q.start) || at.After(q.end) {
		return false
	}
	if q.after != nil && (a.first > q.after.First || a.first == q.after.First && a.index >= int(q.after.Index)) {
		return false
	}
	if q.user != "all" && !a.by(q.user) {
		return false
	}
	_, ok := q.want.match(a)
	return ok
}

func etag(q query, page []activity) string {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, q.app, q.user, q.start, q.end, len(page)) // a hash takes everything
	for _, a := range page {
		_, _ = fmt.Fprintln(h, a.qualifier())
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)) + `"`
}
