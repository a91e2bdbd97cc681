package traffic

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// plan is a plan in force, and how far its story has come.
type plan struct {
	control.Plan
	rolled map[key]uint64 // by tenant and route, or resource of pushes: how many were rolled for
}

// dice are those of the next request of a tenant's route. They depend on nothing that happens elsewhere, so that the same
// seed tells the same story of each route however the routes take turns.
func (p *plan) dice(tenant, route string) *rand.Rand {
	k := key{tenant, route}
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s\n%s\n%d", tenant, route, p.rolled[k]) // a hash takes everything
	p.rolled[k]++
	return rand.New(rand.NewPCG(p.Seed, h.Sum64())) //nolint:gosec // it must be the same each time
}

// pick returns the kind, of several that exclude each other, that a die falls on; "" for none.
func (p *plan) pick(die float64, kinds ...control.FaultKind) control.FaultKind {
	for _, kind := range kinds {
		if die -= p.Rates[kind]; die < 0 {
			return kind
		}
	}
	return ""
}

// within returns a time above 0 and up to the longest.
func within(longest time.Duration, share float64) time.Duration {
	return longest - time.Duration(share*float64(longest))
}

// roll decides what befalls a request. Every die is cast each time, so that a rate that is changed changes no other kind.
func (p *plan) roll(r Request) Spoil {
	dice := p.dice(r.Tenant, r.Route)
	kind := p.pick(dice.Float64(), control.Throttled, control.Failed, control.Forbidden, control.Expired, control.Cut, control.HalfPage, control.StaleRead, control.ShortPage)
	slow, wait, choice := dice.Float64() < p.Rates[control.Slow], dice.Float64(), dice.Uint64()
	age := dice.Float64()
	var s Spoil
	if r.can(kind) {
		s.Kind, s.Choice = kind, choice
	}
	switch s.Kind {
	case control.Throttled:
		s.Status, s.RetryAfter = 429, p.RetryAfter
	case control.Failed:
		s.Status = []int{500, 502, 503, 504}[choice%4]
	case control.Forbidden:
		s.Status = 403
	case control.StaleRead:
		s.Age = within(p.Stale, age)
	}
	if slow {
		s.Delay = within(p.Delay, wait)
	}
	return s
}

// PutPlan puts a plan in force from its beginning, in place of the one for the same tenant. Its Tenant must be a directory
// id or empty.
func (f *Faults) PutPlan(p control.Plan) {
	if p.Delay == 0 {
		p.Delay = control.DefaultDelay
	}
	if p.Stale == 0 {
		p.Stale = control.DefaultStale
	}
	if p.PushDelay == 0 {
		p.PushDelay = p.Delay
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plans[p.Tenant] = &plan{Plan: p, rolled: map[key]uint64{}}
}

// EndPlan ends the plan of a tenant, or all plans.
func (f *Faults) EndPlan(tenant string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if tenant == "" {
		clear(f.plans)
	}
	delete(f.plans, tenant)
}

// Plans returns the plans in force, the one for all first.
func (f *Faults) Plans() []control.Plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []control.Plan{}
	for _, tenant := range slices.Sorted(maps.Keys(f.plans)) {
		out = append(out, f.plans[tenant].Plan)
	}
	return out
}

// Stale is how far behind reads of a tenant may be by the plan for it; 0 when none is.
func (f *Faults) Stale(tenant string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.plan(tenant); p != nil && p.Rates[control.StaleRead] > 0 {
		return p.Stale
	}
	return 0
}

// Dealt returns how often each kind of fault happened to a tenant, or to all.
func (f *Faults) Dealt(tenant string) map[control.FaultKind]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[control.FaultKind]int{}
	for d, n := range f.dealt {
		if tenant == "" || d.tenant == tenant {
			out[d.kind] += n
		}
	}
	return out
}

// Reset sets what Dealt tells to zero.
func (f *Faults) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.dealt)
}

// plan is the one for a tenant, whatever its time. The caller holds the lock.
func (f *Faults) plan(tenant string) *plan {
	if p := f.plans[tenant]; p != nil {
		return p
	}
	return f.plans[""]
}

// planFor is the plan that holds for a tenant now; nil for none. What is of no tenant has none. The caller holds the lock.
func (f *Faults) planFor(tenant string) *plan {
	p, now := f.plan(tenant), f.clock.Now()
	if p == nil || tenant == "" || now.Before(p.From) || !p.Until.IsZero() && !now.Before(p.Until) {
		return nil
	}
	return p
}

// deal counts a fault. The caller holds the lock.
func (f *Faults) deal(tenant string, kind control.FaultKind) {
	f.dealt[dealt{tenant, kind}]++
}

type dealt struct {
	tenant string
	kind   control.FaultKind
}
