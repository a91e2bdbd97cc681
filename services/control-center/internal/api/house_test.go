package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// house is a Control Center's API with something to tell of.
type house struct {
	*centertest.House
	*centertest.Server
	Refreshes *refresh.Book
	Handler   http.Handler
}

// patience is longer than any worker of a test needs.
const patience = 20 * time.Second

func newHouse(t *testing.T, waits time.Duration) *house {
	t.Helper()
	h := centertest.New(t)
	logger, err := telemetry.NewLogger(t.Output(), "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	book := refresh.NewBook(context.Background(), h.Bus, h.Clock)
	t.Cleanup(book.Close)
	a, err := api.New(api.Config{Patience: waits}, api.Deps{
		Ledger: h.Reader, Tenants: h.Registry, Bus: h.Bus, Refreshes: book, Clock: h.Clock, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &house{House: h, Server: centertest.Serve(t, a.Handler()), Refreshes: book, Handler: a.Handler()}
}

func done(event.Event) event.Answered {
	return event.Answered{Outcome: event.OutcomeDone, Revision: 4}
}
