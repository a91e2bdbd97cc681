package push

import (
	"slices"
	"sync"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const keepDeliveries = 10_000

// deliveries is the log of the last POSTs.
type deliveries struct {
	logMu sync.Mutex
	log   []control.Delivery
}

func (d *deliveries) record(entry control.Delivery) {
	d.logMu.Lock()
	defer d.logMu.Unlock()
	if len(d.log) >= keepDeliveries {
		d.log = slices.Delete(d.log, 0, keepDeliveries/10)
	}
	d.log = append(d.log, entry)
}

// Deliveries returns the POSTs to a tenant's subscriptions that told of a version above after, and, with after 0,
// those of lifecycle notifications too.
func (d *deliveries) Deliveries(tenant string, after uint64) []control.Delivery {
	d.logMu.Lock()
	defer d.logMu.Unlock()
	out := []control.Delivery{}
	for _, entry := range d.log {
		if slices.Contains(entry.Tenants, tenant) && (entry.Version > after || after == 0) {
			out = append(out, entry)
		}
	}
	return out
}

func tenants(items []item) []string {
	var out []string
	for _, it := range items {
		if !slices.Contains(out, it.tenant) {
			out = append(out, it.tenant)
		}
	}
	return out
}
