package health_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// fault is a provider's error that means a trouble.
type fault receiver.Trouble

func (f fault) Error() string             { return "the provider says: " + string(f) }
func (f fault) Trouble() receiver.Trouble { return receiver.Trouble(f) }

var (
	consent = error(fault(receiver.Consent))
	signIn  = error(fault(receiver.SignIn))
)

// bench is a watch in a synctest bubble, whose clock moves when everybody waits.
type bench struct {
	t        *testing.T
	watch    *health.Watch
	metrics  *prometheus.Registry
	findings []receiver.Finding // of the next verification
	stored   error              // what publishing fails with
	ends     time.Time          // of the credential; zero: it has none
	hidden   error              // what looking for that fails with
	stop     func()

	mu       sync.Mutex
	told     []event.ConnectionObserved
	verified int
	replaced int
	stamps   uint64
}

// in runs a story in a bubble of its own, with push channels that have been kept.
func in(t *testing.T, cfg health.Config, story func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, cfg, false)
		defer b.stop()
		story(b)
	})
}

// start starts a watch of a provider with journals or without.
func start(t *testing.T, cfg health.Config, journals bool) *bench {
	t.Helper()
	b := &bench{t: t, metrics: prometheus.NewRegistry()}
	b.watch = health.New(cfg, health.Deps{
		Tenant: tenant.Tenant{ID: "contoso"}, Verify: b.verify, CredentialEnd: b.credentialEnd, Replace: b.replace, Journals: journals, Stamp: b.stamp, Publisher: b,
		Logger: slog.New(slog.DiscardHandler), Clock: clock.System(), Metrics: health.NewMetrics(b.metrics, directory.Entra),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.watch.Run(ctx)
	}()
	b.stop = func() {
		cancel()
		<-done
	}
	b.watch.Kept(nil)
	return b
}

func (b *bench) verify(context.Context, tenant.Tenant) ([]receiver.Finding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.verified++
	return b.findings, nil
}

func (b *bench) credentialEnd(tenant.Tenant) (receiver.CredentialEnd, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return receiver.CredentialEnd{At: b.ends, What: "The key", Action: "Make another one."}, b.hidden
}

// until lets the credential end at another time, or its end be hidden.
func (b *bench) until(ends time.Time, hidden error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ends, b.hidden = ends, hidden
}

func (b *bench) replace() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replaced++
}

// store lets publishing fail, or not any more.
func (b *bench) store(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stored = err
}

// counts are how often the provider was looked at, and how many push channels were replaced.
func (b *bench) counts() (verified, replaced int) {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.verified, b.replaced
}

// forget lets go of what was told so far, and returns how often something was.
func (b *bench) forget() (told int) {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	told, b.told = len(b.told), nil
	return told
}

func (b *bench) stamp() directory.Stamp {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stamps++
	return directory.Stamp{Epoch: 1, Counter: b.stamps}
}

func (b *bench) Publish(_ context.Context, subject string, ev event.Event, _ ...bus.PublishOption) (bus.Ack, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stored != nil {
		return bus.Ack{}, b.stored
	}
	if subject != event.DirectorySubject("contoso", "connection") {
		b.t.Errorf("published on %s", subject)
	}
	eventtest.Validate(b.t, ev)
	data, err := event.Data[event.ConnectionObserved](ev)
	if err != nil {
		b.t.Error(err)
	}
	b.told = append(b.told, data)
	return bus.Ack{}, nil
}

// after lets time pass, and returns when the watch has done what it does by then.
func (b *bench) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// each does something in steps of a duration, for a while.
func (b *bench) each(step, while time.Duration, do func()) {
	for range while / step {
		do()
		b.after(step)
	}
}

func (b *bench) failing(err error) func() { return func() { b.watch.Worked("round", err) } }

// expect wants to have been told states and classes since it was asked last: "" is that it works, "?" that it does, unheard.
func (b *bench) expect(what string, classes ...string) (last event.ConnectionObserved) {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	var got []string
	for _, o := range b.told {
		last = o
		if o.Unheard {
			o.Class = "?"
		}
		got = append(got, o.Class)
	}
	b.told = nil
	if len(got) != len(classes) {
		b.t.Fatalf("%s: told %q, want %q", what, got, classes)
	}
	for i := range got {
		if got[i] != classes[i] {
			b.t.Fatalf("%s: told %q, want %q", what, got, classes)
		}
	}
	return last
}
