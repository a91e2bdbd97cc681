package licensing

import (
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
	Stage    Stage
}

// Stage says how far a change has come.
type Stage string

// The stages of a change.
const (
	Settling Stage = ""         // it has been seen, and must be still for a while
	Proposed Stage = "proposed" // it has settled: Approve puts it in force
	Rejected Stage = "rejected" // somebody has said no; it rests until what it was said of has changed
)

// Seen is what the mirror holds about a product's address.
type Seen struct {
	Groups   []string // ids of the live groups that have the address, as their own or as an alias
	Members  int      // of the only group, or of groups in it; anything above zero is the same to the rules
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
// that settles: moved says that the candidate's membership has just changed, which begins its settle time anew. A first
// member, or none any more, is such a change by itself. A change that is proposed already stays so, whoever joins or
// leaves, unless nobody is left.
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
	if target == s.Policy.Group {
		s.Change = nil
		return s
	}
	empty := target != "" && seen.Members == 0
	moved = moved || s.Change != nil && s.Change.Empty != empty
	s.Change = s.Change.settle(target, moved, at.Add(settle))
	s.Change.Empty = empty
	switch {
	case s.Change.Empty && s.Change.Stage == Proposed:
		s.Change.Stage, s.Change.SettleAt = Settling, at.Add(settle)
	case target == "" && seen.Vanished && s.Change.Stage == Settling:
		s.Change.Stage, s.Change.SettleAt = Proposed, at // proved: there is nothing to wait for
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

// settle returns the change to target that settles at until, or the one under way when nothing moved. What somebody has
// rejected begins anew when its membership has moved: it is not the same any more.
func (c *Change) settle(target string, moved bool, until time.Time) *Change {
	switch {
	case c == nil || c.Group != target:
		return &Change{Group: target, SettleAt: until}
	case moved && c.Stage == Rejected:
		return &Change{Group: target, SettleAt: until}
	case moved && c.Stage == Settling && until.After(c.SettleAt):
		return &Change{Group: target, SettleAt: until}
	default:
		same := *c
		return &same
	}
}

// Round takes the end of a round that began at the given time: a change that had settled by then is proposed, because the
// round has shown all that there was to see; the first policy of a product takes effect at once. open says that it has
// not shown all of the change's group: it is said to be vanishing, or its members, or those of a group in it, are not all
// read. Other conditions are checked against the State alone: Observe has kept it.
func (s State) Round(began time.Time, open bool) State {
	switch {
	case s.Change == nil || s.Phase == Connecting || began.Before(s.Change.SettleAt) || open:
		return s
	case s.Phase == Waiting:
		return State{Phase: InForce, Policy: policyOf(s.Change.Group)}
	case s.Change.Empty || s.Change.Stage != Settling:
		return s
	}
	return s.at(Proposed)
}

// Approve puts a proposed change in force. Of any other it changes nothing.
func (s State) Approve() State {
	if !s.Proposes() {
		return s
	}
	return State{Phase: InForce, Policy: policyOf(s.Change.Group)}
}

// Reject lets a proposed change rest. Of any other it changes nothing.
func (s State) Reject() State {
	if !s.Proposes() {
		return s
	}
	return s.at(Rejected)
}

// Proposes reports whether a change waits to be approved.
func (s State) Proposes() bool { return s.Change != nil && s.Change.Stage == Proposed }

// Target is the policy that the change would put in force.
func (s State) Target() Policy {
	if s.Change == nil {
		return s.Policy
	}
	return policyOf(s.Change.Group)
}

func (s State) at(stage Stage) State {
	change := *s.Change
	change.Stage = stage
	s.Change = &change
	return s
}

// AskAt returns when a round should be asked for, so that a settled change goes on without waiting for a poll. An empty
// group asks for none: its first member will.
func (s State) AskAt() (time.Time, bool) {
	if s.Change == nil || s.Change.Stage != Settling || s.Phase == InForce && s.Change.Empty {
		return time.Time{}, false
	}
	return s.Change.SettleAt, true
}
