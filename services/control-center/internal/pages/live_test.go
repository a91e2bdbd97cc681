package pages_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

func TestAnOpenPageIsToldOfChanges(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.house("fabrikam")
	w.put("fabrikam", person("ann", "Ann of Fabrikam"))
	s := w.open("/tenants/contoso/live?mark=old")
	if s.status != http.StatusOK {
		t.Fatalf("%d", s.status)
	}
	if first := s.next(); first != "resync" { // the page was made before the process
		t.Errorf("first %q", first)
	}
	w.decide("fabrikam", "secure-share", decided{user: "ann", licensed: true, reason: licensing.DomainDefault})
	w.decide("contoso", "secure-share", decided{user: "bob", licensed: true, reason: licensing.DomainDefault})
	for name := s.next(); name != "license"; name = s.next() {
		if name != "resync" { // the reader of the stream has begun only now
			t.Fatalf("told %q", name)
		}
	}
}

// The time that a listener gives a request, for its headers and for its answer, is not that of an open page.
func TestAnOpenPageOutlivesTheTimesOfRequests(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	const times = 300 * time.Millisecond
	w.restart(times)
	s := w.open("/tenants/contoso/live?mark=old")
	if first := s.next(); first != "resync" {
		t.Errorf("first %q", first)
	}
	<-time.After(3 * times) // real time passes on a real connection
	w.decide("contoso", "secure-share", decided{user: "bob", licensed: true, reason: licensing.DomainDefault})
	for name := s.next(); name != "license"; name = s.next() {
		if name != "resync" {
			t.Fatalf("told %q: the connection has ended", name)
		}
	}
}

// Whoever may not see a tenant any more is told nothing more of it, though the page stays open.
func TestAStreamEndsWithTheRight(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	w := newWorldBy(t, fake, ledgertest.SQLite(t))
	w.house("contoso")
	w.as(admin)
	s := w.open("/tenants/contoso/live?mark=old")
	if first := s.next(); first != "resync" {
		t.Fatalf("first %q", first)
	}
	fake.BlockUntil(1)
	fake.Advance(time.Second) // so long it rests between two words
	fake.BlockUntil(1)        // it waits for what happens
	w.as(access.Principal{ID: admin.ID, Role: access.TenantAdmin, Tenants: []string{"fabrikam"}})
	fake.Advance(15 * time.Second)
	if name := s.next(); name != "" {
		t.Errorf("told %q", name)
	}
}
