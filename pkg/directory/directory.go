// Package directory is the provider-neutral model of a customer's directory: who is in it, which groups it has,
// who belongs to them, and when that was seen. It knows neither Graph nor Workspace.
package directory

import (
	"cmp"
	"slices"
	"strings"
)

// Provider names the system that a tenant's directory lives in. The values appear in subjects, flags and metrics.
type Provider string

// The providers that Rollcall knows.
const (
	Entra           Provider = "entra"
	GoogleWorkspace Provider = "google-workspace"
)

// Status says whether a user may sign in.
type Status string

// The states of a user. Entra's accountEnabled=false and Workspace's suspended are both Suspended.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Archived  Status = "archived"
	Deleted   Status = "deleted"
)

// User is one account as a read of the provider showed it.
type User struct {
	ID        string   // the provider's immutable id: Entra's oid, Google's sub
	Name      string   // display name
	Addresses []string // normalized by Address; the first one is the sign-in name, the rest are aliases
	Status    Status
	Guest     bool // invited from another directory, or otherwise an outsider
}

// Group is one group as a read of the provider showed it. Deleted groups keep only their ID.
type Group struct {
	ID        string
	Name      string
	Addresses []string // normalized by Address; the first one is the group's own, the rest are aliases
	Kind      GroupKind
	Deleted   bool
}

// GroupKind is the provider's kind of a group. Rules do not depend on it; people who ask why do.
type GroupKind string

// The kinds of groups: the four that Graph has (facts: microsoft.graph.group, groupTypes, mailEnabled, securityEnabled),
// and Workspace's one.
const (
	Microsoft365        GroupKind = "microsoft-365"
	Security            GroupKind = "security"
	MailEnabledSecurity GroupKind = "mail-enabled-security"
	Distribution        GroupKind = "distribution"
	WorkspaceGroup      GroupKind = "workspace"
)

// MemberKind says what the member of a group is.
type MemberKind string

// The kinds of members. Customer stands for every user of a Workspace customer; Other is a device, a service
// principal or a contact, none of which can hold a license.
const (
	UserMember     MemberKind = "user"
	GroupMember    MemberKind = "group"
	CustomerMember MemberKind = "customer"
	OtherMember    MemberKind = "other"
)

// Membership is one direct link from a group to a member, or, with Present false, the statement that there is none.
type Membership struct {
	GroupID string
	Kind    MemberKind
	ID      string // of the member; empty for CustomerMember
	Present bool
}

// Observation is what a read showed of one thing: exactly one of the pointers is set.
type Observation struct {
	User       *User
	Group      *Group
	Membership *Membership
}

// Stamp orders observations of one tenant. It is taken just before each request to the provider: what is asked later
// is true later. The zero Stamp is before every other.
type Stamp struct {
	Epoch   int64  // of the owner that took it: max(the last owner's + 1, wall clock in ms)
	Counter uint64 // rises by one with each request of that owner
}

// Compare returns -1, 0 or 1 as s was taken before, together with or after t.
func (s Stamp) Compare(t Stamp) int {
	return cmp.Or(cmp.Compare(s.Epoch, t.Epoch), cmp.Compare(s.Counter, t.Counter))
}

// Address normalizes an e-mail address for comparison: surrounding space and the "smtp:" prefix of a proxy address are
// dropped, letters are lowered. Both providers treat addresses without regard to case.
func Address(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.TrimPrefix(s, "smtp:")
}

// Addresses normalizes addresses and returns each once, in the order of their first. Empty ones are left out.
func Addresses(all ...string) []string {
	var list []string
	for _, a := range all { // a handful: cheaper than a set
		if a = Address(a); a != "" && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// Domain returns what follows the last @ of an address, or "" where there is none.
func Domain(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return address[i+1:]
	}
	return ""
}
