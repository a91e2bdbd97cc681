// Package live tells open pages that something of their tenant has changed. One reader follows LICENSES for all pages of the
// process, and a page is told what kind of thing has changed, not what: it asks for that itself, with its own rights.
package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Kind is what sort of thing has changed. A page names those that concern it.
type Kind string

// The kinds. Resync says that the page may have missed something, whatever it was.
const (
	License    Kind = "license" // of one user
	Policy     Kind = "policy"  // mode, provisioning group, settings
	Seats      Kind = "seats"
	Held       Kind = "held"
	Connection Kind = "connection"
	Resync     Kind = "resync"
)

// Config bounds what pages may take.
type Config struct {
	// MaxPages is how many pages may watch at once; 0 means 1000.
	MaxPages int
	// MaxPerViewer is how many of them may be one principal's; 0 means 20.
	MaxPerViewer int
}

// Deps are what a Hub works with; all are needed.
type Deps struct {
	Bus     *bus.Bus
	Clock   clock.Clock
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// ErrFull says that as many pages are watching as may.
var ErrFull = errors.New("too many pages are open")

// ErrEnded says that the process is about to end.
var ErrEnded = errors.New("nothing is watched any more")

// Hub is the one reader, and all who watch.
type Hub struct {
	cfg   Config
	deps  Deps
	pages prometheus.Gauge

	mu      sync.Mutex
	ended   bool
	watches map[string]map[*Watch]bool // by tenant
	viewers map[string]int
	open    int
	// Marks tell whether a page is as new as what was read: the time at which this hub began, and the position of the
	// tenant's last event since.
	began string
	seen  map[string]uint64
}

// New makes a Hub, which tells nothing before Run.
func New(cfg Config, deps Deps) *Hub {
	if cfg.MaxPages == 0 {
		cfg.MaxPages = 1000
	}
	if cfg.MaxPerViewer == 0 {
		cfg.MaxPerViewer = 20
	}
	h := &Hub{
		cfg: cfg, deps: deps, watches: map[string]map[*Watch]bool{}, viewers: map[string]int{}, seen: map[string]uint64{},
		began: strconv.FormatInt(deps.Clock.Now().UnixNano(), 36),
		pages: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rollcall_center_live_pages", Help: "Open pages that are told of changes as they come.",
		}),
	}
	deps.Metrics.MustRegister(h.pages)
	return h
}

// pause is how long the reader rests before it begins anew.
const pause = time.Second

// Run follows LICENSES until ctx ends, and then ends every Watch.
func (h *Hub) Run(ctx context.Context) error {
	defer h.end()
	for {
		err := h.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		h.deps.Logger.WarnContext(ctx, "open pages are not told of changes for a moment", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-h.deps.Clock.After(pause):
		}
	}
}

// follow reads on from where the stream ends, and first has all pages look again: what came before may have been missed.
func (h *Hub) follow(ctx context.Context) error {
	stream, err := h.deps.Bus.JetStream().Stream(ctx, bus.Licenses)
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", bus.Licenses, err)
	}
	end := stream.CachedInfo().State.LastSeq
	h.begin(end)
	return h.deps.Bus.Read(ctx, bus.ReadSpec{Stream: bus.Licenses, FromSequence: end + 1, Follow: true}, func(m bus.Message) error {
		h.tell(m)
		return nil
	})
}

// tell passes on one event of LICENSES.
func (h *Hub) tell(m bus.Message) {
	if m.Fault != nil {
		return
	}
	tenant := event.Tenant(m.Event)
	kind, user := kindOf(m.Event)
	if tenant == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen[tenant] = m.Sequence
	for w := range h.watches[tenant] {
		if w.user == "" || user == "" || w.user == user {
			w.tell(kind, m.Sequence)
		}
	}
}

// kindOf sorts events. Whatever is to come counts as a policy, which every page looks at.
func kindOf(ev event.Event) (kind Kind, user string) {
	switch ev.Type() {
	case event.TypeLicenseGranted, event.TypeLicenseRevoked, event.TypeLicenseReasonChanged:
		return License, ev.Subject()
	case event.TypeLineChanged:
		line, err := event.Data[event.LineChanged](ev)
		if err != nil {
			return Seats, ""
		}
		return Seats, line.User
	case event.TypeUserActivated:
		activated, err := event.Data[event.UserActivated](ev)
		if err != nil {
			return License, ""
		}
		return License, activated.User
	case event.TypeSeatsChanged, event.TypeSeatsExceeded, event.TypeSeatsWithin:
		return Seats, ""
	case event.TypeHeldOpened, event.TypeHeldListed, event.TypeHeldClosed:
		return Held, ""
	case event.TypeConnectionDegraded, event.TypeConnectionRecovered, event.TypeCredentialExpiring, event.TypeCredentialReplaced:
		return Connection, ""
	}
	return Policy, ""
}

// Mark says how new a page is that is read from the ledger from now on. See Open.
func (h *Hub) Mark(tenant string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mark(tenant)
}

func (h *Hub) mark(tenant string) string {
	return h.began + "-" + strconv.FormatUint(h.seen[tenant], 36)
}

// Open begins to watch a tenant for a page. A page that was made before the tenant's last event, or in another process, is told
// Resync at once: mark is what Mark returned before it was made. With a user only that user's license events are told. Errors:
// ErrFull, ErrEnded.
func (h *Hub) Open(viewer, tenant, user, mark string) (*Watch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return nil, ErrEnded
	case h.open >= h.cfg.MaxPages || h.viewers[viewer] >= h.cfg.MaxPerViewer:
		return nil, fmt.Errorf("%w: at most %d in all and %d of one principal", ErrFull, h.cfg.MaxPages, h.cfg.MaxPerViewer)
	}
	w := &Watch{hub: h, viewer: viewer, tenant: tenant, user: user, wake: make(chan struct{}, 1), pending: map[Kind]uint64{}}
	if h.watches[tenant] == nil {
		h.watches[tenant] = map[*Watch]bool{}
	}
	h.watches[tenant][w] = true
	h.viewers[viewer]++
	h.open++
	h.pages.Inc()
	if mark != h.mark(tenant) {
		w.tell(Resync, h.seen[tenant])
	}
	return w, nil
}

// begin makes all marks old, and tells every page to look again.
func (h *Hub) begin(end uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.began = strconv.FormatInt(h.deps.Clock.Now().UnixNano(), 36) + "." + strconv.FormatUint(end, 36)
	clear(h.seen)
	for _, watches := range h.watches {
		for w := range watches {
			w.tell(Resync, end)
		}
	}
}

func (h *Hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for _, watches := range h.watches {
		for w := range watches {
			w.close()
		}
	}
}

// closed is who watches no longer.
func (h *Hub) closed(w *Watch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.watches[w.tenant][w] {
		return
	}
	delete(h.watches[w.tenant], w)
	if len(h.watches[w.tenant]) == 0 {
		delete(h.watches, w.tenant)
	}
	if h.viewers[w.viewer]--; h.viewers[w.viewer] == 0 {
		delete(h.viewers, w.viewer)
	}
	h.open--
	h.pages.Dec()
	w.close()
}
