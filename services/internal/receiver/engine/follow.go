package engine

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// retry is how long to wait before the registry is watched again.
const retry = time.Second

// follow keeps the roster, and starts and ends the work for tenants as they come and go, until ctx ends. It closes loaded
// when every stored tenant is known.
func (e *Engine) follow(ctx context.Context, loaded chan<- struct{}) error {
	once := sync.OnceFunc(func() { close(loaded) })
	for ctx.Err() == nil {
		seen := map[string]bool{}
		err := e.deps.Tenants.Watch(ctx, func(c tenant.Change) {
			switch {
			case c.InitialDone:
				for _, id := range e.roster.load(seen) {
					e.leave(ctx, id)
				}
				once()
			case c.Tenant == nil:
				e.leave(ctx, c.ID)
			default:
				seen[c.ID] = true
				e.join(ctx, *c.Tenant)
			}
		})
		if ctx.Err() != nil {
			break
		}
		e.deps.Logger.WarnContext(ctx, "watching the tenants was interrupted", "again_in", retry, "error", err)
		rest(ctx, e.deps.Clock, retry)
	}
	return nil
}

// followChannels keeps the book of channels until ctx ends. While NATS is away intake judges by what was known.
func (e *Engine) followChannels(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := e.book.Follow(ctx, e.channels); err != nil && ctx.Err() == nil {
			e.deps.Logger.WarnContext(ctx, "watching the push channels was interrupted", "again_in", retry, "error", err)
			rest(ctx, e.deps.Clock, retry)
		}
	}
	return nil
}

func rest(ctx context.Context, c clock.Clock, d time.Duration) {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	}
}

// join makes a tenant known, as new or as it is now, and starts the work for it, if it is this receiver's.
func (e *Engine) join(ctx context.Context, t tenant.Tenant) {
	if t.Provider != e.deps.Provider.Name() {
		e.leave(ctx, t.ID)
		e.roster.putOther(t.ID)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	changed := e.roster.putTenant(t)
	if p := e.owned[e.deps.Bus.Partition(t.ID)]; p != nil && changed {
		e.start(p, t)
	}
}

func (e *Engine) leave(ctx context.Context, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.roster.remove(id); m != nil {
		m.stop()
		e.deps.Logger.InfoContext(ctx, "tenant no longer followed", "tenant", id)
	}
}

// member puts together what works for a tenant.
func (e *Engine) member(p *partition, t tenant.Tenant) *member {
	directory := newTurns(func() (connected, error) { return e.deps.Provider.Connect(t) }, p.Valid)
	m := &member{tenant: t, partition: p, done: make(chan struct{})}
	cfg := e.cfg.Channel
	cfg.URL = e.cfg.PushURL
	deps := channel.Deps{
		Tenant: t.ID, Provider: t.Provider, Channels: directory, Keys: e.deps.Keys, KV: e.channels,
		Logger: e.deps.Logger, Clock: e.deps.Clock, Errors: e.metrics.Failures("channels"),
	}
	if t.Disconnected {
		m.keeper = channel.New(cfg, deps)
		return m
	}
	watched := health.Deps{
		Tenant: t, Verify: e.deps.Provider.Verify, CredentialEnd: e.deps.Provider.CredentialEnd, Journals: e.deps.Provider.Traits().Journals, Stamp: p.stamper(t.ID).Next,
		Publisher: e.deps.Bus, Logger: e.deps.Logger, Clock: e.deps.Clock, Metrics: e.health,
	}
	if e.cfg.PushURL != "" {
		watched.Replace = func() { m.keeper.Replace() }
	}
	m.watch = health.New(e.cfg.Health, watched)
	m.lane = lane.New(e.cfg.Lane, lane.Deps{
		Tenant: t, Directory: directory, Traits: e.deps.Provider.Traits(), Connection: e.connection(t), Stamps: p.stamper(t.ID), Store: e.store,
		Publisher: e.deps.Bus, Logger: e.deps.Logger, Clock: e.deps.Clock, Metrics: e.metrics,
		App: e.apps.budget(t.Credential.ClientID), Watch: m.watch,
	})
	if e.cfg.PushURL != "" {
		deps.Gap, deps.Kept = m.lane.Round, m.watch.Kept
		if e.deps.Provider.Traits().OpensChannels {
			deps.Made = m.watch.Made
		}
		m.keeper = channel.New(cfg, deps)
	}
	return m
}

// work runs until ctx ends; that of a disconnected tenant may end before.
func (e *Engine) work(ctx context.Context, m *member) {
	if m.lane == nil {
		e.forget(m.tenant.ID) // the lane before it has ended
		for err := e.store.Forget(ctx, m.tenant.ID); err != nil && ctx.Err() == nil; err = e.store.Forget(ctx, m.tenant.ID) {
			e.deps.Logger.WarnContext(ctx, "forgetting how far a tenant was read failed", "tenant", m.tenant.ID, "again_in", retry, "error", err)
			rest(ctx, e.deps.Clock, retry)
		}
		m.keeper.End(ctx)
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { m.lane.Run(ctx) })
	all.Go(func() { m.watch.Run(ctx) })
	if m.keeper != nil {
		all.Go(func() { m.keeper.Run(ctx) })
	}
}
