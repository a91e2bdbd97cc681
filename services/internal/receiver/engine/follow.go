package engine

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// retry is how long to wait before the registry is watched again.
const retry = time.Second

// follow starts and ends the work for tenants as they come and go, until ctx ends and all of it has ended. It closes
// loaded when every stored tenant has its lane.
func (e *Engine) follow(ctx context.Context, loaded chan<- struct{}) error {
	var work sync.WaitGroup
	defer work.Wait()
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
				e.join(ctx, &work, *c.Tenant)
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

// join starts the work for a tenant, or starts it anew when the tenant has changed.
func (e *Engine) join(ctx context.Context, work *sync.WaitGroup, t tenant.Tenant) {
	if t.Provider != e.deps.Provider.Name() {
		e.leave(ctx, t.ID)
		e.roster.putOther(t.ID)
		return
	}
	before, _ := e.roster.find(t.ID)
	if before != nil && reflect.DeepEqual(before.tenant, t) {
		return
	}
	stamps, err := e.stamps.of(ctx, t.ID, e.deps.Bus.Partition(t.ID))
	for err != nil && ctx.Err() == nil {
		e.deps.Logger.WarnContext(ctx, "taking an epoch failed", "tenant", t.ID, "again_in", retry, "error", err)
		rest(ctx, e.deps.Clock, retry)
		stamps, err = e.stamps.of(ctx, t.ID, e.deps.Bus.Partition(t.ID))
	}
	if ctx.Err() != nil {
		return
	}
	m := e.member(t, stamps)
	ctx, m.stop = context.WithCancel(ctx)
	if e.roster.put(m); before != nil {
		before.stop()
	}
	work.Go(func() {
		defer close(m.done)
		defer m.stop()
		if before != nil {
			<-before.done
		}
		e.work(ctx, m)
	})
	if t.Disconnected {
		e.deps.Logger.InfoContext(ctx, "tenant disconnected", "tenant", t.ID)
		return
	}
	e.deps.Logger.InfoContext(ctx, "tenant followed", "tenant", t.ID)
}

func (e *Engine) leave(ctx context.Context, id string) {
	if m := e.roster.remove(id); m != nil {
		m.stop()
		e.metrics.Forget(id)
		e.deps.Logger.InfoContext(ctx, "tenant no longer followed", "tenant", id)
	}
}

// member puts together what works for a tenant.
func (e *Engine) member(t tenant.Tenant, stamps lane.Stamps) *member {
	directory := newTurns(func() (connected, error) { return e.deps.Provider.Connect(t) })
	m := &member{tenant: t, done: make(chan struct{})}
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
	m.lane = lane.New(e.cfg.Lane, lane.Deps{
		Tenant: t, Directory: directory, Traits: e.deps.Provider.Traits(), Connection: e.connection(t), Stamps: stamps, Store: e.store,
		Publisher: e.deps.Bus, Logger: e.deps.Logger, Clock: e.deps.Clock, Metrics: e.metrics,
	})
	if e.cfg.PushURL != "" {
		deps.Gap = m.lane.Round
		m.keeper = channel.New(cfg, deps)
	}
	return m
}

// work runs until ctx ends; that of a disconnected tenant may end before.
func (e *Engine) work(ctx context.Context, m *member) {
	if m.lane == nil {
		e.metrics.Forget(m.tenant.ID)
		for err := e.store.Forget(ctx, m.tenant.ID); err != nil && ctx.Err() == nil; err = e.store.Forget(ctx, m.tenant.ID) {
			e.deps.Logger.WarnContext(ctx, "forgetting how far a tenant was read failed", "tenant", m.tenant.ID, "again_in", retry, "error", err)
			rest(ctx, e.deps.Clock, retry)
		}
		m.keeper.End(ctx)
		return
	}
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() { m.lane.Run(ctx) })
	if m.keeper != nil {
		both.Go(func() { m.keeper.Run(ctx) })
	}
}
