package workspace

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

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
	query  url.Values
	caller googleauth.Caller
	route  string // as counted
	spoil  traffic.Spoil
	short  bool // the page is smaller than it should be
	more   bool // and others follow
	now    time.Time
	items  int // in the answer
}

type handler func(*call) error

// object is a JSON object of an answer.
type object = map[string]any

// standardQuota is what an admin may ask in a minute. Source: guides/limits.
const standardQuota = 2400

var errQuota = googleerror.Quota(http.StatusForbidden)

// wrap authenticates, spoils on demand, minds the quota, runs the handler, answers its error and counts.
func (s *Server) wrap(route string, need right, f handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r, query: r.URL.Query(), route: route, now: s.Clock.Now()}
		if route == "GET admin/users" && showDeleted(c.query) {
			c.route += " deleted"
		}
		err := s.admit(c, need)
		if err == nil {
			err = f(c)
		}
		served := control.Counter{Requests: 1, Items: c.items}
		if c.spoil.Tears() {
			served = control.Counter{Requests: 1, Failed: 1}
		}
		if err != nil {
			status := googleerror.Write(c.w, known(err))
			served = control.Counter{Requests: 1, Failed: 1}
			if status == http.StatusTooManyRequests || c.spoil.Kind == control.Throttled || errors.Is(err, errQuota) {
				served = control.Counter{Requests: 1, Throttled: 1}
			}
		}
		s.Meter.Count(c.tenant().DirectoryID, c.route, served)
		if c.short && c.more {
			s.Faults.Count(c.tenant().DirectoryID, control.ShortPage)
		}
		traffic.Tear(c.w)
	})
}

// admit checks who calls, injects faults and minds the quota, in that order.
func (s *Server) admit(c *call, need right) error {
	var err error
	if c.caller, err = s.Callers.Caller(c.r); err != nil {
		return err
	}
	c.spoil, err = s.Faults.Deal(c.r.Context(), traffic.Request{
		Tenant: c.tenant().DirectoryID, Route: c.route, Cursor: c.r.Method == http.MethodGet && c.query.Get("pageToken") != "",
	})
	c.w = c.spoil.Writer(c.w)
	switch {
	case err != nil:
		return err
	case c.spoil.Status != 0 || c.spoil.Early():
		return spoiled(c.spoil)
	}
	limit := s.Settings().QuotaPerMinute
	if limit == 0 {
		limit = standardQuota
	}
	if !s.quota.Take(c.tenant().App.ClientID+" "+c.caller.Admin, s.Clock.Now(), limit) {
		return errQuota
	}
	return c.caller.May(need.privilege, need.scopes...)
}

// view shows a tenant, or for a stale read its replica.
func (s *Server) view(c *call, f func(store.View) error) error {
	tenant := c.tenant().DirectoryID
	if c.spoil.Age > 0 {
		shown, err := s.Store.ViewBehind(tenant, s.Clock.Now().Add(-c.spoil.Age), nil, f)
		if shown {
			s.Faults.Count(tenant, control.StaleRead)
		}
		if shown || err != nil {
			return err
		}
	}
	return s.Store.View(tenant, f)
}

// spoiled is the error that a fault asks for. A request can be throttled in either of two ways.
func spoiled(s traffic.Spoil) error {
	switch {
	case s.Kind == control.Throttled && s.Choice%2 == 0:
		e := *errQuota
		e.Header = s.RetryHeader()
		return &e
	case s.Kind == control.Forbidden:
		return googleerror.NotAuthorized()
	}
	e := googleerror.Spoiled(s.Status)
	e.Header = s.RetryHeader()
	return e
}

// known turns the store's errors into Google's.
func known(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return googleerror.NotFound("customer")
	}
	return err
}

func (c *call) tenant() store.Tenant { return c.caller.Tenant }

// customer checks the parameter customer, if there is one: my_customer, or the customer's own id.
func (c *call) customer() error {
	switch c.query.Get("customer") {
	case "", "my_customer", c.tenant().DirectoryID:
		return nil
	}
	return googleerror.NotAuthorized()
}

// reply answers with the parts of a JSON object that the request asks for.
func (c *call) reply(of shape, v object) error {
	selected, err := parseMask(c.query.Get("fields"), of)
	if err != nil {
		return err
	}
	c.more = v["nextPageToken"] != nil
	if tag, ok := v["etag"].(string); ok {
		c.w.Header().Set("ETag", tag)
	}
	return c.encode(selected.apply(v))
}

func (c *call) encode(v any) error {
	c.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	enc := json.NewEncoder(c.w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the caller is gone; there is nobody to tell
	return nil
}

// tagged gives an object an ETag of what is in it and below it.
func tagged(v object) object {
	h := fnv.New64a()
	digest(h, v)
	v["etag"] = `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)) + `"`
	return v
}

// digest feeds a value to a hash. Of an object that has an ETag already, that is all.
func digest(h io.Writer, v any) {
	switch v := v.(type) {
	case object:
		if tag, ok := v["etag"].(string); ok {
			_, _ = io.WriteString(h, tag)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			_, _ = io.WriteString(h, name+"=")
			digest(h, v[name])
		}
	case []object:
		for _, item := range v {
			digest(h, item)
		}
	case []string:
		for _, item := range v {
			digest(h, item)
		}
	case string:
		_, _ = io.WriteString(h, v+"\n")
	case bool:
		_, _ = io.WriteString(h, strconv.FormatBool(v)+"\n")
	}
}
