package event

import "time"

// The kinds of held changes. A product has at most one open of each.
const (
	HeldFlip        = "flip"        // the provisioning group would be another one
	HeldRevocations = "revocations" // many at once
	HeldRefresh     = "refresh"     // what a previewed refresh has found
	HeldFreeze      = "freeze"      // revocations in a frozen tenant
)

// The ends of held changes.
const (
	HeldApproved  = "approved"
	HeldRejected  = "rejected"
	HeldExpired   = "expired"
	HeldWithdrawn = "withdrawn" // what it was about is no longer so
)

// MaxHeldUsers is how many users one HeldListed may name.
const MaxHeldUsers = 1000

// HeldOpened says that a bulk change is parked until someone approves or rejects it. HeldListed events with the list
// follow.
type HeldOpened struct {
	Tenant      string `json:"tenant"`
	Product     string `json:"product"`
	Held        string `json:"held"` // <kind>-<number>: which held change of the product
	Kind        string `json:"kind"`
	Revision    int    `json:"revision"` // of the list
	Grants      int    `json:"grants"`
	Revocations int    `json:"revocations"`
	Licensed    int    `json:"licensed"` // users, now
	Purchased   *int   `json:"purchased,omitempty"`
	// What a flip would put in force, and what is. Only with HeldFlip.
	Mode          string    `json:"mode,omitempty"`
	Group         string    `json:"group,omitempty"`
	PreviousMode  string    `json:"previous_mode,omitempty"`
	PreviousGroup string    `json:"previous_group,omitempty"`
	Expires       time.Time `json:"expires,omitzero"` // then it counts as rejected; zero for HeldFreeze
}

// HeldListed holds users of a held change's list. As many events as the list needs follow HeldOpened; later ones hold
// only what has changed. Folded by user, they are the list at that revision.
type HeldListed struct {
	Tenant   string     `json:"tenant"`
	Product  string     `json:"product"`
	Held     string     `json:"held"`
	Revision int        `json:"revision"`
	Users    []HeldUser `json:"users"` // at most MaxHeldUsers
}

// HeldUser is what a held change would do to one user.
type HeldUser struct {
	User     string `json:"user"`
	Listed   bool   `json:"listed"`           // false: no longer on the list
	Licensed bool   `json:"licensed"`         // what it would become
	Reason   string `json:"reason,omitempty"` // a licensing.Reason: why it would
}

// HeldClosed says how a held change has ended. What an approved one brings follows as policy and license events.
type HeldClosed struct {
	Tenant      string `json:"tenant"`
	Product     string `json:"product"`
	Held        string `json:"held"`
	Kind        string `json:"kind"`
	Revision    int    `json:"revision"`
	Outcome     string `json:"outcome"`
	By          string `json:"by,omitempty"` // who approved or rejected it, see ValidActor
	Grants      int    `json:"grants"`
	Revocations int    `json:"revocations"`
}
