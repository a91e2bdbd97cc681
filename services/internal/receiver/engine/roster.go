package engine

import (
	"sync"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// member is one tenant of the provider and what works for it.
type member struct {
	tenant tenant.Tenant
	lane   *lane.Lane      // nil: the tenant is disconnected
	keeper *channel.Keeper // nil where push channels are not kept; that of a disconnected tenant ends them
	stop   func()          // ends its work
	done   chan struct{}   // closed when the work has ended
}

// roster is who is connected. It holds tenants of other providers by id only.
type roster struct {
	provider directory.Provider

	mu      sync.RWMutex
	loaded  bool
	members map[string]*member
	others  map[string]bool
}

func newRoster(p directory.Provider) roster {
	return roster{provider: p, members: map[string]*member{}, others: map[string]bool{}}
}

// Loaded implements intake.Tenants.
func (r *roster) Loaded() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.loaded
}

// Tenant implements intake.Tenants.
func (r *roster) Tenant(id string) (tenant.Tenant, bool) {
	if m, _ := r.find(id); m != nil {
		return m.tenant, true
	}
	return tenant.Tenant{}, false
}

// find returns the member, or nil and whether the tenant is another provider's.
func (r *roster) find(id string) (m *member, other bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.members[id], r.others[id]
}

// put enters a member and returns the one whose place it takes.
func (r *roster) put(m *member) (before *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.members[m.tenant.ID]
	r.members[m.tenant.ID] = m
	delete(r.others, m.tenant.ID)
	return before
}

func (r *roster) putOther(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.others[id] = true
}

// remove takes a tenant out and returns its member, if it was one.
func (r *roster) remove(id string) *member {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.members[id]
	delete(r.members, id)
	delete(r.others, id)
	return m
}

// load marks the roster as complete and returns the ids that were not among those seen: they went while nobody watched.
func (r *roster) load(seen map[string]bool) (gone []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loaded = true
	for id := range r.members {
		if !seen[id] {
			gone = append(gone, id)
		}
	}
	return gone
}
