package worker_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/worker"
)

var errDead = errors.New("the process is dead")

// lives are workers one after the other on one ledger: the first dies at its first step, the second at its second, and so on,
// so that over a story every step is died at, early and late.
type lives struct {
	h     *house
	mu    sync.Mutex
	steps map[string]int // of which somebody died, how often
	end   chan struct{}
	ended chan struct{}
}

func (h *house) live() *lives {
	l := &lives{h: h, steps: map[string]int{}, end: make(chan struct{}), ended: make(chan struct{})}
	go l.run()
	return l
}

func (l *lives) run() {
	defer close(l.ended)
	for n := 1; ; n++ {
		died := make(chan struct{})
		l.h.startWith(func(w *worker.Worker) { w.DieAt(l.dieAt(n, died)) })
		select {
		case <-died:
			l.h.stop()
		case <-l.end:
			l.h.stop()
			return
		}
	}
}

// dieAt fails the n-th step and all that would come after it in a process that were not dead.
func (l *lives) dieAt(n int, died chan struct{}) func(string) error {
	hit := 0
	return func(step string) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if hit++; hit < n {
			return nil
		}
		if hit == n {
			l.steps[step]++
			close(died)
		}
		return errDead
	}
}

func (l *lives) stop() map[string]int {
	close(l.end)
	<-l.ended
	return l.steps
}

// story is a tenant's life from connect to a rejected bulk, as the events of LICENSES tell it.
func (h *house) story() []string {
	h.t.Helper()
	h.life()
	h.troubles()
	var told []string
	last := uint64(0)
	if err := h.bus.Read(h.t.Context(), bus.ReadSpec{Stream: bus.Licenses}, func(m bus.Message) error {
		sequence, err := event.Sequence(m.Event)
		if err != nil || sequence != last+1 {
			h.t.Errorf("%s follows sequence %d, %v", m.Event.ID(), last, err)
		}
		last = sequence
		told = append(told, fmt.Sprintf("%s %s", m.Event.Type(), m.Event.Subject()))
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	slices.Sort(told) // what does not depend on each other may come in another order
	return told
}

// Whenever the worker dies, at any step of its loop, on either database: the next one goes on, no transition is lost, and none
// is told twice.
func TestDyingAtEveryStepLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	undisturbed := newHouse(t)
	want := undisturbed.story()
	ledgertest.Each(t, func(t *testing.T, b ledgertest.Backend) {
		h := emptyHouse(t, b.Address(t))
		l := h.live()
		got := h.story()
		died := l.stop()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("told (-undisturbed +with deaths):\n%s", diff)
		}
		for _, step := range []string{
			"message read", "before commit", "after commit", "before ack", "before publish", "after publish", "before mark", "after mark",
		} {
			if died[step] == 0 {
				t.Errorf("nobody died at %q: %v", step, died)
			}
		}
		t.Logf("died: %v", died)
	})
}
