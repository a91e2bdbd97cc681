// Package traffic counts what the simulator serves and decides which requests it spoils on purpose.
package traffic

import (
	"sync"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Meter counts by tenant and route. It is safe for concurrent use.
type Meter struct {
	mu     sync.Mutex
	counts map[key]*control.Counter
}

type key struct{ tenant, route string }

// NewMeter returns a meter at zero.
func NewMeter() *Meter { return &Meter{counts: map[key]*control.Counter{}} }

// Count adds to the counter of a route. tenant is the directory id, or empty where none is known.
func (m *Meter) Count(tenant, route string, add control.Counter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.counts[key{tenant, route}]
	if c == nil {
		c = &control.Counter{}
		m.counts[key{tenant, route}] = c
	}
	plus(c, add)
}

// Totals returns the counters by route, of one tenant or, with tenant empty, of all together.
func (m *Meter) Totals(tenant string) map[string]control.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]control.Counter{}
	for k, c := range m.counts {
		if tenant == "" || k.tenant == tenant {
			sum := out[k.route]
			plus(&sum, *c)
			out[k.route] = sum
		}
	}
	return out
}

// Reset sets all to zero.
func (m *Meter) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.counts)
}

func plus(c *control.Counter, add control.Counter) {
	c.Requests += add.Requests
	c.Items += add.Items
	c.Members += add.Members
	c.Throttled += add.Throttled
	c.Failed += add.Failed
}
