package health_test

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
)

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
