package traffic

import (
	"strings"
	"sync"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Faults holds the faults and plans in force. It is safe for concurrent use.
type Faults struct {
	clock  clock.Clock
	mu     sync.Mutex
	faults []*armed
	plans  map[string]*plan // by tenant; "" for all others
	dealt  map[dealt]int
}

// NewFaults returns no faults. Delays, and the bounds of plans, are by the clock.
func NewFaults(c clock.Clock) *Faults {
	return &Faults{clock: c, plans: map[string]*plan{}, dealt: map[dealt]int{}}
}

type armed struct {
	control.Fault
	left int // requests still to spoil; -1 for no end
	seen int // matching requests
}

// Add puts a fault in force, behind those that are. Its Tenant must be a directory id or empty.
func (f *Faults) Add(fault control.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := &armed{Fault: fault, left: fault.Count}
	if a.left == 0 {
		a.left = -1
	}
	f.faults = append(f.faults, a)
}

// Clear ends all faults; plans go on.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// next returns the fault for a request, if there is one, and uses it up by one. The caller holds the lock.
func (f *Faults) next(tenant, route string) (control.Fault, bool) {
	for _, a := range f.faults {
		if a.left == 0 || (a.Tenant != "" && a.Tenant != tenant) || !matches(a.Route, route) {
			continue
		}
		a.seen++
		if a.Every > 1 && a.seen%a.Every != 0 {
			continue
		}
		if a.left > 0 {
			a.left--
		}
		return a.Fault, true
	}
	return control.Fault{}, false
}

// The routes of sign-in. A fault reaches one only when it names it; "token" stands for TokenRoute.
const (
	TokenRoute    = "POST /token"      // of either provider
	ExchangeRoute = "POST /v1/token"   // Google's security token service
	SignRoute     = "POST iam/signJwt" // Google's IAM, also for access tokens
)

func matches(want, route string) bool {
	switch route {
	case TokenRoute:
		return want == "token" || want == TokenRoute
	case ExchangeRoute, SignRoute:
		return want == route
	}
	return strings.HasPrefix(route, want)
}
