package tenant

import (
	"context"
	"errors"
	"sync"
)

// Live knows the tenants without asking for each: it follows the registry while Run runs.
type Live struct {
	registry *Registry

	mu     sync.RWMutex
	known  map[string]Tenant
	loaded bool
}

// NewLive knows nothing before Run.
func NewLive(r *Registry) *Live { return &Live{registry: r, known: map[string]Tenant{}} }

// Run follows the registry until ctx ends.
func (l *Live) Run(ctx context.Context) error {
	return l.registry.Watch(ctx, func(c Change) {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case c.InitialDone:
			l.loaded = true
		case c.Tenant == nil:
			delete(l.known, c.ID)
		default:
			l.known[c.ID] = *c.Tenant
		}
	})
}

// Ready returns nil once all stored tenants are known.
func (l *Live) Ready(context.Context) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.loaded {
		return errors.New("the tenants are not read yet")
	}
	return nil
}

// Get returns one tenant, or ErrNotFound. A tenant that is not known yet is asked for: it may have been added a moment ago.
func (l *Live) Get(ctx context.Context, id string) (Tenant, error) {
	l.mu.RLock()
	t, known := l.known[id]
	l.mu.RUnlock()
	if known {
		return t, nil
	}
	return l.registry.Get(ctx, id)
}
