// Package push delivers change notifications and lifecycle notifications as Microsoft Graph does: batched by
// notification URL, at once, and again with growing delay for up to four hours when nobody acknowledges them.
package push

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/delay"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/outbound"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// Config is what a hub works with.
type Config struct {
	Store  *store.Store
	Client *http.Client // used for every POST; its transport decides whom to trust
	Clock  clock.Clock
	Logger *slog.Logger
	// RetryBase is the delay before the first retry, doubled for each further one; 0 means 10 s.
	RetryBase time.Duration
	Faults    *traffic.Faults // whose plans befall notifications of changes; nil means none
}

// Hub turns changes into notifications and delivers them while Run runs.
type Hub struct {
	Config
	out  outbound.Sender
	wake chan struct{}

	mu        sync.Mutex
	notices   []notice
	push      control.Push
	endpoints map[string]*endpoint
	queue     delay.Queue[*late]
	seq       uint64 // of the last item
	sweepAt   time.Time
	reminded  map[string]time.Time // by subscription: last reauthorizationRequired
}

type notice struct {
	tenant     string
	changes    []store.Change
	duplicates int // as it was set when they happened
}

// New returns a hub that delivers.
func New(cfg Config) *Hub {
	if cfg.RetryBase == 0 {
		cfg.RetryBase = 10 * time.Second
	}
	if cfg.Faults == nil {
		cfg.Faults = traffic.NewFaults(cfg.Clock)
	}
	return &Hub{
		Config: cfg, out: outbound.Sender{Client: cfg.Client, Clock: cfg.Clock},
		wake: make(chan struct{}, 1), push: control.Push{Mode: control.PushOn},
		endpoints: map[string]*endpoint{}, reminded: map[string]time.Time{},
	}
}

// Deliveries returns the POSTs to a tenant's subscriptions that told of a version above after, and, with after 0,
// those of lifecycle notifications too.
func (h *Hub) Deliveries(tenant string, after uint64) []control.Delivery {
	return h.out.Deliveries(tenant, after)
}

// Notice takes note of changes; it never waits. It is what store.Watch is given.
func (h *Hub) Notice(tenant string, changes []store.Change) {
	h.mu.Lock()
	if h.push.Mode != control.PushOff {
		h.notices = append(h.notices, notice{tenant, changes, h.push.Duplicates})
	}
	h.mu.Unlock()
	h.rouse()
}

func (h *Hub) rouse() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Set changes how notifications are delivered. Off also forgets those that wait.
func (h *Hub) Set(p control.Push) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.push = p
	if p.Mode == control.PushOff {
		h.notices, h.queue = nil, delay.Queue[*late]{}
		for _, e := range h.endpoints {
			e.pending, e.held = nil, nil
		}
	}
	h.rouse()
}

// Run delivers until ctx ends, then waits for the POSTs in hand.
func (h *Hub) Run(ctx context.Context) error {
	var posts sync.WaitGroup
	defer posts.Wait()
	h.sweepAt = h.Clock.Now().Add(sweepEvery)
	timer := h.Clock.NewTimer(sweepEvery)
	defer timer.Stop()
	for {
		h.dispatch()
		h.advance()
		h.pump(ctx, &posts)
		delay.Arm(timer, h.next)
		select {
		case <-h.wake:
		case <-timer.C():
			if now := h.Clock.Now(); !now.Before(h.sweepAt) {
				h.sweep()
				h.sweepAt = now.Add(sweepEvery)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// next is how long until something is due.
func (h *Hub) next() (time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.sweepAt
	if due, ok := h.queue.Next(); ok && due.Before(at) {
		at = due
	}
	return max(0, at.Sub(h.Clock.Now())), true
}

// dispatch turns what was noticed into items at the endpoints that want them.
func (h *Hub) dispatch() {
	h.mu.Lock()
	notices := h.notices
	h.notices = nil
	h.mu.Unlock()
	for _, n := range notices {
		items := gather(n.changes)
		var lost []string
		_ = h.Store.View(n.tenant, func(v store.View) error { // a tenant never goes away
			for _, sub := range v.Subscriptions() {
				if !sub.Expires.After(h.Clock.Now()) {
					continue
				}
				for _, it := range items {
					if it.version > sub.Since && sub.Covers(it.resource, it.id) && sub.Wants(it.change) &&
						!h.deliver(sub, it.to(n.tenant, sub), n.duplicates) {
						lost = append(lost, sub.ID)
						break
					}
				}
			}
			return nil
		})
		h.lose(n.tenant, lost)
	}
}

// endpoint is that of a notification URL. The caller holds the lock.
func (h *Hub) endpoint(url string) *endpoint {
	e := h.endpoints[url]
	if e == nil {
		e = &endpoint{}
		h.endpoints[url] = e
	}
	return e
}

// enqueue adds an item, and its duplicates, to an endpoint. The caller holds the lock.
func (h *Hub) enqueue(url string, it item, duplicates int) {
	e := h.endpoint(url)
	for range 1 + duplicates {
		if !e.add(it) {
			h.Logger.Warn("a notification was dropped: its endpoint is too far behind")
		}
	}
}

// pump starts POSTs at every endpoint that has something to send and a slot free.
func (h *Hub) pump(ctx context.Context, posts *sync.WaitGroup) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.push.Mode == control.PushHold {
		return
	}
	for url, e := range h.endpoints {
		for e.busy < slots && len(e.pending) > 0 {
			items := e.take()
			e.busy++
			posts.Go(func() { h.post(ctx, url, e, items) })
		}
	}
}
