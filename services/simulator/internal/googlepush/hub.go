package googlepush

import (
	"context"
	"log/slog"
	"math/rand/v2"
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
	Store  *store.Store // keeps the channels
	Client *http.Client // used for every POST; its transport decides whom to trust
	Clock  clock.Clock
	Logger *slog.Logger
	// RetryBase is the delay before the first retry, doubled for each further one; 0 means 5 s.
	RetryBase time.Duration
	// AllowLoopbackHTTP accepts addresses with plain http on this machine, which Google refuses.
	AllowLoopbackHTTP bool
	Settings          func() control.Settings // nil means the zero value
	Faults            *traffic.Faults         // whose plans befall pushes of changes; nil means none
}

// Hub keeps channels, and turns changes into pushes while Run runs.
type Hub struct {
	Config
	out    outbound.Sender
	wake   chan struct{}
	making sync.Mutex // held while the id of a new channel is compared with the others

	mu        sync.Mutex
	sources   []Source
	notices   []notice
	working   bool // between the taking of notices and the next pump
	push      control.Push
	random    *rand.Rand
	queue     delay.Queue[any]     // *news that are to be spread, *delivery and *late that are to be sent
	seq       uint64               // of the last delivery
	endpoints map[string]*endpoint // by address
	numbers   map[name]uint64      // the last message number of a channel
	used      map[name]bool        // ids that were given to channels of a client
}

// notice is a mutation, and how pushes were delivered when it was made.
type notice struct {
	tenant  string
	changes []store.Change
	push    control.Push
}

// name is a channel's id within a tenant, or of a client.
type name struct{ of, id string }

// New returns a hub that delivers. The changes of a user are a source from the start, for users.watch.
func New(cfg Config) *Hub {
	if cfg.Settings == nil {
		cfg.Settings = func() control.Settings { return control.Settings{} }
	}
	if cfg.RetryBase == 0 {
		cfg.RetryBase = 5 * time.Second
	}
	if cfg.Faults == nil {
		cfg.Faults = traffic.NewFaults(cfg.Clock)
	}
	h := &Hub{
		Config: cfg, out: outbound.Sender{Client: cfg.Client, Clock: cfg.Clock}, wake: make(chan struct{}, 1),
		endpoints: map[string]*endpoint{}, numbers: map[name]uint64{}, used: map[name]bool{},
	}
	h.Set(control.Push{Mode: control.PushOn})
	h.Feed(users)
	return h
}

// Feed adds a source of messages. It must be called before Run.
func (h *Hub) Feed(s Source) { h.sources = append(h.sources, s) }

// Set changes how pushes are delivered. Off also forgets those that wait to be sent.
func (h *Hub) Set(p control.Push) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.random == nil || p.Seed != h.push.Seed {
		h.random = rand.New(rand.NewPCG(p.Seed, p.Seed)) //nolint:gosec // it must be the same each time
	}
	h.push = p
	if p.Mode == control.PushOff {
		h.notices = nil
		h.queue.Keep(func(what any) bool { _, ok := what.(*news); return ok })
		clear(h.endpoints)
	}
	h.rouse()
}

// Notice takes note of the changes of a mutation; it never waits. It is what store.Watch is given.
func (h *Hub) Notice(tenant string, changes []store.Change) {
	h.mu.Lock()
	if h.push.Mode != control.PushOff {
		h.notices = append(h.notices, notice{tenant, changes, h.push})
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

// Deliveries returns the POSTs to a tenant's channels that told of a version above after, and, with after 0, the sync
// messages too.
func (h *Hub) Deliveries(tenant string, after uint64) []control.Delivery {
	return h.out.Deliveries(tenant, after)
}

// Run delivers until ctx ends, then waits for the POSTs in hand.
func (h *Hub) Run(ctx context.Context) error {
	var posts sync.WaitGroup
	defer posts.Wait()
	timer := h.Clock.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		h.gather()
		h.advance()
		h.pump(ctx, &posts)
		delay.Arm(timer, h.next)
		select {
		case <-h.wake:
		case <-timer.C():
		case <-ctx.Done():
			return nil
		}
	}
}

// gather turns what was noticed into messages.
func (h *Hub) gather() {
	h.mu.Lock()
	notices := h.notices
	h.notices, h.working = nil, true
	h.mu.Unlock()
	for _, n := range notices {
		var messages []Message
		_ = h.Store.View(n.tenant, func(v store.View) error { // a tenant never goes away
			if v.Tenant().Workspace() {
				for _, source := range h.sources {
					messages = append(messages, source(v, n.changes)...)
				}
			}
			return nil
		})
		h.mu.Lock()
		for _, m := range messages {
			h.queue.Add(m.Due, &news{tenant: n.tenant, push: n.push, Message: m})
		}
		h.mu.Unlock()
	}
}
