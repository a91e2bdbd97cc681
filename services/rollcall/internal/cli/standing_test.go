package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// hear publishes what a receiver says of contoso's connection. It is later than all that the house's own receiver says.
func (h *house) hear(t *testing.T, counter uint64, seen event.ConnectionObserved) {
	t.Helper()
	seen.Stamp = event.Stamp{Epoch: time.Now().Add(24 * time.Hour).UnixMilli(), Counter: counter}
	ev, err := event.New(event.TypeConnectionObserved, event.Meta{
		ID: event.ObservationID("contoso", seen.Stamp.Directory(), 0), Source: event.DirectorySource("contoso"), Time: time.Now(), Tenant: "contoso",
	}, seen)
	fatal(t, err)
	_, err = h.bus(t).Publish(t.Context(), event.DirectorySubject("contoso", "connection"), ev)
	fatal(t, err)
}

func TestDegradedTenantsSayWhatToDo(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	since := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	h.hear(t, 1, event.ConnectionObserved{
		State: event.ConnectionDegraded, Class: event.ClassConsent, Check: "read-users", Since: since,
		Detail: "Users cannot be read.", Action: "Consent again.",
	})
	eventually(t, "it is listed", func() bool { return strings.Contains(h.must(t, "tenants", "list"), "DEGRADED") })
	out := h.must(t, "tenants", "show", "contoso")
	if !strings.Contains(out, "contoso is DEGRADED (consent) since 2026-11-24T10:00:00Z: Users cannot be read.\nWhat to do: Consent again.\n") {
		t.Errorf("tenants show:\n%s", out)
	}
	shown := ask[struct {
		Standing struct{ Degraded map[string]string }
	}](t, h, "tenants", "show", "contoso")
	if d := shown.Standing.Degraded; d["class"] != "consent" || d["check"] != "read-users" || d["action"] != "Consent again." {
		t.Errorf("shown as %v", d)
	}
	if out := h.must(t, "events", "--tenant", "contoso", "--type", "degraded"); strings.Count(out, "degraded") != 1 {
		t.Errorf("events:\n%s", out)
	}
	h.hear(t, 2, event.ConnectionObserved{State: event.ConnectionWorking, Since: since})
	eventually(t, "it is well again", func() bool { return !strings.Contains(h.must(t, "tenants", "list"), "DEGRADED") })
	if out := h.must(t, "audit", "--tenant", "contoso"); !strings.Contains(out, "consent: Consent again.") || !strings.Contains(out, "from consent") {
		t.Errorf("audit:\n%s", out)
	}
}
