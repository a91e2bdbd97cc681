package apply_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// However far the reads are behind, and in whatever order they come: nobody loses a license but for what has been so since
// the mirror was last told of the contrary for the first time. In the end the mirror holds what is so.
func TestReadsThatLagRevokeNothing(t *testing.T) {
	t.Parallel()
	valid := eventtest.Shared(t)
	checkFew(t, ledgersToOpen(), func(rt *rapid.T, _ int) {
		l := &lagging{
			t: rt, harness: newHarnessAt(rt, ledgertest.SQLite(t), valid, contoso()),
			said: map[string]bool{}, learned: map[string]time.Time{},
		}
		defer l.close()
		l.begin()
		for range rapid.IntRange(5, 60).Draw(rt, "steps") {
			l.step()
			l.check()
		}
		l.calm()
	})
}

// lagging is a tenant with a provisioning group, whose directory answers as it was up to a doubt ago.
type lagging struct {
	*harness
	t       *rapid.T
	past    []was
	said    map[string]bool      // whether a thing was told to be good last, by key
	learned map[string]time.Time // as of when it was told to be good for the first time, since it was told otherwise
	stated  time.Time            // as of when the feed has told everything
}

// was is what the directory held from a time on: the things that are good, by key.
type was struct {
	from time.Time
	good map[string]bool
}

var lagged = []string{"user ann", "user bob", "member ann", "member bob"}

func (l *lagging) begin() {
	l.guard("contoso", ledger.Hold{Expiry: week})
	l.doubt = doubt
	l.harness.begin()
	first := was{from: l.clock.Now(), good: map[string]bool{}}
	for _, key := range lagged {
		first.good[key] = rapid.Bool().Draw(l.t, key)
	}
	l.past = []was{first}
	all := []obs{group("g", address)}
	for _, key := range lagged {
		all = append(all, l.sight(key, l.clock.Now()))
	}
	l.read(all, "g")
	l.stated = l.clock.Now()
	l.feed = l.stated
	l.events = nil
	l.drain()
	l.clock.Advance(time.Second)
}

// good reports what the directory held at a time.
func (l *lagging) good(key string, at time.Time) bool {
	i := len(l.past) - 1
	for l.past[i].from.After(at) {
		i--
	}
	return l.past[i].good[key]
}

// sight observes a thing as it was at a time, and notes what was told.
func (l *lagging) sight(key string, at time.Time) obs {
	good := l.good(key, at)
	if good && !l.said[key] {
		l.learned[key] = at
	}
	l.said[key] = good
	var kind, id string
	_, _ = fmt.Sscan(key, &kind, &id)
	switch {
	case kind == "member":
		return member("g", id, good)
	case good:
		return person(id)
	default:
		return personAs(id, directory.Suspended)
	}
}

func (l *lagging) key() string { return rapid.SampledFrom(lagged).Draw(l.t, "thing") }

// moment is one that a replica may show.
func (l *lagging) moment() time.Time {
	lag := rapid.SampledFrom([]time.Duration{0, 0, time.Second, 30 * time.Second, 5 * time.Minute, doubt - time.Second}).Draw(l.t, "lag")
	if at := l.clock.Now().Add(-lag); at.After(l.past[0].from) {
		return at
	}
	return l.past[0].from
}

func (l *lagging) step() {
	switch rapid.IntRange(0, 6).Draw(l.t, "step") {
	case 0, 1:
		now := was{from: l.clock.Now(), good: map[string]bool{}}
		for _, key := range lagged {
			now.good[key] = l.good(key, now.from)
		}
		key := l.key()
		now.good[key] = !now.good[key]
		l.past = append(l.past, now)
	case 2:
		l.clock.Advance(rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, 4 * time.Minute, doubt}).Draw(l.t, "time"))
	case 3:
		l.state()
	case 4:
		l.tick() // the requests are answered in calm
	default:
		l.asRead(l.sight(l.key(), l.moment()))
	}
	l.clock.Advance(time.Millisecond)
}

// state has the feed state what has changed since it last did, as it was at a moment that is not before that.
func (l *lagging) state() {
	at := l.moment()
	if at.Before(l.stated) {
		at = l.stated
	}
	var seen []obs
	for _, key := range lagged {
		if slices.ContainsFunc(l.past, func(w was) bool { return w.from.After(l.stated) && !w.from.After(at) && l.turned(key, w.from) }) {
			seen = append(seen, l.sight(key, at))
		}
	}
	l.stated = at
	if len(seen) > 0 {
		l.see(seen...)
	}
}

// turned reports whether a thing changed at a time.
func (l *lagging) turned(key string, at time.Time) bool {
	return l.good(key, at) != l.good(key, at.Add(-time.Nanosecond))
}

func (l *lagging) asRead(seen ...obs) {
	feed := l.feed
	l.feed = time.Time{}
	l.see(seen...)
	l.feed = feed
}

// check holds each revocation against what was so.
func (l *lagging) check() {
	for _, ev := range l.drain() {
		if ev.Type() != event.TypeLicenseRevoked {
			continue
		}
		e := dataOf[event.Entitlement](l.t, ev)
		key := map[string]string{"not-a-member": "member ", "suspended": "user "}[string(e.Reason)] + e.User
		if !l.away(key, l.learned[key]) {
			l.t.Fatalf("%s lost the license at %s as %s, and has been otherwise since %s", e.User, ev.Time(), e.Reason, l.learned[key])
		}
	}
}

// away reports whether a thing was not good at any moment behind one.
func (l *lagging) away(key string, since time.Time) bool {
	for i, w := range l.past {
		ended := i+1 < len(l.past) && !l.past[i+1].from.After(since)
		if !w.good[key] && !ended {
			return true
		}
	}
	return false
}

// calm lets everything come to its end: reads show what is so, and doubts are asked about.
func (l *lagging) calm() {
	l.state()
	l.check()
	var all []obs
	for _, key := range lagged {
		all = append(all, l.sight(key, l.clock.Now()))
	}
	l.asRead(all...)
	for range 3 {
		l.clock.Advance(doubt)
		l.tick()
		l.asRead(all...)
		l.check()
	}
	for _, user := range []string{"ann", "bob"} {
		e, known := l.records[event.LicenseSource("contoso", share)].users[user]
		if want := l.good("user "+user, l.clock.Now()) && l.good("member "+user, l.clock.Now()); want != (known && e.Licensed) {
			l.t.Fatalf("%s is licensed: %v, want %v", user, !want, want)
		}
	}
}
