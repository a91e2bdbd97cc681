package worker_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
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

func TestTenantThatWasGivenUpIsReadInFullWhenItIsKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.page("contoso", "", person("ann", directory.Active))
	h.await(bus.DeadLetters, atLeast(1))
	h.register("contoso")
	h.page("contoso", "", person("bob", directory.Active))
	h.await(bus.LedgerIn, lastIs(event.TypeRefreshRequested))
}
