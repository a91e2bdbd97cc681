package health_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

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
		Tenant: tenant.Tenant{ID: "contoso"}, Verify: b.verify, Replace: b.replace, Journals: journals, Stamp: b.stamp, Publisher: b,
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

func TestDegradedIsSaidOnceItHasLasted(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		b.findings = []receiver.Finding{
			{Check: "sign-in", State: receiver.Passed, Detail: "It can sign in."},
			{Check: "consent", State: receiver.Unknown, Detail: "Nobody knows.", Action: "Wait."},
			{Check: "provisioning-group", State: receiver.Failed, Detail: "Two groups.", Action: "Remove one."},
			{Check: "admin", State: receiver.Failed, Detail: "ada@contoso.com is suspended.", Action: "Bring her back."},
			{Check: "key", State: receiver.Failed, Detail: "open /etc/key: no such file", Action: "Put it there."},
			{Check: "read-users", State: receiver.Failed, Detail: "Users cannot be read.", Action: "Consent."},
			{Check: "read-groups", State: receiver.Failed, Detail: "Groups cannot be read.", Action: "Consent too."},
		}
		b.watch.Worked("round", nil)
		b.expect("it works", "?")
		b.watch.Pushed(receiver.UserResource)
		b.expect("and pushes come", "")
		began := time.Now()
		b.each(30*time.Second, 5*time.Minute, b.failing(consent))
		b.expect("", "consent")
		if n, _ := b.counts(); n != 1 {
			t.Errorf("%d verifications", n)
		}
		b.each(30*time.Second, 59*time.Minute, b.failing(consent))
		b.expect("it was said")
		b.each(30*time.Second, 2*time.Minute, b.failing(consent))
		last := b.expect("and is after an hour", "consent")
		if n, _ := b.counts(); n != 2 || last.Check != "read-users" || last.Detail != "Users cannot be read." || last.Action != "Consent." || !last.Since.Equal(began) {
			t.Errorf("%d verifications, told %+v since %v", n, last, began)
		}
		if n := testutil.ToFloat64(gauge(b)); n != 1 {
			t.Errorf("the metric says %v", n)
		}
		b.watch.Worked("round", nil)
		b.expect("a whole round ends it", "")
		if n := testutil.CollectAndCount(gauge(b)); n != 0 {
			t.Errorf("%d metrics are left", n)
		}
		b.after(23 * time.Hour)
		b.expect("nothing happens")
		b.after(2 * time.Hour)
		b.expect("what works is said daily", "")
	})
}

// gauge is the metric of what is degraded.
func gauge(b *bench) prometheus.Collector { return collector{b.metrics} }

// collector makes what a registry gathers a collector of its own.
type collector struct{ *prometheus.Registry }

func TestWhatIsNotDegraded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]func(*bench){
		"a failure now and then": func(b *bench) {
			b.each(time.Minute, 2*time.Hour, func() {
				b.watch.Worked("round", consent)
				b.watch.Worked("round", nil)
			})
		},
		"four minutes of failures": func(b *bench) {
			b.each(5*time.Minute, 2*time.Hour, func() {
				b.each(10*time.Second, 4*time.Minute+50*time.Second, b.failing(consent))
				b.watch.Worked("round", nil)
			})
		},
		"one failure that is not tried again": func(b *bench) {
			b.watch.Worked("list", consent)
			b.each(time.Minute, 2*time.Hour, b.failing(nil))
		},
		"our own side's": func(b *bench) {
			b.each(time.Minute, 2*time.Hour, b.failing(errors.New("NATS is away")))
		},
		"proof of single objects": func(b *bench) {
			b.each(time.Minute, 2*time.Hour, func() { b.watch.Worked("proof", consent) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, health.Config{}, func(b *bench) {
				b.watch.Worked("round", nil)
				b.expect("it works", "?")
				c(b)
				b.expect("it is not degraded")
				if n, _ := b.counts(); n > 0 {
					t.Errorf("%d verifications", n)
				}
			})
		})
	}
}

// What was degraded is not taken for well by a single part of it that works.
func TestRecoveredIsWhatWorksAsAWhole(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		b.each(time.Minute, 6*time.Minute, func() {
			b.watch.Worked("round", consent)
			b.watch.Kept(signIn)
		})
		b.expect("the worst is said", "sign-in")
		b.watch.Kept(nil)
		b.each(time.Minute, 6*time.Minute, b.failing(consent))
		b.expect("then the other", "consent")
		b.watch.Worked("full", nil)
		b.watch.Worked("list", nil)
		b.expect("rounds fail still")
		b.watch.Worked("full", consent)
		b.watch.Worked("round", nil)
		b.expect("and now the complete read does")
		b.watch.Worked("list", consent)
		b.watch.Worked("list", nil)
		b.watch.Worked("full", nil)
		b.expect("a list has failed since the round")
		b.watch.Worked("round", nil)
		b.expect("a whole round", "?")
	})
}

func TestChannelsThatWereNeverKeptAreNotWell(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		b.each(time.Minute, 10*time.Minute, func() {
			b.watch.Kept(receiver.OfRequest(errors.New("the address is not reached")))
			b.watch.Worked("round", nil)
		})
		if last := b.expect("", "failing"); last.Detail != "The provider makes or renews no push channel: changes are found by polls alone." {
			t.Errorf("told %+v", last)
		}
		b.watch.Kept(nil)
		b.watch.Worked("round", nil)
		b.expect("", "?")
	})
}

// What failed and is not tried any more is forgotten: a group that was not to be read is watched no longer.
func TestPartsThatAreGoneAreForgotten(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		b.each(time.Minute, 6*time.Minute, func() {
			b.watch.Worked("baseline", consent)
			b.watch.Worked("round", nil)
		})
		b.expect("", "consent")
		b.each(time.Minute, 40*time.Minute, b.failing(nil))
		b.expect("", "?")
	})
}

// However often outcomes change, the provider is looked at once in Patience, and as much is said.
func TestNoHotLoop(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		n := 0
		b.each(time.Second, 3*time.Hour, func() {
			for range 3 {
				n++
				b.watch.Worked("round", consent)
				b.watch.Worked("list", fault([]receiver.Trouble{receiver.SignIn, receiver.Failing}[n/2000%2]))
				b.watch.Kept(signIn)
			}
		})
		if verified, _ := b.counts(); verified > 3*60/5+1 || verified < 3 {
			t.Errorf("%d verifications", verified)
		} else if told := b.forget(); told > verified {
			t.Errorf("%d verifications, told %d times", verified, told)
		}
	})
}

// Troubles that follow each other are looked into as often as one that lasts.
func TestOneLookForTroublesThatFollowEachOther(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		minute := 0
		b.each(time.Minute, 8*time.Minute, func() {
			b.watch.Worked("round", consent)
			if minute++; minute > 1 {
				b.watch.Worked("list", signIn)
			}
		})
		b.expect("the second is worse, and must wait", "consent")
		b.each(time.Minute, 4*time.Minute, b.failing(consent))
		b.expect("", "sign-in")
		if n, _ := b.counts(); n != 2 {
			t.Errorf("%d verifications", n)
		}
	})
}

// What cannot be stored is tried again ever more rarely, without another look at the provider; what has passed meanwhile is not
// said at all.
func TestPublishingIsTriedAgain(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		b.watch.Worked("round", nil)
		b.expect("", "?")
		b.store(errors.New("NATS is away"))
		b.each(30*time.Second, 6*time.Minute, b.failing(consent))
		if n, _ := b.counts(); n != 1 || b.stamp().Counter > 20 {
			t.Errorf("%d verifications, or too many tries", n)
		}
		b.store(nil)
		b.each(30*time.Second, 2*time.Minute, b.failing(consent))
		b.expect("it is said then", "consent")
		b.store(errors.New("NATS is away"))
		b.watch.Worked("round", nil)
		b.after(time.Minute)
		b.watch.Worked("round", consent)
		b.after(time.Minute)
		b.store(nil)
		b.watch.Worked("round", nil)
		b.after(3 * time.Minute)
		b.expect("no recovery is lost", "?")
	})
}

// What was started anew says at once how it is, so that no recovery is lost; while it does not know yet it says nothing.
func TestStartedAnewItSaysHowItIs(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		b.after(time.Hour)
		b.expect("nothing is known")
		b.watch.Worked("round", nil)
		b.expect("", "?")
	})
}

func TestGeneralWordsNameTheTenant(t *testing.T) {
	t.Parallel()
	for _, trouble := range []receiver.Trouble{receiver.SignIn, receiver.Consent, receiver.Unreachable, receiver.Throttled, receiver.Failing, receiver.Quota} {
		t.Run(string(trouble), func(t *testing.T) {
			t.Parallel()
			in(t, health.Config{}, func(b *bench) {
				b.each(time.Minute, 6*time.Minute, b.failing(fault(trouble)))
				last := b.expect("", string(trouble))
				if last.Detail == "" || last.Action == "" || last.Check != "" {
					t.Errorf("told %+v", last)
				}
			})
		})
	}
}
