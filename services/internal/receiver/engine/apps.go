package engine

import (
	"sync"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
)

// apps are the budgets of the applications by which tenants are read. All tenants of one share what the provider grants it. So
// do receivers that share the tenants, which do not know of each other: each may spend what one alone may, and where that
// is too much, the provider says so to the tenants that it is too much for.
type apps struct {
	perMinute int

	mu   sync.Mutex
	byID map[string]*lane.Budget // by the credential's client id
}

func newApps(perMinute int) *apps {
	return &apps{perMinute: perMinute, byID: map[string]*lane.Budget{}}
}

// budget is the application's: nil where the provider grants it no number.
func (a *apps) budget(clientID string) *lane.Budget {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, known := a.byID[clientID]
	if !known {
		b = lane.NewBudget(a.perMinute)
		a.byID[clientID] = b
	}
	return b
}
