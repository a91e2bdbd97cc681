package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/services/internal/lease"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// errLost says that another receiver follows the tenant by now.
var errLost = errors.New("the lease is lost")

// grace is how long the message in hand may take when a lease ends: nobody else can have it sooner.
const grace = 4 * time.Second

// partition is one that this receiver has a lease of: it follows its tenants.
type partition struct {
	lease.Lease
	ctx      context.Context //nolint:containedctx // of all that works for the partition's tenants, which come and go
	work     sync.WaitGroup
	stampers map[string]*stamper // by tenant
}

// own follows the tenants of a partition until ctx ends.
func (e *Engine) own(ctx context.Context, l lease.Lease) error {
	consumers, ctx := errgroup.WithContext(ctx)
	p := &partition{Lease: l, ctx: ctx, stampers: map[string]*stamper{}}
	e.gain(p)
	defer e.lose(p)
	consumers.Go(func() error { return e.deps.Bus.Consume(ctx, e.notifications(p.Key), e.onNotification) })
	consumers.Go(func() error { return e.deps.Bus.Consume(ctx, e.commands(p.Key), e.onCommand) })
	return consumers.Wait()
}

// gain starts the work for all known tenants of a partition.
func (e *Engine) gain(p *partition) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owned[p.Key] = p
	for _, t := range e.roster.tenantsOf(p.Key, e.deps.Bus.Partition) {
		e.start(p, t)
	}
}

// lose ends it, and waits for its end.
func (e *Engine) lose(p *partition) {
	e.mu.Lock()
	delete(e.owned, p.Key)
	members := e.roster.dismiss(p)
	e.mu.Unlock()
	for _, m := range members {
		m.stop()
	}
	p.work.Wait()
}

// start starts the work for a tenant, once that for it as it was before has ended. The caller holds e.mu.
func (e *Engine) start(p *partition, t tenant.Tenant) {
	m := e.member(p, t)
	ctx, stop := context.WithCancel(p.ctx)
	m.stop = stop
	before := e.roster.put(m)
	if before != nil {
		before.stop()
	}
	p.work.Go(func() {
		defer close(m.done)
		defer e.ended(m)
		defer stop()
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

// ended forgets what is known of a tenant, now that nothing can add to it: unless it is followed anew.
func (e *Engine) ended(m *member) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if follower, _ := e.roster.find(m.tenant.ID); follower == nil || follower == m {
		e.forget(m.tenant.ID)
	}
}

// stamper is a tenant's: a lane that is started anew goes on counting where the one before it ended.
func (p *partition) stamper(id string) *stamper {
	if p.stampers[id] == nil {
		p.stampers[id] = &stamper{epoch: p.Epoch}
	}
	return p.stampers[id]
}
