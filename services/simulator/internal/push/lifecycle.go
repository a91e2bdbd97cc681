package push

import (
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// When a subscription's owner is reminded. The cadence is not documented; this is that of the illustration in
// learn.microsoft.com/graph/change-notifications-lifecycle-events.
const (
	sweepEvery  = 30 * time.Second
	remindFrom  = time.Hour // before the expiry
	remindEvery = 15 * time.Minute
)

// sweep forgets expired subscriptions and reminds the owners of those about to expire.
func (h *Hub) sweep() {
	now := h.Clock.Now()
	for _, t := range h.Store.Tenants() {
		var expired []string
		_ = h.Store.View(t.DirectoryID, func(v store.View) error {
			for _, sub := range v.Subscriptions() {
				switch left := sub.Expires.Sub(now); {
				case left <= 0:
					expired = append(expired, sub.ID)
				case left < remindFrom && h.due(sub.ID, now):
					h.lifecycle(t.DirectoryID, sub, "reauthorizationRequired")
				}
			}
			return nil
		})
		if err := h.Store.DeleteSubscriptions(t.DirectoryID, expired...); err != nil {
			h.Logger.Error("forget expired subscriptions", "tenant", t.ID, "error", err)
		}
	}
}

func (h *Hub) due(subscription string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.reminded[subscription]) < remindEvery {
		return false
	}
	h.reminded[subscription] = now
	return true
}

func (h *Hub) lifecycle(tenant string, sub *store.Subscription, event string) {
	if sub.LifecycleURL != "" {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.enqueue(sub.LifecycleURL, item{lifecycle: event}.to(tenant, sub), 0)
	}
}

// Lifecycle sends a lifecycle notification for one subscription.
func (h *Hub) Lifecycle(tenant, subscription, event string) error {
	err := h.Store.View(tenant, func(v store.View) error {
		sub := v.Subscription(subscription)
		if sub == nil || sub.LifecycleURL == "" {
			return fmt.Errorf("subscription %s with a lifecycle URL: %w", subscription, store.ErrNotFound)
		}
		h.lifecycle(tenant, sub, event)
		return nil
	})
	h.rouse()
	return err
}
