package entra

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

const maxBody = 4 << 20 // bytes, unpacked; Graph's limit for a request

// call is one request under way.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	query  query
	tenant store.Tenant
	route  string // as counted
	spoil  traffic.Spoil
	short  bool            // the page is smaller than it should be
	more   bool            // and others follow
	served control.Counter // what the answer holds
}

type handler func(*call) error

// wrap authenticates, spoils on demand, runs the handler, answers its error and counts.
func (s *Server) wrap(route string, need right, f handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r, query: readQuery(r.URL), route: route}
		if strings.HasSuffix(route, "/delta") {
			c.route += " " + deltaPhase(c.query)
		}
		id := store.NewID()
		w.Header().Set("request-id", id)
		clientID := r.Header.Get("client-request-id")
		if clientID == "" {
			clientID = id
		}
		w.Header().Set("client-request-id", clientID)
		err := s.admit(c, need)
		if err == nil {
			err = f(c)
		}
		c.served.Requests = 1
		if c.spoil.Tears() {
			c.served = control.Counter{Requests: 1, Failed: 1}
		}
		if err != nil {
			status := s.fail(c, err, id, clientID)
			c.served = control.Counter{Requests: 1, Failed: 1}
			if status == http.StatusTooManyRequests {
				c.served = control.Counter{Requests: 1, Throttled: 1}
			}
		}
		s.Meter.Count(c.tenant.DirectoryID, c.route, c.served)
		if c.short && c.more {
			s.Faults.Count(c.tenant.DirectoryID, control.ShortPage)
		}
		traffic.Tear(c.w)
	})
}

// admit checks who calls and injects faults. A throttled request is told so even when it may not read.
func (s *Server) admit(c *call, need right) error {
	if err := s.authenticate(c); err != nil {
		return err
	}
	var err error
	c.spoil, err = s.Faults.Deal(c.r.Context(), traffic.Request{
		Tenant: c.tenant.DirectoryID, Route: c.route, Cursor: strings.HasSuffix(c.route, "/delta token"),
	})
	c.w = c.spoil.Writer(c.w)
	switch {
	case err != nil:
		return err
	case c.spoil.Status != 0 || c.spoil.Early():
		return spoiled(c.spoil)
	}
	if !allowed(c.tenant.App.Permissions, need) {
		return denied()
	}
	c.w.Header().Set("x-ms-resource-unit", strconv.Itoa(cost(c.route, c.query)))
	return unpack(c.r)
}

// view shows a tenant, or for a stale read its replica as far as that fits; a nil fits takes all.
func (s *Server) view(c *call, fits func(store.View) bool, f func(store.View) error) error {
	tenant := c.tenant.DirectoryID
	if c.spoil.Age > 0 {
		shown, err := s.Store.ViewBehind(tenant, s.now().Add(-c.spoil.Age), fits, f)
		if shown {
			s.Faults.Count(tenant, control.StaleRead)
		}
		if shown || err != nil {
			return err
		}
	}
	return s.Store.View(tenant, f)
}

// unpack undoes the gzip that Microsoft's SDKs put on request bodies.
func unpack(r *http.Request) error {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		r.Body = io.NopCloser(io.LimitReader(r.Body, maxBody))
	case "gzip":
		zr, err := gzip.NewReader(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return badQuery("The request body is not gzip as its Content-Encoding says.")
		}
		r.Body = io.NopCloser(io.LimitReader(zr, maxBody))
	default:
		return &apiError{status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaType", message: "The content encoding is not supported."}
	}
	return nil
}

// shortened is how many entries a page may have that is to have so many.
func (c *call) shortened(size int) int {
	out := c.spoil.Size(size)
	c.short = c.short || out < size
	return out
}

// body reads the request's JSON object into out.
func (c *call) body(out any) error {
	if err := json.NewDecoder(c.r.Body).Decode(out); err != nil {
		return badQuery("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return nil
}

// reply answers with JSON.
func (c *call) reply(status int, v map[string]any) error {
	c.w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	c.w.Header().Set("OData-Version", "4.0")
	c.w.WriteHeader(status)
	enc := json.NewEncoder(c.w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the caller is gone; there is nobody to tell
	return nil
}

func (c *call) noContent() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// fail answers an error in Graph's shape and returns its status.
func (s *Server) fail(c *call, err error, id, clientID string) int {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{status: http.StatusInternalServerError, code: "InternalServerError", message: "An internal server error occurred."}
		if errors.Is(err, store.ErrNotFound) {
			e = noResource(c.r.PathValue("id"))
		}
	}
	for name, values := range e.header {
		c.w.Header()[name] = values
	}
	_ = c.reply(e.status, map[string]any{"error": map[string]any{
		"code": e.code, "message": e.message,
		"innerError": map[string]any{
			"date": s.now().Format("2006-01-02T15:04:05"), "request-id": id, "client-request-id": clientID,
		},
	}})
	return e.status
}

// base is the API's address as the caller reached it; links in answers are absolute.
func (c *call) base() string {
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.r.Host + "/v1.0"
}
