package store

import (
	"sort"
	"time"
)

// ChangeKind says what happened.
type ChangeKind uint8

// The kinds of changes.
const (
	UserChanged   ChangeKind = iota + 1 // made, changed, soft-deleted or restored
	UserPurged                          // deleted for good
	GroupChanged                        // made, changed, soft-deleted or restored
	GroupPurged                         // deleted for good
	MemberJoined                        // ID is the group
	MemberLeft                          // ID is the group
	MemberChanged                       // the role; ID is the group
)

// Fields is a set of what changed in a user or group.
type Fields uint16

// The fields that are told apart. Existence stands for an object that was made, deleted or restored.
const (
	Existence Fields = 1 << iota
	Name
	SignIn  // userPrincipalName
	Mail    // mail and what follows from it
	Proxies // all addresses
	Enabled
	Archive
)

// Change is one entry of a tenant's log.
type Change struct {
	Version     uint64     `json:"v"`
	First       uint64     `json:"n,omitempty"` // version of the first change that the same mutation made
	At          time.Time  `json:"at"`
	Kind        ChangeKind `json:"k"`
	ID          string     `json:"id"`
	Fields      Fields     `json:"f,omitempty"`
	Member      string     `json:"m,omitempty"`
	MemberGroup bool       `json:"g,omitempty"` // the member is a group
	// Implied marks a link that comes or goes only because the member itself was deleted or restored.
	Implied bool `json:"i,omitempty"`
	// User or Group is the object after the change, nil when it is gone for good. Do not change it.
	User  *User  `json:"u,omitempty"`
	Group *Group `json:"o,omitempty"`

	// What follows is told of Workspace's directories only, so that an activity can be written from the change alone.
	Acts          Acts   `json:"a,omitempty"`
	Address       string `json:"ad,omitempty"` // primary address of the user or group, after the change
	Before        string `json:"b,omitempty"`  // its address before a rename, its last one when it was deleted; a member's role before
	Alias         string `json:"al,omitempty"` // the alias that came or went
	MemberAddress string `json:"ma,omitempty"` // empty for the whole customer
	Role          string `json:"r,omitempty"`  // of the member
	Via           Via    `json:"w,omitempty"`
}

// IsUser reports whether the change is of a user.
func (c Change) IsUser() bool { return c.Kind == UserChanged || c.Kind == UserPurged }

// between returns the part of a log with from < version <= to.
func between(log []Change, from, to uint64) []Change {
	lo := sort.Search(len(log), func(i int) bool { return log[i].Version > from })
	hi := sort.Search(len(log), func(i int) bool { return log[i].Version > to })
	return log[lo:max(lo, hi)]
}
