// Package outbound sends what the simulated providers push, one POST at a time, and keeps a log of it.
package outbound

import (
	"slices"
	"sync"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const keep = 10_000

// Log holds the last POSTs. The zero value is empty; it is safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	entries []control.Delivery
}

func (l *Log) record(entry control.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= keep {
		l.entries = slices.Delete(l.entries, 0, keep/10)
	}
	l.entries = append(l.entries, entry)
}

// Deliveries returns the POSTs to a tenant's subscriptions that told of a version above after, and, with after 0,
// those of lifecycle notifications too.
func (l *Log) Deliveries(tenant string, after uint64) []control.Delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []control.Delivery{}
	for _, entry := range l.entries {
		if slices.Contains(entry.Tenants, tenant) && (entry.Version > after || after == 0) {
			out = append(out, entry)
		}
	}
	return out
}
