package licensing

import (
	"slices"
	"time"
)

// Phase says how far a product has come in a tenant.
type Phase string

// The phases of a product.
const (
	Connecting Phase = ""         // the tenant has no complete snapshot yet: nothing may be decided
	Waiting    Phase = "waiting"  // it has, but which group counts, or who is in it, cannot be told yet
	InForce    Phase = "in-force" // the policy holds
)

// State is where one product of one tenant stands. The zero State is that of a tenant that was just connected.
type State struct {
	Phase    Phase
	Policy   Policy  // valid InForce
	Change   *Change // what the directory shows instead of what is in force; nil when they agree
	Conflict bool    // several live groups hold the address: nothing changes until there is one again
}

// Change is a provisioning group (or its absence) that is not in force yet.
type Change struct {
	Group    string // the provider's id; empty when no live group holds the address
	Empty    bool   // the group has no member: it counts for nothing until it has
	SettleAt time.Time
}

// Seen is what the mirror holds about a product's address.
type Seen struct {
	Groups   []string // ids of the live groups that have the address, as their own or as an alias
	Members  int      // of the only group; anything above zero is the same to the rules
	Vanished bool     // the group in force was read as deleted: the reader has proved it before it said so
}

// Start ends Connecting at the tenant's first complete snapshot: a group that is there then counts at once, even an empty
// one. Without the group's complete membership it waits for a round that began at or after now. Several groups decide
// nothing.
func Start(seen Seen, complete bool, now time.Time) State {
	switch {
	case len(seen.Groups) > 1:
		return State{Phase: Waiting, Conflict: true}
	case len(seen.Groups) == 1 && !complete:
		return State{Phase: Waiting, Change: &Change{Group: seen.Groups[0], SettleAt: now}}
	case len(seen.Groups) == 1:
		return State{Phase: InForce, Policy: policyOf(seen.Groups[0])}
	default:
		return State{Phase: InForce, Policy: policyOf("")}
	}
}

// Observe takes what the mirror holds after a change at the given time. A group other than the one in force is a change
// that settles: moved says that the candidate's membership has just changed, which begins its settle time anew.
func (s State) Observe(seen Seen, moved bool, at time.Time, settle time.Duration) State {
	switch {
	case s.Phase == Connecting:
		return s
	case len(seen.Groups) > 1:
		s.Conflict, s.Change = true, nil
		return s
	case s.Phase == Waiting:
		return s.wait(seen, at)
	}
	s.Conflict = false
	target := ""
	if len(seen.Groups) == 1 {
		target = seen.Groups[0]
	}
	switch {
	case target == s.Policy.Group:
		s.Change = nil
	case target == "" && seen.Vanished:
		s.Policy, s.Change = policyOf(""), nil
	default:
		s.Change = s.Change.settle(target, moved, at.Add(settle))
		s.Change.Empty = target != "" && seen.Members == 0
	}
	return s
}

// wait is Observe for a product that could not start at the first snapshot.
func (s State) wait(seen Seen, at time.Time) State {
	if s.Change != nil && len(seen.Groups) == 1 && seen.Groups[0] == s.Change.Group {
		return s
	}
	return Start(seen, false, at)
}

// settle returns the change to target that settles at until, or the one under way when nothing moved.
func (c *Change) settle(target string, moved bool, until time.Time) *Change {
	switch {
	case c == nil || c.Group != target:
		return &Change{Group: target, SettleAt: until}
	case moved && until.After(c.SettleAt):
		return &Change{Group: target, SettleAt: until}
	default:
		same := *c
		return &same
	}
}

// Round takes the end of a round that began at the given time: a change that had settled by then takes effect, because
// the round has shown all that there was to see. A group of which it has not, because it is said to be vanishing or its
// members are not all read, is open and does not. Other conditions are checked against the State alone: Observe has kept it.
func (s State) Round(began time.Time, open []string) State {
	if s.Change == nil || s.Phase == Connecting || began.Before(s.Change.SettleAt) {
		return s
	}
	if s.Change.Group != "" && slices.Contains(open, s.Change.Group) {
		return s
	}
	if s.Phase == InForce && s.Change.Empty {
		return s
	}
	return State{Phase: InForce, Policy: policyOf(s.Change.Group)}
}

// AskAt returns when a round should be asked for, so that a settled change takes effect without waiting for a poll. An
// empty group asks for none: its first member will.
func (s State) AskAt() (time.Time, bool) {
	if s.Change == nil || s.Phase == InForce && s.Change.Empty {
		return time.Time{}, false
	}
	return s.Change.SettleAt, true
}
