package googlepush

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// news is a message of a tenant, and how it is to be delivered.
type news struct {
	tenant string
	push   control.Push
	Message
}

// luck decides what becomes of a message on a channel: the same for the same seed.
func (n *news) luck(sub *store.Subscription) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, n.tenant, n.Version, n.Name, sub.Resource) // a hash takes everything
	return rand.New(rand.NewPCG(n.push.Seed, h.Sum64()))              //nolint:gosec // it must be the same each time
}

// next is how long until something is due; ok is false when nothing is.
func (h *Hub) next() (wait time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	due, ok := h.queue.Next()
	if !ok {
		return 0, false
	}
	return max(0, due.Sub(h.Clock.Now())), true
}

// advance does what is due: it spreads news to the channels and hands deliveries to their endpoints.
func (h *Hub) advance() {
	h.mu.Lock()
	due := h.queue.Take(h.Clock.Now())
	h.mu.Unlock()
	channels := map[string][]*store.Subscription{}
	for _, what := range due {
		switch what := what.(type) {
		case *delivery:
			h.mu.Lock()
			h.ready(what)
			h.mu.Unlock()
		case *late:
			h.mu.Lock()
			h.release(what, control.PushDelayed)
			h.mu.Unlock()
		case *news:
			if _, known := channels[what.tenant]; !known {
				channels[what.tenant] = h.live(what.tenant)
			}
			for _, sub := range channels[what.tenant] {
				if !h.tell(what, sub) {
					h.lose(what.tenant, sub)
					channels[what.tenant] = h.live(what.tenant)
				}
			}
		}
	}
}

// live lists the channels of a tenant that pushes go to.
func (h *Hub) live(tenant string) []*store.Subscription {
	now := h.Clock.Now()
	h.mu.Lock()
	after := h.push.AfterStop
	h.mu.Unlock()
	var out []*store.Subscription
	_ = h.Store.View(tenant, func(v store.View) error { // a tenant never goes away
		for _, sub := range v.Subscriptions() {
			if alive(sub, now, after) {
				out = append(out, sub)
			}
		}
		return nil
	})
	return out
}

func alive(sub *store.Subscription, now time.Time, afterStop time.Duration) bool {
	return sub.Expires.After(now) && (sub.Stopped.IsZero() || sub.Stopped.Add(afterStop).After(now))
}

// tell makes the deliveries of a message to a channel, if that watches it, and reports whether the channel is still there.
func (h *Hub) tell(n *news, sub *store.Subscription) bool {
	state, ok := n.State(watched(sub))
	if !ok {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	luck := n.luck(sub)
	if h.push.Mode == control.PushOff || luck.Float64() < n.push.Drop {
		return true
	}
	spoil := h.Faults.DealPush(n.tenant, sub.Resource)
	d := h.delivery(n.tenant, sub, h.number(n.tenant, sub), state)
	h.seq++
	d.seq, d.version, d.name = h.seq, n.Version, n.Name
	if sub.Payload {
		d.body, d.contentType = n.Body, contentType(n.push, d.number)
	}
	if spoil != (traffic.PushSpoil{}) {
		return h.spoil(d, spoil)
	}
	for range 1 + n.push.Duplicates {
		again := *d
		if n.push.Delay > 0 {
			wait := time.Duration(luck.Int64N(int64(n.push.Delay)))
			h.queue.Add(h.Clock.Now().Add(wait), &again)
			continue
		}
		h.ready(&again)
	}
	return true
}

// number is the next message number of a channel. Numbers rise, also over a restart, but not by one.
// The caller holds the lock.
func (h *Hub) number(tenant string, sub *store.Subscription) uint64 {
	key := name{tenant, sub.ID}
	age := max(0, h.Clock.Now().Sub(sub.Created).Milliseconds())
	h.numbers[key] = max(h.numbers[key], uint64(age), 1) + 1 + h.random.Uint64N(20)
	return h.numbers[key]
}

// pump starts POSTs at every endpoint that has something to send and a slot free.
func (h *Hub) pump(ctx context.Context, posts *sync.WaitGroup) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.working = false
	if h.push.Mode == control.PushHold {
		return
	}
	for address, e := range h.endpoints {
		for e.busy < slots && len(e.pending) > 0 {
			d := e.take(h.push.Shuffle, h.random)
			e.busy++
			posts.Go(func() { h.post(ctx, d, e) })
		}
		if e.busy == 0 && len(e.pending) == 0 && len(e.held) == 0 {
			delete(h.endpoints, address)
		}
	}
}

// Idle reports whether nothing is on its way, or waits for more than that the clock moves.
func (h *Hub) Idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.endpoints {
		if e.busy > 0 || len(e.pending) > 0 {
			return false
		}
	}
	due, waits := h.queue.Next()
	return !h.working && len(h.notices) == 0 && (!waits || due.After(h.Clock.Now()))
}
