package pages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/live"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/pages"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// The people of these tests.
var (
	operator = access.Principal{ID: "olga", Name: "Olga Operator", Role: access.Operator}
	admin    = access.Principal{ID: "ada", Name: "Ada Admin", Role: access.TenantAdmin, Tenants: []string{"contoso"}}
	auditor  = access.Principal{ID: "aud", Name: "Aud Auditor", Role: access.Auditor}
)

// world is a Control Center's pages over a real ledger, which the test fills as a worker would, and a real NATS server.
type world struct {
	t        testing.TB
	bus      *bus.Bus
	ledger   *ledger.Ledger
	registry *tenant.Registry
	url      string
	hub      *live.Hub
	origin   time.Time

	mu   sync.Mutex
	who  access.Principal
	away bool // all requests are refused
	cuts func()

	products map[string]*ledger.Product
	users    map[string]int64
	groups   map[string]int64
	stands   map[string]ledger.Entitlement
	stamps   uint64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, bus: bustest.New(t), who: operator, origin: time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour),
		products: map[string]*ledger.Product{}, users: map[string]int64{}, groups: map[string]int64{}, stands: map[string]ledger.Entitlement{},
	}
	var err error
	if w.ledger, err = ledger.Open(t.Context(), ledgertest.SQLite(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.ledger.Close() })
	tenants, err := w.bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	channels, err := w.bus.KeyValue(t.Context(), bus.BucketChannels)
	if err != nil {
		t.Fatal(err)
	}
	w.registry = tenant.NewRegistry(tenants)
	w.hub = live.New(live.Config{}, live.Deps{Bus: w.bus, Clock: clock.System(), Logger: telemetry.Discard(), Metrics: prometheus.NewRegistry()})
	w.run(w.hub.Run)
	p, err := pages.New(pages.Deps{
		Ledger: w.ledger.Reader(), Tenants: w.registry, Channels: channels, Bus: w.bus, Live: w.hub, Clock: clock.System(), Logger: telemetry.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{name}", p.Assets())
	mux.Handle("/", p.Handler())
	w.serve(mux)
	return w
}

// run has something run until the test ends.
func (w *world) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	w.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		_ = f(ctx)
	}()
}

// policyOfContent is what the guard sends with every answer.
const policyOfContent = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// serve puts the principal on each request, as the guard does, with its headers.
func (w *world) serve(h http.Handler) {
	server := httptest.NewUnstartedServer(http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", policyOfContent)
		rw.Header().Set("X-Content-Type-Options", "nosniff")
		w.mu.Lock()
		who, away := w.who, w.away
		w.mu.Unlock()
		if away {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(rw, r.WithContext(access.With(r.Context(), who)))
	})))
	server.Config.ReadTimeout, server.Config.WriteTimeout = 10*time.Second, 30*time.Second
	server.Start()
	w.t.Cleanup(server.Close)
	w.t.Cleanup(server.CloseClientConnections)
	w.cuts = server.CloseClientConnections
	w.url = server.URL
}

// as has all later requests come from somebody.
func (w *world) as(who access.Principal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.who = who
}

// cut takes the network away while something is done.
func (w *world) cut(do func()) {
	w.t.Helper()
	set := func(away bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.away = away
	}
	set(true)
	w.cuts()
	do()
	set(false)
}

func (w *world) write(do func(*ledger.Tx) error) {
	w.t.Helper()
	if err := w.ledger.Update(context.Background(), do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) at() directory.Stamp {
	w.stamps++
	return directory.Stamp{Epoch: 1, Counter: w.stamps}
}

// connect puts a tenant into the registry, and nowhere else.
func (w *world) connect(id string, products ...tenant.Product) {
	w.t.Helper()
	if products == nil {
		products = []tenant.Product{tenant.SecureShare()}
	}
	err := w.registry.Add(w.t.Context(), tenant.Tenant{
		ID: id, Provider: directory.Entra, DirectoryID: id + "-directory", Domain: id + ".com", Products: products, CreatedAt: w.origin,
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "client", File: "/run/secrets/" + id},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// tenant changes what the ledger keeps of a tenant as a whole.
func (w *world) tenant(id string, change func(*ledger.Tenant)) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		change(&t)
		return tx.SaveTenant(t)
	})
}

// house makes a tenant that is read completely, with its products in force for all users.
func (w *world) house(id string, products ...tenant.Product) {
	w.t.Helper()
	w.connect(id, products...)
	if products == nil {
		products = []tenant.Product{tenant.SecureShare()}
	}
	w.tenant(id, func(t *ledger.Tenant) {
		t.Snapshot, t.SnapshotAt, t.RoundBegan = w.at(), w.origin, time.Now().Add(-3*time.Second)
		t.Hold = ledger.Hold{Flips: true, Guard: licensing.Guard{Share: 20, Least: 5}, Expiry: 72 * time.Hour}
	})
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		for _, p := range products {
			if _, err := tx.EnsureProduct(t.ID, p.ID, p.Group+"@"+id+".com"); err != nil {
				return err
			}
		}
		all, err := tx.Products(t.ID)
		for _, p := range all {
			p.State = licensing.State{Phase: licensing.InForce, Policy: licensing.Policy{Mode: licensing.AllUsers}}
			w.products[id+" "+p.Name] = &p
			if err := tx.SaveProduct(p); err != nil {
				return err
			}
		}
		return err
	})
}

// product changes what is kept of a product.
func (w *world) product(id, product string, change func(*ledger.Product)) {
	w.t.Helper()
	p := w.products[id+" "+product]
	change(p)
	w.write(func(tx *ledger.Tx) error { return tx.SaveProduct(*p) })
}

func (w *world) put(id string, all ...directory.User) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		for _, u := range all {
			change, err := tx.PutUser(t, u, ledger.Evidence{Stamp: w.at()})
			if err != nil {
				return err
			}
			w.users[id+" "+u.ID] = change.ID
		}
		return nil
	})
}

func (w *world) group(id string, g directory.Group, members ...directory.Membership) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(id)
		if err != nil {
			return err
		}
		change, err := tx.PutGroup(t, g, ledger.Evidence{Stamp: w.at()})
		if err != nil {
			return err
		}
		w.groups[id+" "+g.ID] = change.ID
		for _, m := range members {
			m.GroupID, m.Present = g.ID, true
			if _, err := tx.PutMembership(t, m, ledger.Evidence{Stamp: w.at()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// decided is one license event.
type decided struct {
	user     string
	licensed bool
	reason   licensing.Reason
	path     []string
	at       time.Time
}

// decide writes license events of a product, and publishes them as the relay does.
func (w *world) decide(id, product string, all ...decided) {
	w.t.Helper()
	p := w.products[id+" "+product]
	var events []event.Event
	w.write(func(tx *ledger.Tx) error {
		for _, d := range all {
			if d.at.IsZero() {
				d.at = time.Now()
			}
			p.Sequence++
			key := id + " " + product + " " + d.user
			next := ledger.Entitlement{
				Product: p.ID, User: w.users[id+" "+d.user], Licensed: d.licensed, Since: d.at, Reason: string(d.reason), Sequence: p.Sequence,
			}
			for _, g := range d.path {
				next.Path = append(next.Path, w.groups[id+" "+g])
			}
			before, known := w.stands[key]
			was := &before
			if !known {
				was = nil
			}
			if known && before.Licensed == next.Licensed {
				next.Since = before.Since
			}
			switch {
			case next.Licensed && (!known || !before.Licensed):
				p.Used++
			case !next.Licensed && known && before.Licensed:
				p.Used--
			}
			if err := tx.Transition(was, next, d.at, fmt.Sprintf("%s.1-%d.0", id, p.Sequence)); err != nil {
				return err
			}
			w.stands[key] = next
			events = append(events, w.licenseEvent(id, product, d, next, was))
		}
		return tx.SaveProduct(*p)
	})
	for _, ev := range events {
		if _, err := w.bus.Publish(context.Background(), event.LicenseSubject(id, product, ev.Subject()), ev); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) licenseEvent(id, product string, d decided, e ledger.Entitlement, before *ledger.Entitlement) event.Event {
	w.t.Helper()
	eventType := event.TypeLicenseReasonChanged
	if before == nil || before.Licensed != e.Licensed {
		eventType = map[bool]string{true: event.TypeLicenseGranted, false: event.TypeLicenseRevoked}[e.Licensed]
	}
	ev, err := event.New(eventType, event.Meta{
		ID: event.LicenseID(id, product, e.Sequence), Source: event.LicenseSource(id, product), Subject: d.user, Time: d.at, Tenant: id, Sequence: e.Sequence,
	}, event.Entitlement{Tenant: id, Product: product, User: d.user, Licensed: e.Licensed, Since: e.Since, Reason: e.Reason, Path: d.path})
	if err != nil {
		w.t.Fatal(err)
	}
	return ev
}

// record writes an event of a product that is no license event, and publishes it.
func (w *world) record(id, product, subject, eventType string, data any) {
	w.t.Helper()
	p := w.products[id+" "+product]
	p.Sequence++
	body, err := json.Marshal(data)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *ledger.Tx) error {
		if err := tx.PutRecord(ledger.Record{
			Product: p.ID, Sequence: p.Sequence, Type: eventType, At: time.Now(), Cause: id + ".settings.k", Data: body,
		}); err != nil {
			return err
		}
		return tx.SaveProduct(*p)
	})
	ev, err := event.New(eventType, event.Meta{
		ID: event.LicenseID(id, product, p.Sequence), Source: event.LicenseSource(id, product), Time: time.Now(), Tenant: id, Sequence: p.Sequence,
	}, data)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.bus.Publish(context.Background(), subject, ev); err != nil {
		w.t.Fatal(err)
	}
}

// hold writes a held change with its list.
func (w *world) hold(id, product string, h ledger.Held, lines ...ledger.HeldUser) ledger.Held {
	w.t.Helper()
	h.Product = w.products[id+" "+product].ID
	w.write(func(tx *ledger.Tx) error {
		stored, err := tx.AddHeld(h)
		if err != nil {
			return err
		}
		h.ID = stored.ID
		for _, line := range lines {
			line.User, line.Listed = w.users[id+" "+line.Ref], true
			if err := tx.PutHeldUser(h.ID, line); err != nil {
				return err
			}
		}
		return tx.SaveHeld(h)
	})
	return h
}

// save stores how a held change stands, and says so on LICENSES.
func (w *world) save(id, product string, h ledger.Held) {
	w.t.Helper()
	w.write(func(tx *ledger.Tx) error { return tx.SaveHeld(h) })
	w.record(id, product, event.HeldSubject(id, product), event.TypeHeldClosed, event.HeldClosed{
		Tenant: id, Product: product, Held: h.Ref, Kind: string(h.Kind), Revision: h.Revision, Outcome: event.HeldApproved,
	})
}

// degrade says what keeps a connection from working.
func (w *world) degrade(id, product string, c ledger.Connection) {
	w.t.Helper()
	c.Product, c.Stamp = w.products[id+" "+product].ID, w.at()
	w.write(func(tx *ledger.Tx) error { return tx.PutConnection(c) })
}

// channel stores a push channel as a receiver does.
func (w *world) channel(id, name string, fields map[string]any) {
	w.t.Helper()
	fields["name"] = name
	body, err := json.Marshal(fields)
	if err != nil {
		w.t.Fatal(err)
	}
	kv, err := w.bus.KeyValue(w.t.Context(), bus.BucketChannels)
	if err == nil {
		_, err = kv.Put(w.t.Context(), id+"."+name, body)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// obey answers every command of a tenant with what say makes of it, until the test ends.
func (w *world) obey(id string, say func(event.Event) event.Answered) {
	w.t.Helper()
	w.run(func(ctx context.Context) error {
		return w.bus.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"command.*." + id + ".*"}, Follow: true}, func(m bus.Message) error {
			if m.Event.Type() == event.TypeAnswered {
				return nil
			}
			answer := say(m.Event)
			answer.Command = m.Event.ID()
			ev, err := event.New(event.TypeAnswered, event.Meta{
				ID: answer.Command + ".answered", Source: event.CommandSource(id), Time: time.Now(), Tenant: id, Cause: answer.Command,
			}, answer)
			if err != nil {
				return err
			}
			_, err = w.bus.Publish(ctx, event.CommandSubject(id, event.VerbAnswered), ev)
			return err
		})
	})
}
