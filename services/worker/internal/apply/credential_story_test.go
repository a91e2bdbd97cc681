package apply_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// ending delivers that contoso's connection works, with a credential that ends at a time, within so many days.
func (h *harness) ending(expires time.Time, days int) {
	h.t.Helper()
	h.at++
	h.endingAt(event.Stamp{Epoch: 1, Counter: h.at}, expires, days)
}

func (h *harness) endingAt(at event.Stamp, expires time.Time, days int) {
	h.t.Helper()
	seen := &event.CredentialSeen{Expires: expires, Days: days}
	if days > 0 {
		seen.Detail, seen.Action = "it ends", "make another"
	}
	h.apply("contoso", event.TypeConnectionObserved,
		event.ConnectionObserved{Stamp: at, State: event.ConnectionWorking, Since: h.clock.Now(), Credential: seen})
}

func wordsOfExpiring(t fataler, ev event.Event) string {
	e := dataOf[event.CredentialExpiring](t, ev)
	return fmt.Sprintf("ends %s within %d: %s, %s", e.Expires.Format(time.DateOnly), e.Days, e.Detail, e.Action)
}

func wordsOfReplaced(t fataler, ev event.Event) string {
	r := dataOf[event.CredentialReplaced](t, ev)
	if r.Expires.IsZero() {
		return "replaced " + r.Was.Format(time.DateOnly)
	}
	return "replaced " + r.Was.Format(time.DateOnly) + " by " + r.Expires.Format(time.DateOnly)
}

// credential is one that ends soon, late or never, as a receiver sees it.
func (s *scenario) credential() *event.CredentialSeen {
	seen := &event.CredentialSeen{Days: one(s, []int{0, 30, 7, 1})}
	if seen.Days > 0 || s.once(2) {
		seen.Expires = began.AddDate(0, 0, one(s, []int{20, 40}))
	}
	if seen.Days > 0 {
		seen.Detail, seen.Action = "it ends", "make another"
	}
	return seen
}

var (
	christmas = time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)
	spring    = time.Date(2027, 3, 20, 9, 0, 0, 0, time.UTC)
)

func TestEachThresholdOfACredentialIsToldOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.ending(christmas, 0)
		h.expect("it does not end soon")
		for _, days := range []int{30, 7, 1} {
			h.ending(christmas, days)
			h.expect("", fmt.Sprintf("ends 2026-12-24 within %d: it ends, make another", days))
			h.ending(christmas, days)
			h.expect("the same again")
			h.restart()
			h.ending(christmas, days)
			h.expect("and after a restart")
			h.hear("", "", "")
			h.expect("nothing is known of it for once")
		}
		h.ending(christmas, 30)
		h.expect("whose clock is late says what was said")
		h.ending(christmas, 0)
		h.expect("it has ended: what comes of it is told by itself")
		shown, err := h.ledger.Reader().Credentials(t.Context())
		if got := shown["contoso"]; err != nil || got.Days != 1 || !got.Expires.Equal(christmas) || got.Detail != "it ends" || got.Action != "make another" {
			t.Errorf("the ledger says %+v, %v", got, err)
		}
		h.hear(event.ClassSignIn, "sign-in", "a new one")
		h.expect("", "degraded sign-in sign-in a new one")
		h.ending(spring, 0)
		h.expect("another one ends both", "recovered sign-in", "replaced 2026-12-24 by 2027-03-20")
		h.ending(spring, 0)
		h.expect("the same again")
	})
}

func TestAnotherCredentialIsToldAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.ending(christmas, 7)
		h.expect("", "ends 2026-12-24 within 7: it ends, make another")
		h.ending(spring, 30)
		h.expect("another that ends soon", "ends 2027-03-20 within 30: it ends, make another")
		h.endingAt(event.Stamp{Epoch: 1, Counter: 1}, christmas, 1)
		h.expect("what is said late")
		h.ending(time.Time{}, 0)
		h.expect("one without an end", "replaced 2027-03-20")
		if shown, err := h.ledger.Reader().Credentials(t.Context()); len(shown) != 0 || err != nil {
			t.Errorf("the ledger says %+v, %v", shown, err)
		}
	})
}

func TestCredentialOfADisconnectedTenantIsForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read(people(2))
		h.ending(christmas, 30)
		h.told()
		h.disconnect(event.LicensesKeep)
		h.told()
		if shown, err := h.ledger.Reader().Credentials(t.Context()); len(shown) != 0 || err != nil {
			t.Errorf("the ledger says %+v, %v", shown, err)
		}
		h.ending(christmas, 7)
		h.expect("nobody follows it")
		h.connect()
		h.told()
		h.ending(christmas, 7)
		h.expect("", "ends 2026-12-24 within 7: it ends, make another")
		m := h.message("contoso", event.TypeConnectionObserved, event.ConnectionObserved{
			Stamp: event.Stamp{Epoch: 9, Counter: 1}, State: event.ConnectionWorking, Credential: &event.CredentialSeen{Days: 7, Detail: "d", Action: "a"},
		})
		if err := h.deliver(m); err == nil {
			t.Error("one that ends soon, and not when, is taken")
		}
		h.expect("")
	})
}
