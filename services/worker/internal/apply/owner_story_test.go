package apply_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// An owner that was only stopped for a while goes on as if nothing had happened, when its partition is another's.
func TestLateOwnerIsFenced(t *testing.T) { onEach(t, lateOwnerIsFenced) }

func lateOwnerIsFenced(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	resume := func(owner apply.Owner) error {
		_, err := h.applier.Resume(t.Context(), owner, bus.LedgerIn, h.created, h.stream)
		return err
	}
	late, owner := apply.Owner{Epoch: 7}, apply.Owner{Epoch: 8}
	if err := errors.Join(resume(late), resume(owner)); err != nil {
		t.Fatal(err)
	}
	m := h.message("contoso", event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp:        event.Stamp{Epoch: 1, Counter: 9},
		Observations: event.FromObservations([]directory.Observation{personAs("ann", directory.Suspended)}),
	})
	h.clock.Advance(settle + time.Second)
	h.owner = late
	_, _, ticked := h.applier.Tick(t.Context(), late)
	for what, err := range map[string]error{
		"a message": h.deliver(m), "work that is due": ticked, "a full read": h.applier.OrderReread(t.Context(), late, contoso(), "in.9"), "its return": resume(late),
	} {
		if !errors.Is(err, apply.ErrFenced) {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.expect("nothing of it counts")
	h.owner = owner
	if err := h.deliver(m); err != nil {
		t.Fatal(err)
	}
	h.tick()
	h.expect("the owner is free to go on", "revoked ann suspended", "read users=[] groups=[] members=0")
}
