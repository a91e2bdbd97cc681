package worker_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Whatever was lost of what a directory showed, it is shown again.
func TestUndecodableObservationOrdersAFullRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("contoso")
	if _, err := h.bus.JetStream().Publish(t.Context(), event.DirectorySubject("contoso", "page"), []byte("{")); err != nil {
		t.Fatal(err)
	}
	h.await(bus.LedgerIn, lastIs(event.TypeRefreshRequested))
	h.await(bus.DeadLetters, atLeast(1))
}

func TestUnusablePageIsADeadLetterAndIsReadAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("contoso")
	h.publish("contoso", "page", event.TypeDirectoryObserved, map[string]any{"stamp": "yesterday"})
	h.await(bus.LedgerIn, lastIs(event.TypeRefreshRequested))
	h.await(bus.DeadLetters, atLeast(1))
}

func TestTenantThatWasGivenUpIsReadInFullWhenItIsKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.page("contoso", "", person("ann", directory.Active))
	h.await(bus.DeadLetters, atLeast(1))
	h.register("contoso")
	h.page("contoso", "", person("bob", directory.Active))
	h.await(bus.LedgerIn, lastIs(event.TypeRefreshRequested))
}

// stale are the tenants of which the worker's metrics tell, and which the ledger shows, as having lost something.
func (h *house) stale() map[string]bool {
	h.t.Helper()
	families, err := h.metrics.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	told := map[string]bool{}
	for _, family := range families {
		if family.GetName() != "rollcall_worker_stale_seconds" {
			continue
		}
		for _, m := range family.GetMetric() {
			if m.GetGauge().GetValue() < 0 {
				h.t.Errorf("the time is not known: %v", m)
			}
			told[m.GetLabel()[0].GetValue()] = true
		}
	}
	reader, err := ledger.OpenReader(h.t.Context(), h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	all, err := reader.Tenants(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for name, t := range all {
		if t.StaleSince.IsZero() == told[name] {
			h.t.Errorf("%s is stale since %s in the ledger; the metrics say %v", name, t.StaleSince, told[name])
		}
	}
	return told
}

// From the loss on until a full read has made up for it, whoever looks at the tenant is told.
func TestALossMarksItsTenantUntilItIsReadInFull(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("contoso")
	h.register("initech")
	h.connect("contoso", person("ann", directory.Active))
	h.connect("initech", person("ann", directory.Active))
	h.await(bus.Licenses, atLeast(4))
	if stale := h.stale(); len(stale) != 0 {
		t.Errorf("stale before anything was lost: %v", stale)
	}
	h.publish("contoso", "page", event.TypeDirectoryObserved, map[string]any{"stamp": "yesterday"})
	h.await(bus.DeadLetters, atLeast(1))
	if stale := h.stale(); len(stale) != 1 || !stale["contoso"] {
		t.Errorf("stale: %v", stale)
	}
	h.stop()
	h.start() // another process, which has to know it too
	if stale := h.stale(); !stale["contoso"] {
		t.Errorf("stale after a restart: %v", stale)
	}
	h.page("contoso", "again", person("ann", directory.Active), person("bob", directory.Active))
	h.publish("contoso", "snapshot", event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: "again", Began: event.Stamp{Epoch: 1, Counter: h.stamp}, Users: true, Groups: true, Members: []string{}, Pages: 1,
	})
	h.await(bus.LedgerIn, func(all []event.Event) bool { return event.Cause(all[len(all)-1]) == "again" })
	if stale := h.stale(); len(stale) != 0 {
		t.Errorf("stale after a full read: %v", stale)
	}
}

// What is replayed has the stamp that it had: it undoes nothing that was seen since, and counts where nothing was.
func TestAReplayedObservationUndoesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.page("contoso", "", person("ann", directory.Suspended))
	h.stamp = 99
	h.page("contoso", "", person("bob", directory.Active))
	h.await(bus.DeadLetters, atLeast(2))
	h.stamp = 1
	h.register("contoso")
	h.connect("contoso", person("ann", directory.Active))
	h.await(bus.Licenses, atLeast(2))
	err := h.bus.Letters(t.Context(), "", "", func(l bus.Letter) error {
		_, err := h.bus.Replay(t.Context(), l)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	told := h.await(bus.Licenses, func(all []event.Event) bool { return all[len(all)-1].Subject() == "bob" })
	if len(told) != 3 {
		t.Errorf("%d events, want that of the policy and one for each user", len(told))
	}
	h.checkKV("contoso", "ann", true)
}
