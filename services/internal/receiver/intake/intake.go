// Package intake takes what a provider pushes: it proves each item, publishes the good ones as hints, and answers 2xx only
// when they are durable. It reads nothing from the provider and touches no database. docs/notifications.md says what each
// case is answered with.
package intake

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Tenants knows the connected tenants of the provider.
type Tenants interface {
	// Loaded reports whether all that are stored are known. Before that, nobody can be refused as unknown.
	Loaded() bool
	Tenant(id string) (tenant.Tenant, bool)
}

// Channels knows what the keepers have stored of push channels. What it does not know may be on its way.
type Channels interface {
	Find(tenant, name string) (channel.Record, bool)
}

// Publisher makes hints durable. It returns nil only when all of them are; some may be when it fails, which does no harm:
// a hint that comes twice is read for twice.
type Publisher interface {
	Publish(ctx context.Context, hints []event.Event) error
}

// Config bounds what a push may cost. Zero values have usable defaults.
type Config struct {
	MaxBody        int64         // bytes; a larger one is refused. Default 4 MiB
	ReadTimeout    time.Duration // for the whole body. Default 5 s
	PublishTimeout time.Duration // Default 2 s: a provider calls an answer after 3 s slow
}

// Deps are what a Handler works with. All are needed.
type Deps struct {
	Provider  receiver.Provider
	Keys      secret.Set
	Tenants   Tenants
	Channels  Channels
	Publisher Publisher
	Logger    *slog.Logger
	Clock     clock.Clock
	Metrics   prometheus.Registerer
}

// Handler answers a provider's pushes: changes and news of the channels themselves, on one address. Trouble that passes is
// answered with 503: every provider sends again after that, and not every one after another status.
type Handler struct {
	cfg     Config
	deps    Deps
	named   bool // channels have our names: receiver.Traits.NamesChannels
	metrics *metrics
}

// New returns the handler.
func New(cfg Config, deps Deps) *Handler {
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = 4 << 20
	}
	if cfg.ReadTimeout <= 0 {
		cfg.ReadTimeout = 5 * time.Second
	}
	if cfg.PublishTimeout <= 0 {
		cfg.PublishTimeout = 2 * time.Second
	}
	return &Handler{
		cfg: cfg, deps: deps, named: deps.Provider.Traits().NamesChannels, metrics: newMetrics(deps.Metrics, deps.Provider.Name()),
	}
}

// ServeHTTP answers one push.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.answer(w, http.StatusMethodNotAllowed)
		return
	}
	if h.deps.Provider.Handshake(w, r) {
		h.metrics.handshakes.Inc()
		return
	}
	h.answer(w, h.take(w, r))
}

func (h *Handler) answer(w http.ResponseWriter, status int) {
	h.metrics.answer(status)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
}

// take does all of the work and returns the status.
func (h *Handler) take(w http.ResponseWriter, r *http.Request) int {
	if !h.deps.Tenants.Loaded() {
		return http.StatusServiceUnavailable
	}
	body, status := h.read(w, r)
	if status != 0 {
		return status
	}
	items, err := h.deps.Provider.Parse(r.Header, body)
	if err != nil {
		h.deps.Logger.DebugContext(r.Context(), "push cannot be parsed", "bytes", len(body))
		return http.StatusBadRequest
	}
	hints := h.sift(r.Context(), items)
	if len(hints) == 0 {
		return http.StatusAccepted
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.PublishTimeout)
	defer cancel()
	if err := h.deps.Publisher.Publish(ctx, hints); err != nil {
		h.deps.Logger.WarnContext(ctx, "push cannot be stored", "hints", len(hints), "error", err)
		return http.StatusServiceUnavailable
	}
	return http.StatusAccepted
}

// read returns the body, or the status that says why there is none; the rest of it is not waited for.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	defer func() {
		if status != 0 {
			w.Header().Set("Connection", "close")
		}
	}()
	if r.ContentLength > h.cfg.MaxBody {
		return nil, http.StatusRequestEntityTooLarge
	}
	// A writer that knows no deadlines, as in a test, leaves the server's own in force.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(h.cfg.ReadTimeout)) // the network's time, not the clock's
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.cfg.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusServiceUnavailable
	case err != nil:
		return nil, http.StatusBadRequest
	}
	_ = control.SetReadDeadline(time.Time{}) // or it would end the request while it is being published
	return body, 0
}
