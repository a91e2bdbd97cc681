package timelapse

import (
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/license"
)

// heard is what a subscriber was told, in order.
type heard struct {
	mu  sync.Mutex
	all []license.Event
}

func (h *heard) add(e license.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, e)
}

// since returns the events behind the first n.
func (h *heard) since(n int) []license.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all[n:len(h.all):len(h.all)]
}

// mark is the place behind all that was heard.
func (h *heard) mark() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// forget drops all that was heard.
func (h *heard) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = nil
}

// licensed is whom the events give a license by now.
func (h *heard) licensed() map[string]bool {
	now := map[string]bool{}
	for _, e := range h.since(0) {
		switch {
		case e.Entitlement == nil:
		case e.Entitlement.Licensed:
			now[e.User] = true
		default:
			delete(now, e.User)
		}
	}
	return now
}

// first returns when the first event behind a mark came that gives a user a license, or takes it.
func (h *heard) first(mark int, user string, licensed bool) (at time.Time, ok bool) {
	for _, e := range h.since(mark) {
		if e.User == user && e.Entitlement != nil && e.Entitlement.Licensed == licensed {
			return e.Time, true
		}
	}
	return at, false
}
