package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// FuzzRequests: whatever stands in a cursor, a search, a path or a body is answered, or refused for a reason, and never with a
// failure of ours. A command that is one waits for no worker.
func FuzzRequests(f *testing.F) {
	f.Add("cursor", "AAAA")
	f.Add("cursor", "bm9uZSBvZiBvdXJzWyIxIl0")
	f.Add("search", "email:dan* AND (is:licensed OR NOT group:\"a b\")")
	f.Add("search", "\x00\xff\"(((")
	f.Add("as_of", "2026-03-02T09:00:00Z")
	f.Add("user", "%00/../\xff")
	f.Add("held", "flip-1")
	f.Add("body", `{"purchased":null,"enforce":true}`)
	f.Add("body", `{"purchased":1e99,"enforce":{}}`)
	h := centertest.New(f)
	logger, err := telemetry.NewLogger(f.Output(), "error", "text")
	if err != nil {
		f.Fatal(err)
	}
	book := refresh.NewBook(context.Background(), h.Bus, h.Clock)
	f.Cleanup(book.Close)
	a, err := api.New(api.Config{Patience: time.Nanosecond}, api.Deps{Ledger: h.Reader, Tenants: h.Registry, Bus: h.Bus, Refreshes: book, Clock: h.Clock, Logger: logger})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, where, what string) {
		method, path, body := http.MethodGet, users, ""
		switch where {
		case "cursor", "search", "as_of":
			path += "&" + where + "=" + url.QueryEscape(what)
		case "user":
			path = "/api/v1/tenants/contoso/users/" + url.PathEscape(what)
		case "held":
			path = "/api/v1/tenants/contoso/products/secure-share/held/" + url.PathEscape(what) + "/lines"
		case "body":
			method, path, body = http.MethodPut, rows["putSeats"].path, what
		default:
			t.Skip("nowhere")
		}
		r := httptest.NewRequestWithContext(access.With(t.Context(), *centertest.Operator), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 300 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: %d %s", where, what, w.Code, w.Body)
		}
	})
}
