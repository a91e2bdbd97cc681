package live

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Watch is one open page. What it has yet to be told takes the same room however much happens: of each kind the last.
type Watch struct {
	hub                  *Hub
	viewer, tenant, user string

	mu      sync.Mutex
	wake    chan struct{} // closed with the watch
	over    bool
	pending map[Kind]uint64
}

// Change is what a page is told: something of that kind has changed, the last of it with the event at that position in
// LICENSES.
type Change struct {
	Kind     Kind
	Position uint64
}

// tell is called with the hub's lock.
func (w *Watch) tell(kind Kind, position uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.pending[kind] = position
	select {
	case w.wake <- struct{}{}:
	default: // it has yet to look
	}
}

func (w *Watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.over = true
		close(w.wake)
	}
}

// Next waits until something has changed, for at most that long: none, and true, is a silence. It is false when there will be
// nothing more, or ctx has ended.
func (w *Watch) Next(ctx context.Context, silence time.Duration) (changes []Change, more bool) {
	timer := w.hub.deps.Clock.NewTimer(silence)
	defer timer.Stop()
	select {
	case _, open := <-w.wake:
		return w.take(), open
	case <-ctx.Done():
		return nil, false
	case <-timer.C():
		return nil, true
	}
}

// take returns what has changed since the last time, by kind.
func (w *Watch) take() (changes []Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for kind, position := range w.pending {
		changes = append(changes, Change{Kind: kind, Position: position})
	}
	clear(w.pending)
	slices.SortFunc(changes, func(a, b Change) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return changes
}

// Close ends it. Closed twice is closed.
func (w *Watch) Close() { w.hub.closed(w) }
