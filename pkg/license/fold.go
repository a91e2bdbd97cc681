package license

import (
	"maps"
	"time"
)

// Key names one user's entitlement to one product.
type Key struct{ Tenant, Product, User string }

// State is what the record says of one Key.
type State struct {
	Licensed bool
	Since    time.Time // since when Licensed has had this value
	Reason   string
	Sequence uint64 // of the event that said so
}

// Fold turns events into the present state: for each user and product the event with the highest sequence counts, in
// whatever order and however often events come. The zero Fold is ready for use. It is not safe for concurrent use.
type Fold struct {
	states map[Key]State
}

// Apply takes one event and reports whether it changed the state. Events without an entitlement change nothing.
func (f *Fold) Apply(e Event) bool {
	if e.Entitlement == nil {
		return false
	}
	key := Key{Tenant: e.Tenant, Product: e.Product, User: e.User}
	if e.Sequence <= f.states[key].Sequence {
		return false
	}
	if f.states == nil {
		f.states = map[Key]State{}
	}
	f.states[key] = State{
		Licensed: e.Entitlement.Licensed, Since: e.Entitlement.Since, Reason: e.Entitlement.Reason, Sequence: e.Sequence,
	}
	return true
}

// Licensed reports whether the user is licensed. Who has no event is not.
func (f *Fold) Licensed(key Key) bool { return f.states[key].Licensed }

// State returns a copy of the whole state.
func (f *Fold) State() map[Key]State { return maps.Clone(f.states) }
