package engine

import (
	"reflect"
	"sync"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// member is one tenant that this receiver follows, and what works for it.
type member struct {
	tenant    tenant.Tenant
	partition *partition
	lane      *lane.Lane      // nil: the tenant is disconnected
	keeper    *channel.Keeper // nil where push channels are not kept; that of a disconnected tenant ends them
	watch     *health.Watch   // nil: the tenant is disconnected
	stop      func()          // ends its work
	done      chan struct{}   // closed when the work has ended
}

// roster is who is connected: the provider's tenants, those of them that this receiver follows, and the tenants of other
// providers by id only.
type roster struct {
	mu      sync.RWMutex
	loaded  bool
	tenants map[string]tenant.Tenant
	members map[string]*member
	others  map[string]bool
}

func newRoster() roster {
	return roster{tenants: map[string]tenant.Tenant{}, members: map[string]*member{}, others: map[string]bool{}}
}

// Loaded implements intake.Tenants.
func (r *roster) Loaded() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.loaded
}

// Tenant implements intake.Tenants.
func (r *roster) Tenant(id string) (tenant.Tenant, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	t, known := r.tenants[id]
	return t, known
}

// find returns the member, or nil and whether the tenant is another provider's.
func (r *roster) find(id string) (m *member, other bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.members[id], r.others[id]
}

// tenantsOf returns the tenants of a partition.
func (r *roster) tenantsOf(part int, partition func(string) int) (all []tenant.Tenant) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for id, t := range r.tenants {
		if partition(id) == part {
			all = append(all, t)
		}
	}
	return all
}

// putTenant enters a tenant as it is now, and reports whether that is news.
func (r *roster) putTenant(t tenant.Tenant) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.tenants[t.ID]
	r.tenants[t.ID] = t
	delete(r.others, t.ID)
	return !known || !reflect.DeepEqual(before, t)
}

// put enters a member and returns the one whose place it takes.
func (r *roster) put(m *member) (before *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.members[m.tenant.ID]
	r.members[m.tenant.ID] = m
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
	delete(r.tenants, id)
	delete(r.members, id)
	delete(r.others, id)
	return m
}

// dismiss takes the members of a partition out.
func (r *roster) dismiss(p *partition) (all []*member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, m := range r.members {
		if m.partition == p {
			all = append(all, m)
			delete(r.members, id)
		}
	}
	return all
}

// load marks the roster as complete and returns the ids that were not among those seen: they went while nobody watched.
func (r *roster) load(seen map[string]bool) (gone []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loaded = true
	for id := range r.tenants {
		if !seen[id] {
			gone = append(gone, id)
		}
	}
	return gone
}
