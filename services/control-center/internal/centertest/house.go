// Package centertest gives the tests of the Control Center's parts something to tell of: two tenants that share all their ids, in
// a ledger, with a registry and a bus, and somebody who answers commands as a worker would.
package centertest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Nine is when everybody was first decided, on a Monday. The clock stands at Nine and a day.
var Nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// The tenants of a House: Contoso and Fabrikam have the same people; Initech was connected a moment ago, and nothing was read yet.
const (
	Contoso  = "contoso"
	Fabrikam = "fabrikam"
	Initech  = "initech"
)

// House is what the Control Center tells of.
type House struct {
	Bus      *bus.Bus
	Reader   *ledger.Reader
	Registry *tenant.Registry
	Clock    *clock.Fake

	tb     testing.TB
	ledger *ledger.Ledger
	finds  atomic.Pointer[[]receiver.Finding] // see Finds
}

// New makes one with all that Fill writes.
func New(tb testing.TB) *House {
	tb.Helper()
	path := ledgertest.SQLite(tb)
	if err := os.WriteFile(path, filled(tb), 0o600); err != nil {
		tb.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	h := &House{tb: tb, Bus: bustest.New(tb), ledger: l, Reader: l.Reader(), Clock: clock.NewFake(Nine.AddDate(0, 0, 1))}
	kv, err := h.Bus.KeyValue(context.Background(), bus.BucketTenants)
	if err != nil {
		tb.Fatal(err)
	}
	h.Registry = tenant.NewRegistry(kv)
	for _, id := range []string{Contoso, Fabrikam, Initech} {
		h.register(id)
	}
	return h
}

// full is a ledger that is filled, once for all tests: with the race detector it takes seconds.
var full struct {
	sync.Mutex
	body []byte
}

func filled(tb testing.TB) []byte {
	tb.Helper()
	full.Lock()
	defer full.Unlock()
	if full.body != nil {
		return full.body
	}
	path := ledgertest.SQLite(tb)
	l, err := ledger.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	h := &House{tb: tb, ledger: l}
	h.fill(Contoso)
	h.fill(Fabrikam)
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	if full.body, err = os.ReadFile(path); err != nil {
		tb.Fatal(err)
	}
	return full.body
}

func (h *House) register(id string) {
	h.tb.Helper()
	err := h.Registry.Add(context.Background(), tenant.Tenant{
		ID: id, Provider: directory.Entra, DirectoryID: id + "-directory", Domain: id + ".com",
		Products:   []tenant.Product{tenant.SecureShare(), tenant.Drive()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", File: "/secret"}, CreatedAt: Nine.AddDate(0, -1, 0),
	})
	if err != nil {
		h.tb.Fatal(err)
	}
}

// Again registers Contoso where it was erased.
func (h *House) Again() {
	h.tb.Helper()
	if _, err := h.Registry.Get(context.Background(), Contoso); errors.Is(err, tenant.ErrNotFound) {
		h.register(Contoso)
	}
}

// Remove takes a product from a tenant, as an operator and the worker do.
func (h *House) Remove(name, product string) {
	h.tb.Helper()
	_, err := h.Registry.Change(context.Background(), name, func(t *tenant.Tenant) error {
		t.Products = slices.DeleteFunc(t.Products, func(p tenant.Product) bool { return p.ID == product })
		return nil
	})
	if err != nil {
		h.tb.Fatal(err)
	}
	h.Write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(name)
		if err != nil {
			return err
		}
		all, err := tx.Products(t.ID)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Name != product {
				continue
			}
			p.State = licensing.State{}
			if err := tx.SaveProduct(p); err != nil {
				return err
			}
		}
		_, err = tx.EnsureProduct(t.ID, product, "")
		return err
	})
}

// Write changes the ledger as a worker would.
func (h *House) Write(do func(*ledger.Tx) error) {
	h.tb.Helper()
	if err := h.ledger.Update(context.Background(), do); err != nil {
		h.tb.Fatal(err)
	}
}

// Work answers every command with what say makes of it, until the test ends.
func (h *House) Work(say func(event.Event) event.Answered) {
	h.tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	h.tb.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		_ = h.Bus.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"command.>"}, Follow: true}, func(m bus.Message) error {
			switch m.Event.Type() {
			case event.TypeAnswered, event.TypeRefreshRequested, event.TypeRefreshCompleted:
				return nil
			}
			answer := say(m.Event)
			answer.Command = m.Event.ID()
			_, err := h.Tell(ctx, strings.TrimPrefix(m.Event.Source(), event.CommandSource("")), event.VerbAnswered, event.TypeAnswered, answer.Command+".answered", answer.Command, answer)
			return err
		})
	}()
}

// Whole is what a look at a directory finds where nothing is missing.
var Whole = []receiver.Finding{
	{Check: "sign-in", State: receiver.Passed, Detail: "It signs in."}, {Check: "directory", State: receiver.Passed, Detail: "It is that."},
}

// Finds says what the receiver finds in every directory; before, it is Whole.
func (h *House) Finds(found ...receiver.Finding) { h.finds.Store(&found) }

// Receive runs a receiver of Entra that connects directories and changes what is stored of tenants, until the test ends.
func (h *House) Receive() {
	h.tb.Helper()
	h.Finds(Whole...)
	s := &connect.Server{
		Provider: directory.Entra, Registry: h.Registry, Bus: h.Bus, Logger: telemetry.Discard(), Clock: h.Clock,
		Application: connect.Application{
			Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "the-app", Env: "SECRET"},
			Shown:      connect.Shown{ClientID: "the-app", Scopes: []string{"https://graph.microsoft.com/.default"}, Authority: "https://login.microsoftonline.com"},
		},
		Verify: func(context.Context, tenant.Tenant) ([]receiver.Finding, error) { return *h.finds.Load(), nil },
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	h.tb.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		_ = s.Run(ctx)
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for asks := connect.NewClient(h.Bus); ; <-tick.C {
		if _, err := asks.Describe(ctx, directory.Entra); !errors.Is(err, connect.ErrNoReceiver) {
			return
		}
	}
}

// Tell publishes an event of LEDGER_IN that is a command's answer.
func (h *House) Tell(ctx context.Context, tenantID, verb, eventType, id, cause string, data any) (bus.Ack, error) {
	ev, err := event.New(eventType, event.Meta{
		ID: id, Source: event.CommandSource(tenantID), Time: h.Clock.Now(), Tenant: tenantID, Cause: cause,
	}, data)
	if err != nil {
		return bus.Ack{}, err
	}
	return h.Bus.Publish(ctx, event.CommandSubject(tenantID, verb), ev)
}

// Observe publishes what a read of the directory has shown.
func (h *House) Observe(ctx context.Context, tenantID, what, eventType, id string, data any) error {
	ev, err := event.New(eventType, event.Meta{ID: id, Source: event.DirectorySource(tenantID), Time: h.Clock.Now(), Tenant: tenantID}, data)
	if err != nil {
		return err
	}
	_, err = h.Bus.Publish(ctx, event.DirectorySubject(tenantID, what), ev)
	return err
}
