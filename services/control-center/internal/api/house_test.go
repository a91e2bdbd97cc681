package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
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
	kv, err := h.Bus.KeyValue(t.Context(), bus.BucketChannels)
	if err != nil {
		t.Fatal(err)
	}
	book := refresh.NewBook(context.Background(), h.Bus, h.Clock)
	t.Cleanup(book.Close)
	a, err := api.New(api.Config{Patience: waits}, api.Deps{
		Ledger: h.Reader, Tenants: h.Registry, Bus: h.Bus, Channels: channels.NewBook(kv, h.Clock), Refreshes: book, Clock: h.Clock, Logger: logger,
		Receivers: connect.NewClient(h.Bus), Connector: connecting.New(connecting.Deps{
			Receivers: connect.NewClient(h.Bus), Tenants: h.Registry, Commands: command.New(h.Bus, h.Clock), PublicURL: "https://rollcall.example.com",
			Clock: h.Clock, Logger: logger,
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &house{House: h, Server: centertest.Serve(t, a.Handler()), Refreshes: book, Handler: a.Handler()}
}

func done(event.Event) event.Answered {
	return event.Answered{Outcome: event.OutcomeDone, Revision: 4}
}

// TestOneHouse has all that only asks ask one house.
func TestOneHouse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	for name, test := range map[string]func(*testing.T, *house){
		"reads have a tag":           readsHaveATag,
		"requests that say too much": requestsThatSayTooMuch,
		"lists of users":             listsOfUsers,
		"what a list says of a user": whatAListSaysOfAUser,
		"entitlements":               entitlements,
		"one user":                   oneUser,
		"users that are not one":     usersThatAreNotOne,
		"history":                    history,
		"who one is":                 whoOneIs,
		"tenants":                    tenants,
		"one tenant":                 oneTenant,
		"held changes":               heldChanges,
		"lists of held changes":      listsOfHeldChanges,
		"seats":                      seats,
		"usage":                      usage,
		"settings":                   settings,
		"groups":                     groups,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, h.in(t))
		})
	}
}

// in is the house for a test within a test: what is wrong is wrong there.
func (h *house) in(t *testing.T) *house {
	own := *h
	own.Server = h.Server.For(t)
	return &own
}
