package push

import (
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// late is an item that a plan of faults keeps back.
type late struct {
	url  string
	item item
	held bool // until a later one of its subscription has been sent
	gone bool // it was sent
}

// deliver hands an item to its endpoint as plans let it, and reports whether its subscription is still there.
func (h *Hub) deliver(sub *store.Subscription, it item, duplicates int) bool {
	spoil := h.Faults.DealPush(it.tenant, kind(sub.Resource))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	it.seq = h.seq
	switch spoil.Kind {
	case control.SubscriptionLost:
		return false
	case control.PushLost:
		return true
	case control.PushDelayed, control.PushReordered:
		l := &late{url: sub.URL, item: it, held: spoil.Kind == control.PushReordered}
		h.later(l, spoil.Wait)
		if l.held {
			e := h.endpoint(sub.URL)
			e.held = append(e.held, l)
		}
	default:
		h.enqueue(sub.URL, it, duplicates)
	}
	if spoil.Again > 0 {
		h.later(&late{url: sub.URL, item: it}, spoil.Again)
	}
	return true
}

// kind is a resource without the id in it, which is another one each time that a story is played.
func kind(resource string) string {
	parts := strings.Split(strings.ToLower(strings.Trim(resource, "/")), "/")
	if len(parts) > 1 {
		parts[1] = "{id}"
	}
	return strings.Join(parts, "/")
}

// later puts an item off. The caller holds the lock.
func (h *Hub) later(l *late, wait time.Duration) {
	l.item.members = slices.Clone(l.item.members) // it may be joined with others, and its copy too
	h.queue.Add(h.Clock.Now().Add(wait), l)
}

// advance sends what was put off and is due. What nothing has overtaken until then was no more than delayed.
func (h *Hub) advance() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.queue.Take(h.Clock.Now()) {
		if l.gone {
			continue
		}
		if l.held {
			h.Faults.Count(l.item.tenant, control.PushDelayed)
		}
		l.gone = true
		h.enqueue(l.url, l.item, 0)
	}
}

// lose forgets subscriptions without a word to their owners: of users and groups Graph sends no subscriptionRemoved.
func (h *Hub) lose(tenant string, subscriptions []string) {
	if len(subscriptions) == 0 {
		return
	}
	if err := h.Store.DeleteSubscriptions(tenant, subscriptions...); err != nil {
		h.Logger.Error("forget lost subscriptions", "error", err)
	}
}

// overtake sends what items that were sent just now have overtaken.
func (h *Hub) overtake(e *endpoint, sent []item) {
	h.mu.Lock()
	defer h.mu.Unlock()
	held := e.held
	e.held = nil
	for _, l := range held {
		behind := slices.ContainsFunc(sent, func(it item) bool {
			return it.subscription == l.item.subscription && it.seq > l.item.seq
		})
		switch {
		case l.gone:
		case behind:
			h.Faults.Count(l.item.tenant, control.PushReordered)
			l.gone = true
			h.enqueue(l.url, l.item, 0)
		default:
			e.held = append(e.held, l)
		}
	}
}
