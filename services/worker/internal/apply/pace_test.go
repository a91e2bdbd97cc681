package apply_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// Where the database is slow, a chunk is smaller the next time, down to a few users; where it is quick again, they grow again.
func TestChunksAreAsLargeAsTheDatabaseIsQuick(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		h.chunk = 80
		h.restart()
		h.read(people(400))
		h.see(group("g", address), member("g", "u1", true))
		h.settled()
		h.told()
		h.approve("flip#1", 1)
		slow := time.Second
		h.applier = apply.New(apply.Config{Settle: settle, Chunk: h.chunk}, apply.Deps{
			Ledger: h.ledger, Clock: h.clock, Logger: slog.New(slog.DiscardHandler), Partition: func(string) int { return h.owner.Part },
			Fault: func(s apply.Step) error {
				if s == apply.BeforeCommit {
					h.clock.Advance(slow)
				}
				return nil
			},
		})
		var applied []int
		for h.tickOnce() {
			all, err := h.ledger.Reader().HeldChanges(t.Context(), "contoso", true)
			if err != nil || len(all) != 1 {
				t.Fatalf("held: %v, %v", all, err)
			}
			applied = append(applied, all[0].Applied)
			if len(applied) == 5 {
				slow = 0
			}
		}
		if want := []int{80, 120, 140, 150, 160, 170, 190, 230, 310, 390, 400}; !slices.Equal(applied, want) {
			t.Errorf("applied %v, want %v", applied, want)
		}
	})
}
