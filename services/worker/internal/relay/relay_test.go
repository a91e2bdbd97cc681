package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// bench is a ledger whose outbox a relay publishes to a real server.
type bench struct {
	t        *testing.T
	server   *bustest.Server
	bus      *bus.Bus
	ledger   *ledger.Ledger
	sequence uint64 // of contoso's last event that was put into the outbox
	epoch    int64  // of the last relay
}

func newBench(t *testing.T) *bench {
	t.Helper()
	server := bustest.StartServer(t)
	return &bench{t: t, server: server, bus: server.Bus(bus.Config{}), ledger: open(t, ledgertest.SQLite(t))}
}

func open(t testing.TB, address string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// relay is one that has the lease, as nobody had it before.
func (b *bench) relay() *Relay {
	r := New(Config{Backoff: time.Millisecond, Idle: 10 * time.Millisecond}, Deps{
		Bus: b.bus, Ledger: b.ledger, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler),
	})
	b.epoch++
	r.epoch, r.valid = b.epoch, func() bool { return true }
	return r
}

// emit puts n license events into the outbox, in one transaction.
func (b *bench) emit(n int) {
	b.t.Helper()
	b.update(func(tx *ledger.Tx) error {
		for range n {
			b.sequence++
			o, err := license("contoso", b.sequence)
			if err != nil {
				return err
			}
			if err := tx.Emit(o); err != nil {
				return err
			}
		}
		return nil
	})
}

func license(tenant string, n uint64) (ledger.Outgoing, error) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	meta := event.Meta{
		ID: event.LicenseID(tenant, "p", n), Source: event.LicenseSource(tenant, "p"), Subject: "u", Time: at,
		Tenant: tenant, Sequence: n,
	}
	ev, err := event.New(event.TypeLicenseGranted, meta, event.Entitlement{Tenant: tenant, Product: "p", User: "u", Licensed: true, Since: at})
	if err != nil {
		return ledger.Outgoing{}, err
	}
	body, err := event.Encode(ev)
	return ledger.Outgoing{Stream: bus.Licenses, Subject: event.LicenseSubject(tenant, "p", "u"), EventID: ev.ID(), Body: body}, err
}

func (b *bench) update(do func(*ledger.Tx) error) {
	b.t.Helper()
	if err := b.ledger.Update(b.t.Context(), do); err != nil {
		b.t.Fatal(err)
	}
}

// run runs a relay until the outbox is empty or the relay ends by itself.
func (b *bench) run(r *Relay) error {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, r.epoch, r.valid) }()
	emptied := make(chan error, 1)
	go func() { emptied <- r.AwaitDepth(ctx, 1) }()
	select {
	case err := <-done:
		cancel()
		<-emptied
		return err
	case err := <-emptied:
		cancel()
		return errors.Join(err, <-done)
	}
}

// verify compares LICENSES with all that was emitted: in order, each once.
func (b *bench) verify() {
	b.t.Helper()
	b.verifyTenants(map[string]uint64{"contoso": b.sequence})
}

// verifyTenants does so for several, of which the last sequences are given.
func (b *bench) verifyTenants(want map[string]uint64) {
	b.t.Helper()
	got := map[string]uint64{}
	err := b.bus.Read(b.t.Context(), bus.ReadSpec{Stream: bus.Licenses}, func(m bus.Message) error {
		of := event.Tenant(m.Event)
		n, err := event.Sequence(m.Event)
		if err == nil && n != got[of]+1 {
			err = fmt.Errorf("%s: sequence %d, want %d", of, n, got[of]+1)
		}
		got[of]++
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		b.t.Fatalf("LICENSES holds %v, want %v", got, want)
	}
}

func TestPublishesInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, n := range []int{1, 5, 40, 2500, 3} { // singles, a batch, batches beyond the greatest, singles
		b.emit(n)
		if err := b.run(b.relay()); err != nil {
			t.Fatal(err)
		}
		b.verify()
	}
}

// A process that dies at any step, again and again, loses nothing and tells nothing twice.
func TestDyingAtEachStep(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, at := range []step{beforePublish, afterPublish, beforeMark, afterMark} {
		for _, size := range []int{3, 50} {
			t.Run(fmt.Sprintf("%s of %d", at, size), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				for range 4 {
					b.emit(size)
					r := b.relay()
					r.fault = func(s step) error {
						if s == at {
							return boom
						}
						return nil
					}
					var err error
					for range 5 { // it may find first what an earlier one has left
						if _, err = r.publish(t.Context()); err != nil {
							break
						}
					}
					if !errors.Is(err, boom) {
						t.Fatalf("the relay did not die: %v", err)
					}
					b.emit(2)
				}
				if err := b.run(b.relay()); err != nil {
					t.Fatal(err)
				}
				b.verify()
			})
		}
	}
}

// The stream forgets ids after its duplicate window: the expected sequence must do without.
func TestDyingAfterPublishBeyondTheDuplicateWindow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.shortMemory()
	for _, size := range []int{1, 3, 50} {
		b.emit(size)
		r := b.relay()
		r.fault = failAt(beforeMark)
		if _, err := r.publish(t.Context()); err == nil {
			t.Fatal("the relay did not die")
		}
		<-time.After(150 * time.Millisecond) // the server's own clock must pass the window
		if err := b.run(b.relay()); err != nil {
			t.Fatal(err)
		}
		b.verify()
	}
}

// shortMemory makes LICENSES forget the ids of its messages as soon as the server takes.
func (b *bench) shortMemory() {
	b.t.Helper()
	stream, err := b.bus.JetStream().Stream(b.t.Context(), bus.Licenses)
	if err != nil {
		b.t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	cfg.Duplicates = 100 * time.Millisecond
	if _, err := b.bus.JetStream().UpdateStream(b.t.Context(), cfg); err != nil {
		b.t.Fatal(err)
	}
}

func TestWaitsForNATS(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.emit(3)
	b.server.Stop()
	r := b.relay()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan struct{}, 1000)
	r.deps.Logger = slog.New(signalHandler{slog.DiscardHandler, failed})
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, r.epoch, r.valid) }()
	<-failed
	b.server.Resume()
	if err := r.AwaitDepth(ctx, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.verify()
}

// signalHandler tells of every line that is logged.
type signalHandler struct {
	slog.Handler
	logged chan struct{}
}

func (h signalHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h signalHandler) Handle(context.Context, slog.Record) error {
	select {
	case h.logged <- struct{}{}:
	default:
	}
	return nil
}

func TestRefusesARecordThatItsLedgerDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.emit(1)
	if err := b.run(b.relay()); err != nil {
		t.Fatal(err)
	}
	b.ledger = open(t, ledgertest.SQLite(t))
	b.sequence = 0
	b.emit(1)
	if err := b.run(b.relay()); !errors.Is(err, ErrUnknownRecord) {
		t.Fatalf("a new ledger on an old record: %v", err)
	}
}

// A ledger that was brought back from a copy makes events again that are on the stream: they are known by their ids.
func TestLedgerBroughtBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.emit(5)
	if err := b.run(b.relay()); err != nil {
		t.Fatal(err)
	}
	var copied ledger.Position
	b.update(func(tx *ledger.Tx) (err error) {
		copied, _, err = tx.Position(bus.Licenses, ledger.Written)
		return err
	})
	b.emit(40)
	if err := b.run(b.relay()); err != nil {
		t.Fatal(err)
	}
	b.update(func(tx *ledger.Tx) error { return tx.SavePosition(copied) })
	b.sequence = 5
	for _, n := range []int{10, 10, 20} { // in several transactions, with a restart of the relay between them
		b.emit(n)
		if err := b.run(b.relay()); err != nil {
			t.Fatal(err)
		}
	}
	b.verify()
	b.emit(3)
	if err := b.run(b.relay()); err != nil {
		t.Fatal(err)
	}
	b.verify()
}

func TestCommandsFollowTheEventsBeforeThem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.emit(2)
	b.update(func(tx *ledger.Tx) error {
		ev, err := event.New(event.TypeRefreshCompleted, event.Meta{
			ID: "s1.completed", Source: event.CommandSource("contoso"), Time: time.Now(), Tenant: "contoso", Cause: "s1",
		}, event.RefreshCompleted{Snapshot: "s1"})
		if err != nil {
			return err
		}
		body, err := event.Encode(ev)
		if err != nil {
			return err
		}
		return tx.Emit(ledger.Outgoing{Stream: bus.LedgerIn, Subject: event.CommandSubject("contoso", "refreshed"), EventID: ev.ID(), Body: body})
	})
	r := b.relay()
	var order []string
	r.deps.Published = func(stream string, n int) { order = append(order, fmt.Sprint(stream, n)) }
	if err := b.run(r); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(order) != "[LICENSES2 LEDGER_IN1]" {
		t.Errorf("published %v", order)
	}
	seen := 0
	err := b.bus.Read(t.Context(), bus.ReadSpec{Stream: bus.LedgerIn}, func(m bus.Message) error {
		seen++
		if m.Event.Type() != event.TypeRefreshCompleted || event.Cause(m.Event) != "s1" {
			t.Errorf("on LEDGER_IN: %s", m.Event)
		}
		return nil
	})
	if err != nil || seen != 1 {
		t.Fatalf("%d commands, %v", seen, err)
	}
}
