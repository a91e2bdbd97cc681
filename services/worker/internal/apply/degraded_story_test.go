package apply_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// hear delivers what a receiver says of contoso's connection; class "": it works.
func (h *harness) hear(class, check, action string) {
	h.t.Helper()
	h.at++
	h.hearAt(event.Stamp{Epoch: 1, Counter: h.at}, class, check, action)
}

func (h *harness) hearAt(at event.Stamp, class, check, action string) {
	h.t.Helper()
	seen := event.ConnectionObserved{Stamp: at, State: event.ConnectionWorking, Since: h.clock.Now()}
	if class != "" {
		seen.State, seen.Class, seen.Check, seen.Detail, seen.Action = event.ConnectionDegraded, class, check, "it does not work", action
	}
	h.apply("contoso", event.TypeConnectionObserved, seen)
}

// connection says how the connection is, now and then too late. What is told of it is checked as it is taken into the record.
func (s *scenario) connection() {
	s.at++
	at := s.at
	if s.once(4) {
		at = uint64(s.fair(int(at)))
	}
	seen := event.ConnectionObserved{Stamp: event.Stamp{Epoch: 1, Counter: at}, State: event.ConnectionWorking, Since: s.clock.Now()}
	if seen.Unheard = s.once(4); !seen.Unheard && !s.once(3) {
		seen.State, seen.Class = event.ConnectionDegraded, one(s, []string{event.ClassConsent, event.ClassSilent})
		seen.Check, seen.Detail, seen.Action = one(s, []string{"", "read-users"}), one(s, []string{"it fails", "it fails still"}), "mend it"
	}
	if s.once(2) {
		seen.Credential = s.credential()
	}
	s.send1(event.TypeConnectionObserved, seen, func() {})
}

func TestConnectionIsToldWhenItChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.hear("", "", "")
		h.expect("it works from the beginning")
		h.hear(event.ClassConsent, "read-users", "consent")
		h.expect("", "degraded consent read-users consent")
		first := h.clock.Now()
		h.clock.Advance(time.Hour)
		h.hear(event.ClassConsent, "read-users", "consent")
		h.expect("the same again")
		h.restart()
		h.hear(event.ClassConsent, "read-users", "consent")
		h.expect("and after a restart")
		h.hear(event.ClassConsent, "read-groups", "consent")
		h.expect("another check", "degraded consent read-groups consent")
		h.hear(event.ClassSignIn, "sign-in", "a new secret")
		h.expect("another class", "degraded sign-in sign-in a new secret")
		h.hear(event.ClassSignIn, "sign-in", "ask ada@contoso.com")
		h.expect("nobody is named", `degraded sign-in sign-in Run "rollcall tenants verify contoso".`)
		shown, err := h.ledger.Reader().Degraded(t.Context())
		if got := shown["contoso"]; err != nil || got.Class != event.ClassSignIn || !got.Since.Equal(first) {
			t.Errorf("the ledger says %+v, %v; want since %v", got, err, first)
		}
		h.hear("", "", "")
		h.expect("", "recovered sign-in")
		h.hear("", "", "")
		h.expect("the same again")
		if shown, err = h.ledger.Reader().Degraded(t.Context()); len(shown) != 0 || err != nil {
			t.Errorf("the ledger says %+v, %v", shown, err)
		}
	})
}

// A receiver that was started anew does not know whether pushes come before one has.
func TestSilenceEndsWithAPush(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		unheard := event.ConnectionObserved{State: event.ConnectionWorking, Unheard: true, Since: began}
		h.hear(event.ClassSilent, "", "look")
		h.told()
		h.at++
		unheard.Stamp = event.Stamp{Epoch: 1, Counter: h.at}
		h.apply("contoso", event.TypeConnectionObserved, unheard)
		h.expect("it can be read, and no more is known")
		h.hear("", "", "")
		h.expect("", "recovered silent")
		h.hear(event.ClassConsent, "", "look")
		h.told()
		h.at++
		unheard.Stamp = event.Stamp{Epoch: 1, Counter: h.at}
		h.apply("contoso", event.TypeConnectionObserved, unheard)
		h.expect("it can be read", "recovered consent")
	})
}

// Who has lost the tenant says late what is not so any more.
func TestConnectionByOldStampsIsPassedOver(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		late := event.Stamp{Epoch: 1, Counter: 9}
		h.hearAt(event.Stamp{Epoch: 2, Counter: 1}, "", "", "")
		h.hearAt(late, event.ClassSilent, "", "look")
		h.expect("")
		h.hearAt(event.Stamp{Epoch: 2, Counter: 2}, event.ClassSilent, "", "look")
		h.expect("", "degraded silent look")
		h.hearAt(late, "", "", "")
		h.expect("")
	})
}

func TestConnectionThatEndsIsNotDegraded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read(people(2))
		h.hear(event.ClassUnreachable, "", "look")
		h.told()
		h.disconnect(event.LicensesKeep)
		h.expect("", "settings paused=false frozen=false connected=false hold 20% 5 604800s", "done")
		if shown, err := h.ledger.Reader().Degraded(t.Context()); len(shown) != 0 || err != nil {
			t.Errorf("the ledger says %+v, %v", shown, err)
		}
		h.hear(event.ClassUnreachable, "", "look")
		h.expect("nobody follows it")
		h.connect()
		h.told()
		h.hear("", "", "")
		h.expect("it works")
		h.hear(event.ClassUnreachable, "", "look")
		h.expect("and then it does not", "degraded unreachable look")
	})
}

// The connection is the tenant's: each product has the whole of it in its own record, also one that comes later.
func TestConnectionIsToldToEachProduct(t *testing.T) {
	t.Parallel()
	both, _ := twoProducts()
	each(t, func(t *testing.T, h *harness) {
		one := both
		one.Products = one.Products[:1:1]
		h.tenants["contoso"] = one
		h.hear(event.ClassQuota, "", "end some")
		h.expect("", "degraded quota end some")
		h.tenants["contoso"] = both
		h.hear(event.ClassQuota, "", "end some")
		h.expect("the second is told too", "degraded quota end some")
		h.tenants["contoso"] = one
		h.see(person("u1"))
		h.hear("", "", "")
		h.told()
		shown, err := h.ledger.Reader().Degraded(t.Context())
		if diff := cmp.Diff(0, len(shown)); diff != "" || err != nil {
			t.Errorf("a product that is not named any more keeps it degraded: %+v, %v", shown, err)
		}
	}, both)
}

// What says nothing is refused, and orders nothing.
func TestConnectionThatSaysNothingIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		for _, state := range []string{"", "odd", event.ConnectionDegraded} {
			m := h.message("contoso", event.TypeConnectionObserved, event.ConnectionObserved{Stamp: event.Stamp{Epoch: 1, Counter: 1}, State: state})
			if err := h.deliver(m); err == nil {
				t.Errorf("state %q is taken", state)
			}
		}
		h.expect("")
	}, []tenant.Tenant{contoso()}...)
}
