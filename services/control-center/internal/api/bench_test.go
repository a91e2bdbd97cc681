package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// BenchmarkRequests is what a request costs beside what it reads: "refused" is the check of a body alone.
func BenchmarkRequests(b *testing.B) {
	h := centertest.New(b)
	logger, err := telemetry.NewLogger(b.Output(), "error", "text")
	if err != nil {
		b.Fatal(err)
	}
	book := refresh.NewBook(context.Background(), h.Bus, h.Clock)
	b.Cleanup(book.Close)
	a, err := api.New(api.Config{Patience: time.Nanosecond}, api.Deps{Ledger: h.Reader, Tenants: h.Registry, Bus: h.Bus, Refreshes: book, Clock: h.Clock, Logger: logger})
	if err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"me":      {http.MethodGet, "/api/v1/me", "", 200},
		"refused": {http.MethodPut, rows["putSeats"].path, `{"purchased":-1,"enforce":true}`, 400},
		"user":    {http.MethodGet, rows["getUser"].path, "", 200},
		"users":   {http.MethodGet, users + "&search=is:licensed&limit=100", "", 200},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(access.With(b.Context(), *centertest.Operator), c.method, c.path, strings.NewReader(c.body))
				if c.body != "" {
					r.Header.Set("Content-Type", "application/json")
				}
				w := httptest.NewRecorder()
				a.Handler().ServeHTTP(w, r)
				if w.Code != c.status {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
