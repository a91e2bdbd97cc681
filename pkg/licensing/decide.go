// Package licensing holds the rules that say who is licensed and which mode a product is in. It is pure: no clock, no
// I/O, no state of its own. Whoever calls it brings what is known and keeps what comes back.
package licensing

import (
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Mode says which users of a tenant a product is for.
type Mode string

// The licensing modes.
const (
	AllUsers     Mode = "all-users"
	GroupMembers Mode = "group-members"
)

// Reason says why a decision is as it is.
type Reason string

// The reasons. Archived users count as Suspended: both may not sign in and may come back.
const (
	DomainDefault Reason = "domain-default" // licensed: every user of the tenant is
	GroupMember   Reason = "group-member"   // licensed: the user is in the provisioning group
	NotAMember    Reason = "not-a-member"
	Suspended     Reason = "suspended"
	Deleted       Reason = "deleted"
	Guest         Reason = "guest"
	OverSeatLimit Reason = "over-seat-limit" // the seats are enforced, and none was free
	Disconnected  Reason = "disconnected"    // the tenant was, and its licenses were revoked with it
	Held          Reason = "held"            // licensed: a revocation is parked, or was rejected
)

// Policy is what is in force for a tenant and product. Group is the provider's id of the provisioning group, empty in
// mode AllUsers.
type Policy struct {
	Mode  Mode
	Group string
}

// policyOf is the policy that a provisioning group brings, or that its absence does.
func policyOf(group string) Policy {
	if group == "" {
		return Policy{Mode: AllUsers}
	}
	return Policy{Mode: GroupMembers, Group: group}
}

// Decision says whether a user is licensed, and why.
type Decision struct {
	Licensed bool
	Reason   Reason
	// Path holds the ids of the groups from the provisioning group down to the one that the user is a direct member of.
	// Only GroupMember has one.
	Path []string
}

// Equal reports whether two decisions say the same for the same reason.
func (d Decision) Equal(other Decision) bool {
	return d.Licensed == other.Licensed && d.Reason == other.Reason && slices.Equal(d.Path, other.Path)
}

// User is what the rules need to know of a user. The zero Status is one that no read has shown yet: such a user is not
// in the directory as far as anyone can prove, and counts as deleted.
type User struct {
	Status directory.Status
	Guest  bool
}

// Active reports whether a user may sign in. A guest may: what guests lack is a license.
func (u User) Active() bool { return u.Status == directory.Active }

// Decide says whether u is licensed under p. The path leads from p's group to the user, and is empty when the user is no
// member. Of several reasons against a license the one that is hardest to undo is given.
func Decide(u User, p Policy, path []string) Decision {
	switch {
	case u.Status == directory.Suspended || u.Status == directory.Archived:
		return Decision{Reason: Suspended}
	case u.Status != directory.Active:
		return Decision{Reason: Deleted}
	case u.Guest:
		return Decision{Reason: Guest}
	case p.Mode == AllUsers:
		return Decision{Licensed: true, Reason: DomainDefault}
	case len(path) > 0:
		return Decision{Licensed: true, Reason: GroupMember, Path: path}
	default:
		return Decision{Reason: NotAMember}
	}
}
