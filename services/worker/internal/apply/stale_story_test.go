package apply_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// lose has the worker give up a message of contoso, and returns how many full reads were ordered since the last time.
func (h *harness) lose(t *testing.T) int {
	t.Helper()
	if err := h.applier.OrderReread(context.Background(), h.owner, contoso(), "in.lost"); err != nil {
		t.Fatal(err)
	}
	h.tick()
	return h.ordered()
}

// ordered counts the full reads that were ordered since it was last asked.
func (h *harness) ordered() int {
	return len(slices.DeleteFunc(h.drain(), func(ev event.Event) bool { return ev.Type() != event.TypeRefreshRequested }))
}

// stale returns since when something is missing of what was said of contoso, in time after the begin.
func (h *harness) stale(t *testing.T) (since time.Duration, stale bool) {
	t.Helper()
	all, err := h.ledger.Reader().Stale(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at, stale := all["contoso"]
	return at.Sub(began), stale
}

func TestALossIsMadeUpForByAReadThatBeganBehindIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read([]directory.Observation{person("u1")})
		if _, stale := h.stale(t); stale || h.ordered() != 0 {
			t.Error("stale before anything was lost")
		}
		h.snapshotPage("contoso", "before", 10, person("u1"))
		h.clock.Advance(time.Second)
		if n := h.lose(t); n != 1 {
			t.Errorf("%d full reads ordered", n)
		}
		h.snapshotEnded("contoso", "before", 10, 1)
		if since, stale := h.stale(t); !stale || since != time.Second {
			t.Errorf("stale %v, since %s, after a read that had begun before", stale, since)
		}
		h.restart()
		h.snapshotPage("contoso", "partial", 11, person("u1"))
		h.apply("contoso", event.TypeSnapshotEnded, event.SnapshotEnded{
			Snapshot: "partial", Began: event.Stamp{Epoch: 1, Counter: 11}, Users: true, Members: []string{}, Pages: 1,
		})
		h.snapshotPage("contoso", "torn", 12, person("u1"))
		h.snapshotEnded("contoso", "torn", 12, 2)
		if since, stale := h.stale(t); !stale || since != time.Second {
			t.Errorf("stale %v, since %s, after reads that were not complete", stale, since)
		}
		h.snapshotPage("contoso", "behind", 13, person("u1"))
		h.snapshotEnded("contoso", "behind", 13, 1)
		if _, stale := h.stale(t); stale {
			t.Error("still stale after a complete read that began behind the loss")
		}
	})
}

// A second loss soon after the first is not made up for by the read that was ordered for the first: that one may have begun
// before it.
func TestAFullReadTooSoonIsPutOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read([]directory.Observation{person("u1")})
		lost := []int{h.lose(t)}
		h.clock.Advance(9 * time.Minute)
		lost = append(lost, h.lose(t))
		h.restart()
		_, next, err := h.applier.Tick(t.Context(), h.owner)
		if err != nil || !next.Equal(began.Add(10*time.Minute)) {
			t.Errorf("the next full read at %s, %v", next, err)
		}
		h.clock.Advance(time.Minute)
		h.tick()
		lost = append(lost, h.ordered())
		h.clock.Advance(time.Hour)
		h.tick()
		if lost = append(lost, h.ordered()); !slices.Equal(lost, []int{1, 0, 1, 0}) {
			t.Errorf("full reads ordered: %v", lost)
		}
		if since, stale := h.stale(t); !stale || since != 0 {
			t.Errorf("stale %v, since %s", stale, since)
		}
	})
}

func TestAReadThatWasPutOffIsNotOrderedWhenAnotherMadeUpForTheLoss(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.read([]directory.Observation{person("u1")})
		h.lose(t)
		h.clock.Advance(time.Minute)
		h.lose(t)
		h.read([]directory.Observation{person("u1")})
		h.clock.Advance(time.Hour)
		h.tick()
		if n := h.ordered(); n != 0 {
			t.Errorf("%d full reads ordered", n)
		}
	})
}
