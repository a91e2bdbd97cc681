package googlepush

import (
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// late is a delivery that is held until a later one of its channel has been sent.
type late struct {
	*delivery
	gone bool // it was sent
}

// spoil hands a delivery on as a plan lets it, and reports whether its channel is still there. The caller holds the lock.
func (h *Hub) spoil(d *delivery, s traffic.PushSpoil) bool {
	now, again := h.Clock.Now(), *d
	switch s.Kind {
	case control.SubscriptionLost:
		return false
	case control.PushLost:
		return true
	case control.PushDelayed:
		h.queue.Add(now.Add(s.Wait), d)
	case control.PushReordered:
		l, e := &late{delivery: d}, h.endpoint(d.address)
		e.held = append(e.held, l)
		h.queue.Add(now.Add(s.Wait), l)
	default:
		h.ready(d)
	}
	if s.Again > 0 {
		h.queue.Add(now.Add(s.Again), &again)
	}
	return true
}

// lose forgets a channel without a word to its owner.
func (h *Hub) lose(tenant string, sub *store.Subscription) {
	if err := h.Store.DeleteSubscriptions(tenant, sub.ID); err != nil {
		h.Logger.Error("forget a lost channel", "error", err)
	}
}

// release sends what was held, once, and counts what that came to: what nothing overtook was no more than delayed. The
// caller holds the lock.
func (h *Hub) release(l *late, as control.FaultKind) {
	if l.gone {
		return
	}
	l.gone = true
	h.Faults.Count(l.tenant, as)
	h.ready(l.delivery)
}

// overtake sends what a delivery that was sent just now has overtaken. The caller holds the lock.
func (h *Hub) overtake(e *endpoint, sent *delivery) {
	held := e.held
	e.held = nil
	for _, l := range held {
		if l.channel == sent.channel && l.tenant == sent.tenant && l.seq < sent.seq {
			h.release(l, control.PushReordered)
		}
		if !l.gone {
			e.held = append(e.held, l)
		}
	}
}
