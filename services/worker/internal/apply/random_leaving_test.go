package apply_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// Whoever is in some group of a nest all the time is never revoked, in whatever order the groups are read while people move: as
// long as nobody moves again before a round has shown the rest.
func TestWhoIsAlwaysInTheNestIsNeverRevoked(t *testing.T) {
	t.Parallel()
	valid := eventtest.Shared(t)
	checkFew(t, ledgersToOpen(), func(rt *rapid.T, _ int) {
		m := &moving{t: rt, harness: newHarnessAt(rt, ledgertest.SQLite(t), valid, contoso()), in: map[string][]string{}}
		defer m.close()
		m.connect()
		for range rapid.IntRange(1, 8).Draw(rt, "moves") {
			m.restless()
			m.quiet()
		}
	})
}

// moving is a tenant whose provisioning group g holds a, and b in that; each user is in one of them, or in two for a moment.
type moving struct {
	*harness
	t  *rapid.T
	in map[string][]string // by user
}

var (
	movers = []string{"ann", "bob", "cid"}
	nest   = []string{"g", "a", "b"}
)

func (m *moving) connect() {
	m.guard("contoso", ledger.Hold{Expiry: week})
	m.whole = true
	m.begin()
	all := []obs{group("g", address), group("a"), group("b"), nested("g", "a", true), nested("a", "b", true)}
	for _, user := range movers {
		m.in[user] = []string{rapid.SampledFrom(nest).Draw(m.t, "first of "+user)}
		all = append(all, person(user), member(m.in[user][0], user, true))
	}
	m.read(all, nest...)
	m.heed = func(ev event.Event) error {
		if ev.Type() == event.TypeLicenseRevoked {
			return fmt.Errorf("revoked: %s", ev)
		}
		return nil
	}
}

// restless reads the groups in some order while each user may move from one to another, by joining one and leaving the other.
func (m *moving) restless() {
	began := m.clock.Now()
	moves := map[string]string{}
	for _, user := range movers {
		if to := rapid.SampledFrom(nest).Draw(m.t, user+" moves to"); to != m.in[user][0] {
			moves[user] = to
		}
	}
	for range rapid.IntRange(1, 8).Draw(m.t, "reads") {
		for _, user := range movers {
			to, moves := moves[user]
			switch {
			case !moves || rapid.Bool().Draw(m.t, user+" rests"):
			case len(m.in[user]) == 2:
				m.in[user] = m.in[user][1:]
			case m.in[user][0] != to:
				m.in[user] = append(m.in[user], to)
			}
		}
		m.show(rapid.SampledFrom(nest).Draw(m.t, "read"))
		if rapid.IntRange(0, 3).Draw(m.t, "restart") == 0 {
			m.begin()
		}
	}
	if rapid.Bool().Draw(m.t, "a round ends") {
		m.end(began)
	}
}

// quiet is a round in which nobody moves.
func (m *moving) quiet() {
	began := m.clock.Now()
	for _, group := range rapid.Permutation(nest).Draw(m.t, "order") {
		m.show(group)
	}
	m.end(began)
}

func (m *moving) show(group string) {
	m.clock.Advance(time.Second)
	var seen []obs
	for _, user := range movers {
		seen = append(seen, member(group, user, slices.Contains(m.in[user], group)))
	}
	m.see(seen...)
	m.tick()
	m.drain()
}

func (m *moving) end(began time.Time) {
	m.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: began})
	m.tick()
	m.drain()
}

// Who moves on from the group in the middle before it is read is told there to be no member, and one more round is waited for.
func TestWhoMovesTwiceIsWaitedForOnceMore(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		twoWithin(h)
		h.see(member("a", "ann", false)) // and is in b
		h.next()
		h.expect("a round is asked for", aRound)
		began := h.clock.Now()
		h.next()
		h.see(member("b", "ann", false)) // and is in g
		h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: began})
		h.tick()
		h.expect("it began before that", aRound)
		h.next()
		began = h.clock.Now()
		h.next()
		h.see(member("g", "ann", true))
		h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: began})
		h.tick()
		h.expect("ann has been a member all the time", "reason ann group-member")
	})
}

// A read has shown ann in another group, and is not believed yet: until it is known whether it lags, ann has not left.
func TestWhoMayBeAMemberAfterAllKeepsTheLicense(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.doubt = doubt
		twoWithin(h)
		h.clock.Advance(time.Hour)
		h.feed = h.clock.Now()
		h.see(member("g", "ann", true))
		h.next()
		h.see(member("g", "ann", false))
		h.told()
		h.next()
		h.feed = time.Time{}
		h.see(member("g", "ann", true))
		h.next()
		h.feed = h.clock.Now()
		h.see(member("a", "ann", false))
		h.expect("the read is doubted, and there may be another way", aRound)
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("the round has shown none, but the read may be right")
		h.next()
		h.roundEnded("contoso")
		h.tick()
		h.expect("no round tells that")
		h.feed = time.Time{}
		h.clock.Advance(doubt / 10)
		h.answered(t, member("g", "ann", true))
		h.expect("it was", "reason ann group-member")
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("once more, when a replica cannot be that late", "read users=[] groups=[] members=1")
	})
}
