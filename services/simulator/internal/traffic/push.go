package traffic

import (
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// PushSpoil is what befalls a push. The zero value is nothing.
type PushSpoil struct {
	// Kind is PushLost, SubscriptionLost, with which the push is lost too, PushDelayed or PushReordered; "" for none.
	Kind control.FaultKind
	// Wait is how long one that is delayed waits, and how long one that is to be overtaken waits for that at the most.
	Wait time.Duration
	// Again is after how long it is sent once more; 0 for never.
	Again time.Duration
}

// DealPush decides what befalls a push of a change, and counts it, but for PushReordered: whether a push is overtaken is
// for its sender to see, and to Count.
func (f *Faults) DealPush(tenant, resource string) PushSpoil {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.planFor(tenant)
	if p == nil {
		return PushSpoil{}
	}
	s := p.rollPush(tenant, resource)
	if s.Kind != "" && s.Kind != control.PushReordered {
		f.deal(tenant, s.Kind)
	}
	if s.Again > 0 {
		f.deal(tenant, control.PushRepeated)
	}
	return s
}

// Count counts a fault that happened by a plan.
func (f *Faults) Count(tenant string, kind control.FaultKind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deal(tenant, kind)
}

func (p *plan) rollPush(tenant, resource string) PushSpoil {
	dice := p.dice(tenant, "push "+resource)
	kind := p.pick(dice.Float64(), control.SubscriptionLost, control.PushLost, control.PushDelayed, control.PushReordered)
	again, wait, later := dice.Float64() < p.Rates[control.PushRepeated], dice.Float64(), dice.Float64()
	s := PushSpoil{Kind: kind}
	switch kind {
	case control.SubscriptionLost, control.PushLost:
		return s // and nothing is left to be sent again
	case control.PushDelayed:
		s.Wait = within(p.PushDelay, wait)
	case control.PushReordered:
		s.Wait = p.PushDelay
	}
	if again {
		s.Again = within(p.PushDelay, later)
	}
	return s
}
