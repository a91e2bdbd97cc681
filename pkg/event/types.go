package event

import (
	"encoding/json"
	"time"
)

// The types of events. A released type never changes its meaning: a new meaning is a new version.
// schemas/events/<type>.json describes each one's data.
const (
	TypeNotificationReceived = "io.rollcall.notification.received.v1"

	TypeDirectoryObserved = "io.rollcall.directory.observed.v1"
	TypeSnapshotEnded     = "io.rollcall.directory.snapshot-ended.v1"
	TypeCandidatesRead    = "io.rollcall.directory.candidates-read.v1"
	TypeRoundEnded        = "io.rollcall.directory.round-ended.v1"
	// TypeConnectionObserved is of the connection itself.
	TypeConnectionObserved = "io.rollcall.directory.connection-observed.v1"

	TypeRefreshRequested = "io.rollcall.command.refresh-requested.v1"
	TypeReadRequested    = "io.rollcall.command.read-requested.v1"
	TypeRefreshCompleted = "io.rollcall.command.refresh-completed.v1"

	TypeApproveRequested    = "io.rollcall.command.approve-requested.v1"
	TypeRejectRequested     = "io.rollcall.command.reject-requested.v1"
	TypeSeatsRequested      = "io.rollcall.command.seats-requested.v1"
	TypeSettingsRequested   = "io.rollcall.command.settings-requested.v1"
	TypeDisconnectRequested = "io.rollcall.command.disconnect-requested.v1"
	TypeConnectRequested    = "io.rollcall.command.connect-requested.v1"
	TypeEraseRequested      = "io.rollcall.command.erase-requested.v1"
	TypeActivationReported  = "io.rollcall.command.activation-reported.v1"
	TypeAnswered            = "io.rollcall.command.answered.v1"

	TypeLicenseGranted       = "io.rollcall.license.granted.v1"
	TypeLicenseRevoked       = "io.rollcall.license.revoked.v1"
	TypeLicenseReasonChanged = "io.rollcall.license.reason-changed.v1"
	TypePolicyChanged        = "io.rollcall.policy.changed.v1"
	TypeSettingsChanged      = "io.rollcall.policy.settings-changed.v1"

	TypeSeatsChanged  = "io.rollcall.seats.changed.v1"
	TypeSeatsExceeded = "io.rollcall.seats.exceeded.v1"
	TypeSeatsWithin   = "io.rollcall.seats.within.v1"
	TypeLineChanged   = "io.rollcall.seats.line-changed.v1"

	TypeUserActivated = "io.rollcall.user.activated.v1"

	TypeHeldOpened = "io.rollcall.held.opened.v1"
	TypeHeldListed = "io.rollcall.held.listed.v1"
	TypeHeldClosed = "io.rollcall.held.closed.v1"

	TypeConnectionDegraded  = "io.rollcall.connection.degraded.v1"
	TypeConnectionRecovered = "io.rollcall.connection.recovered.v1"
	TypeCredentialExpiring  = "io.rollcall.connection.credential-expiring.v1"
	TypeCredentialReplaced  = "io.rollcall.connection.credential-replaced.v1"

	TypeDeadLetter = "io.rollcall.dead-letter.written.v1"
)

// NotificationReceived is what intake keeps of one item that a provider pushed: ids only, never a secret or an address.
type NotificationReceived struct {
	Provider       string `json:"provider"`
	SubscriptionID string `json:"subscription_id"`
	// Channel is our own id of the subscription, proved by the secret that the provider echoed.
	Channel   string `json:"channel"`
	Resource  string `json:"resource,omitempty"`  // "user", "group", "activity" (an entry of the provider's journal), or empty for lifecycle
	ID        string `json:"id,omitempty"`        // of the resource
	Change    string `json:"change,omitempty"`    // the provider's word, kept for people: never acted upon
	Lifecycle string `json:"lifecycle,omitempty"` // news of the subscription itself: "opened", "expires", "removed", "missed"
}

// DirectoryObserved is one page of observations, in the order in which the provider gave them.
type DirectoryObserved struct {
	Stamp    Stamp  `json:"stamp"`              // taken just before the request that showed all this
	Snapshot string `json:"snapshot,omitempty"` // the snapshot that this page is part of
	// The provider's feed states all this behind each change that it had told of, in order, since FeedSince and until FeedUntil.
	// Zero: a read showed it, which a replica that lags may have answered.
	FeedSince    time.Time     `json:"feed_since,omitzero"`
	FeedUntil    time.Time     `json:"feed_until,omitzero"`
	Observations []Observation `json:"observations"` // never nil, see FromObservations: the schema wants a list
}

// Stamp is directory.Stamp on the wire.
type Stamp struct {
	Epoch   int64  `json:"epoch"`
	Counter uint64 `json:"counter"`
}

// Observation has exactly one field set.
type Observation struct {
	User       *User       `json:"user,omitempty"`
	Group      *Group      `json:"group,omitempty"`
	Membership *Membership `json:"membership,omitempty"`
}

// User is directory.User on the wire.
type User struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	Status    string   `json:"status"`
	Guest     bool     `json:"guest,omitempty"`
}

// Group is directory.Group on the wire.
type Group struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	Kind      string   `json:"kind,omitempty"`
	Deleted   bool     `json:"deleted,omitempty"`
}

// Membership is directory.Membership on the wire.
type Membership struct {
	GroupID    string `json:"group_id"`
	MemberKind string `json:"member_kind"`
	MemberID   string `json:"member_id,omitempty"`
	Present    bool   `json:"present"`
}

// SnapshotEnded says that a complete read is on LEDGER_IN. What it did not show is a candidate for removal, no more.
type SnapshotEnded struct {
	Snapshot string `json:"snapshot"` // the causing command's event id, or derived from the first stamp
	Began    Stamp  `json:"began"`    // the stamp of its first page
	// Scope says what it covers: all users, all groups, or the direct members of Groups; one marker covers all three.
	Users   bool     `json:"users"`
	Groups  bool     `json:"groups"`
	Members []string `json:"members,omitempty"` // the ids of the groups whose members were read completely
	Pages   int      `json:"pages"`             // that carry the snapshot's id
	// SetAside lists the ids of objects that could not be read: the sweep spares them.
	SetAside []string `json:"set_aside,omitempty"`
}

// ReadRequested asks the receiver to read the provider. With candidates it is the proof that removal needs: each is read
// again, then a CandidatesRead marker follows; at most 500 of each kind in one event. Without any it asks for one
// incremental round.
type ReadRequested struct {
	Snapshot string       `json:"snapshot,omitempty"` // that did not show them; empty: what a read showed of them is in doubt
	Users    []string     `json:"users,omitempty"`    // ids
	Groups   []string     `json:"groups,omitempty"`   // ids
	Members  []Membership `json:"members,omitempty"`  // as they were last known
}

// CandidatesRead says that all candidates of one ReadRequested have been read and what they showed is on LEDGER_IN.
type CandidatesRead struct {
	Snapshot string `json:"snapshot,omitempty"`
	Request  string `json:"request"`            // event id of the ReadRequested
	Unproven int    `json:"unproven,omitempty"` // candidates that could not be read and so stay as they were
}

// RoundEnded says that an incremental pass ended well: everything that the provider showed since Began is on LEDGER_IN,
// but for the end of the groups in Vanishing, which is yet to be proved, and the members of those in Unread.
type RoundEnded struct {
	Began    time.Time `json:"began"`
	Stamp    Stamp     `json:"stamp"` // of its first request
	Requests int       `json:"requests"`
	// Vanishing are ids of watched groups that the provider says are gone: none of them may come to count meanwhile.
	Vanishing []string `json:"vanishing,omitempty"`
	// Unread are ids of watched groups whose members are not all read yet, though some may be: they may not either.
	Unread []string `json:"unread,omitempty"`
}

// RefreshRequested asks for a full read of the directory.
type RefreshRequested struct {
	RequestedBy string `json:"requested_by"` // "cli", "schedule", "connect", "worker": a word of [a-z0-9-], never an address
	By          string `json:"by,omitempty"` // who, where somebody did; see ValidActor
	// Preview puts the decisions that the read brings on a held change of each product, instead of applying them.
	Preview bool `json:"preview,omitempty"`
}

// RefreshCompleted says that a full read has had all its effects: every license event that it caused is on LICENSES. With
// Error set the read failed, and what was known stays.
type RefreshCompleted struct {
	Snapshot string `json:"snapshot"`
	Users    int    `json:"users"`  // live users in the directory
	Groups   int    `json:"groups"` // live groups in the directory
	Granted  int    `json:"granted"`
	Revoked  int    `json:"revoked"`
	Removed  int    `json:"removed"`         // users, groups and memberships that were proved gone
	Unproven int    `json:"unproven"`        // candidates that could not be read and so stay as they were
	Error    string `json:"error,omitempty"` // why the read did not come to its end, for people
	// Holds are what a preview has put on a list; products to which the read brings nothing have none.
	Holds []RefreshHold `json:"holds,omitempty"`
}

// RefreshHold is the held change that the preview of a refresh has opened for one product.
type RefreshHold struct {
	Product     string `json:"product"`
	Held        string `json:"held"`
	Revision    int    `json:"revision"`
	Grants      int    `json:"grants"`
	Revocations int    `json:"revocations"`
}

// Entitlement is the data of every license event: the whole decision about one user and one product after the change.
// Consumers fold Licensed, never the type.
type Entitlement struct {
	Tenant   string    `json:"tenant"`
	Product  string    `json:"product"`
	User     string    `json:"user"` // the provider's immutable id
	Licensed bool      `json:"licensed"`
	Since    time.Time `json:"since"`  // UTC; since when Licensed has had this value: a new reason alone leaves it
	Reason   string    `json:"reason"` // a licensing.Reason
	// Path holds, for reason group-member, the ids of the groups that lead to the user: the provisioning group first, the
	// one that has the user as a direct member last.
	Path     []string  `json:"path,omitempty"`
	Previous *Previous `json:"previous,omitempty"` // absent for the user's first decision
}

// Previous is the decision before the change; absent for the first one.
type Previous struct {
	Licensed bool      `json:"licensed"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason"`
	Path     []string  `json:"path,omitempty"`
}

// PolicyChanged says that a product's licensing mode or provisioning group is another one from here on. The license
// events that follow from it name this event as their cause.
type PolicyChanged struct {
	Tenant        string `json:"tenant"`
	Product       string `json:"product"`
	Mode          string `json:"mode"`                    // "all-users" or "group-members"
	Group         string `json:"group,omitempty"`         // the provider's id of the provisioning group; only with group-members
	PreviousMode  string `json:"previous_mode,omitempty"` // empty for the product's first policy
	PreviousGroup string `json:"previous_group,omitempty"`
}

// DeadLetter is a message that was given up, with where it stood, why, and what it was.
type DeadLetter struct {
	Stream     string          `json:"stream"`
	Sequence   uint64          `json:"sequence"` // of the message on Stream
	Subject    string          `json:"subject"`  // as stored
	Consumer   string          `json:"consumer"` // the durable consumer that gave it up
	Deliveries uint64          `json:"deliveries"`
	Reason     string          `json:"reason"`          // for people
	Event      json.RawMessage `json:"event,omitempty"` // the message's body where it is JSON
	Body       []byte          `json:"body,omitempty"`  // base64, where it is not; neither when it was empty or too large
}
