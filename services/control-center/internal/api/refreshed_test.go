package api_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// refreshed asks for a refresh under a key, and answers it as a worker would: a preview with one list.
func (h *house) refreshed(t *testing.T, tenant, key string, preview bool) {
	t.Helper()
	sent, err := command.New(h.Bus, h.Clock).Send(t.Context(), tenant, key, event.RefreshRequested{RequestedBy: "cli", Preview: preview})
	if err != nil {
		t.Fatal(err)
	}
	result := event.RefreshCompleted{Snapshot: sent.ID, Users: 8, Groups: 2, Granted: 1}
	if preview {
		result.Granted = 0
		result.Holds = []event.RefreshHold{{Product: "secure-share", Held: "refresh-3", Revision: 4, Grants: 1}}
	}
	if _, err := h.Tell(t.Context(), tenant, "refreshed", event.TypeRefreshCompleted, sent.ID+".completed", sent.ID, result); err != nil {
		t.Fatal(err)
	}
}
