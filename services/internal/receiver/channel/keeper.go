// Package channel keeps a tenant's push channels alive at the provider: one for each resource, renewed at half of its life
// or, where the provider renews none, followed by the next one. Pushes only save time: sync reads without them too.
package channel

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

// floor is the shortest time between two looks that nobody asked for.
const floor = 5 * time.Second

// Config says where pushes go.
type Config struct {
	URL   string        // full https URL of intake
	Check time.Duration // between two looks at what the provider holds; default 1 h
}

// Deps are what a keeper works with. All but Kept and Made are needed.
type Deps struct {
	Tenant   string
	Provider directory.Provider
	Channels receiver.Channels
	Keys     secret.Set
	KV       jetstream.KeyValue // the bucket "channels"
	// Gap is called when pushes may have been lost: a channel was gone, and there is a new one.
	Gap    func()
	Logger *slog.Logger
	Clock  clock.Clock
	// Errors counts what failed and is tried again.
	Errors prometheus.Counter
	// Kept, where set, is told how each look has ended.
	Kept func(error)
	// Made, where set, is told the name of each channel that the provider has made. Its first push may have come before.
	Made func(name string)
}

// Keeper is one tenant's. Renew, Look and Replace may be called at any time.
type Keeper struct {
	cfg   Config
	deps  Deps
	store records
	news  chan news

	// Run's:
	lost   bool                 // pushes may have been lost, and Gap is not called yet
	unkept map[string]Record    // what could not be stored, by name
	tries  map[string]time.Time // when to try again to end a channel, by name
	anew   map[string]bool      // resources whose channel is to be replaced by a new one
}

// news is what the provider said of a channel, or somebody here.
type news struct {
	renew   string // the name of a channel to renew now; "": look at what the provider holds
	replace bool   // all channels by new ones
}

// New returns a keeper that has asked for nothing yet.
func New(cfg Config, deps Deps) *Keeper {
	if cfg.Check <= 0 {
		cfg.Check = time.Hour
	}
	deps.Logger = deps.Logger.With("tenant", deps.Tenant)
	return &Keeper{
		cfg: cfg, deps: deps, news: make(chan news, 16),
		store: records{kv: deps.KV, tenant: deps.Tenant}, unkept: map[string]Record{}, tries: map[string]time.Time{},
		anew: map[string]bool{},
	}
}

// Renew renews a channel now, as the provider asks to.
func (k *Keeper) Renew(name string) { k.tell(news{renew: name}) }

// Look compares what the provider holds with what it should.
func (k *Keeper) Look() { k.tell(news{}) }

// Replace makes a new channel for each resource, and ends the one that there is behind it.
func (k *Keeper) Replace() { k.tell(news{replace: true}) }

// tell drops news when many wait already: the next look finds out all the same.
func (k *Keeper) tell(n news) {
	select {
	case k.news <- n:
	default:
	}
}

// Run keeps the channels until ctx ends. A failure is logged, counted and tried again.
func (k *Keeper) Run(ctx context.Context) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = time.Second, 5*time.Minute
	now := map[string]bool{}
	for ctx.Err() == nil {
		next, err := k.keep(ctx, now)
		if ctx.Err() != nil {
			return
		}
		if k.deps.Kept != nil {
			k.deps.Kept(err)
		}
		wait := max(next.Sub(k.deps.Clock.Now()), floor) // whatever life the provider grants
		if err == nil {
			waits.Reset()
			clear(now)
		} else {
			wait = waits.NextBackOff()
			var throttled receiver.ErrThrottled
			if errors.As(err, &throttled) {
				wait = max(wait, throttled.After)
			}
			k.deps.Errors.Inc()
			k.deps.Logger.WarnContext(ctx, "keeping push channels failed", "again_in", wait, "error", err)
		}
		k.wait(ctx, wait, now, err != nil)
	}
}

// wait returns after d, or with the first news. After a failure news does not cut the wait short.
func (k *Keeper) wait(ctx context.Context, d time.Duration, now map[string]bool, whole bool) {
	timer := k.deps.Clock.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C():
			return
		case n := <-k.news:
			if n.renew != "" {
				now[n.renew] = true
			}
			if n.replace {
				for _, resource := range k.deps.Channels.Resources() {
					k.anew[resource] = true
				}
			}
			if !whole {
				return
			}
		}
	}
}
