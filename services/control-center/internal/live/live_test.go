package live_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/live"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// hub is a running Hub, with what to publish by.
type hub struct {
	*live.Hub
	t    *testing.T
	bus  *bus.Bus
	next uint64
	end  func()
}

func start(t *testing.T, cfg live.Config) *hub {
	t.Helper()
	b := bustest.New(t)
	h := &hub{t: t, bus: b, Hub: live.New(cfg, live.Deps{Bus: b, Clock: clock.System(), Logger: telemetry.Discard(), Metrics: prometheus.NewRegistry()})}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = h.Run(ctx)
	}()
	h.end = func() { cancel(); <-ended }
	t.Cleanup(h.end)
	w := h.open("somebody", "contoso", "", "")
	defer w.Close()
	h.expect(w, live.Resync) // as it is given an old mark, and
	for {                    // again when the hub has begun to read
		last := h.publish("contoso", event.TypePolicyChanged, event.PolicySubject("contoso", "p"), "", event.PolicyChanged{})
		for changes := []live.Change{{}}; len(changes) > 0; { // of those before the last, more may come
			changes, _ = w.Next(t.Context(), 100*time.Millisecond)
			if slices.Contains(changes, live.Change{Kind: live.Policy, Position: last}) {
				return h
			}
		}
	}
}

func (h *hub) open(viewer, tenant, user, mark string) *live.Watch {
	h.t.Helper()
	w, err := h.Open(viewer, tenant, user, mark)
	if err != nil {
		h.t.Fatal(err)
	}
	return w
}

func (h *hub) publish(tenant, eventType, subject, user string, data any) (position uint64) {
	h.t.Helper()
	h.next++
	ev, err := event.New(eventType, event.Meta{
		ID: event.LicenseID(tenant, "p", h.next), Source: event.LicenseSource(tenant, "p"), Subject: user, Time: time.Now(), Tenant: tenant, Sequence: h.next,
	}, data)
	if err != nil {
		h.t.Fatal(err)
	}
	ack, err := h.bus.Publish(h.t.Context(), subject, ev)
	if err != nil {
		h.t.Fatal(err)
	}
	return ack.Sequence
}

func (h *hub) grant(tenant, user string) {
	h.t.Helper()
	h.publish(tenant, event.TypeLicenseGranted, event.LicenseSubject(tenant, "p", user), user, event.Entitlement{Tenant: tenant, Product: "p", User: user})
}

func (h *hub) expect(w *live.Watch, want ...live.Kind) {
	h.t.Helper()
	var got []live.Kind
	for len(got) < len(want) {
		changes, more := w.Next(h.t.Context(), 20*time.Second)
		if !more || len(changes) == 0 {
			h.t.Fatalf("told %v, want %v", got, want)
		}
		for _, c := range changes {
			got = append(got, c.Kind)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("(-want +told):\n%s", diff)
	}
}

// Each kind is told to whoever it concerns, and to nobody else.
func TestChangesAreToldToThoseTheyConcern(t *testing.T) {
	t.Parallel()
	h := start(t, live.Config{})
	all, ann, other := h.open("a", "contoso", "", h.Mark("contoso")), h.open("a", "contoso", "ann", h.Mark("contoso")), h.open("a", "fabrikam", "", h.Mark("fabrikam"))
	h.grant("contoso", "bob")
	h.expect(all, live.License)
	h.publish("contoso", event.TypeHeldOpened, event.HeldSubject("contoso", "p"), "", event.HeldOpened{})
	h.expect(all, live.Held)
	h.expect(ann, live.Held)
	h.publish("contoso", event.TypeLineChanged, event.SeatsSubject("contoso", "p"), "", event.LineChanged{User: "bob"})
	h.expect(all, live.Seats)
	h.publish("contoso", event.TypeUserActivated, event.ActivationSubject("contoso", "p"), "", event.UserActivated{User: "bob"})
	h.expect(all, live.License)
	h.publish("contoso", event.TypeUserActivated, event.ActivationSubject("contoso", "p"), "", event.UserActivated{User: "ann"})
	h.expect(all, live.License)
	h.expect(ann, live.License)
	h.publish("contoso", event.TypeSeatsChanged, event.SeatsSubject("contoso", "p"), "", event.SeatsChanged{})
	h.expect(all, live.Seats)
	h.expect(ann, live.Seats)
	h.publish("contoso", event.TypeConnectionDegraded, event.ConnectionSubject("contoso", "p"), "", event.Degraded{})
	h.expect(all, live.Connection)
	h.expect(ann, live.Connection)
	h.grant("contoso", "ann")
	h.expect(all, live.License)
	h.expect(ann, live.License)
	h.grant("fabrikam", "cid")
	h.expect(other, live.License)
	for name, w := range map[string]*live.Watch{"all": all, "ann": ann, "other": other} {
		if changes, more := w.Next(t.Context(), time.Millisecond); len(changes) != 0 || !more {
			t.Errorf("%s is told %v besides, %v", name, changes, more)
		}
		w.Close()
		w.Close()
	}
}

// A page that does not look is told in one word of whatever has happened, and holds nothing up.
func TestWhoDoesNotLookIsToldOnce(t *testing.T) {
	t.Parallel()
	h := start(t, live.Config{})
	lazy, busy := h.open("a", "contoso", "", h.Mark("contoso")), h.open("a", "contoso", "", h.Mark("contoso"))
	defer lazy.Close()
	defer busy.Close()
	for range 500 {
		h.grant("contoso", "ann")
		h.expect(busy, live.License)
	}
	h.expect(lazy, live.License)
	if changes, _ := lazy.Next(t.Context(), time.Millisecond); len(changes) != 0 {
		t.Errorf("told %v besides", changes)
	}
}

// A page that was made before what happened last is told so, and one that was not is not.
func TestMarksTellWhatWasMissed(t *testing.T) {
	t.Parallel()
	h := start(t, live.Config{})
	before := h.Mark("contoso")
	w := h.open("a", "contoso", "", before)
	defer w.Close()
	if changes, _ := w.Next(t.Context(), time.Millisecond); len(changes) != 0 {
		t.Errorf("with its own mark: told %v", changes)
	}
	h.grant("contoso", "ann")
	h.expect(w, live.License)
	late := h.open("a", "contoso", "", before)
	defer late.Close()
	h.expect(late, live.Resync)
	of := h.open("a", "fabrikam", "", h.Mark("fabrikam"))
	defer of.Close()
	if changes, _ := of.Next(t.Context(), time.Millisecond); len(changes) != 0 {
		t.Errorf("another tenant's event: told %v", changes)
	}
}

func TestNobodyTakesAllPages(t *testing.T) {
	t.Parallel()
	h := start(t, live.Config{MaxPages: 3, MaxPerViewer: 2})
	first, second := h.open("a", "contoso", "", ""), h.open("a", "fabrikam", "", "")
	if _, err := h.Open("a", "contoso", "", ""); !errors.Is(err, live.ErrFull) {
		t.Errorf("a third one of a: %v", err)
	}
	third := h.open("b", "contoso", "", "")
	if _, err := h.Open("c", "contoso", "", ""); !errors.Is(err, live.ErrFull) {
		t.Errorf("a fourth one: %v", err)
	}
	first.Close()
	h.open("a", "contoso", "", "").Close()
	second.Close()
	third.Close()
}

func TestPagesEndWithTheProcess(t *testing.T) {
	t.Parallel()
	h := start(t, live.Config{})
	w := h.open("a", "contoso", "", h.Mark("contoso"))
	h.end()
	if _, more := w.Next(t.Context(), time.Minute); more {
		t.Error("it goes on")
	}
	if _, err := h.Open("a", "contoso", "", ""); !errors.Is(err, live.ErrEnded) {
		t.Errorf("opened afterwards: %v", err)
	}
	w.Close()
}
