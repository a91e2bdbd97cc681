package control

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Tenant is one simulated Entra tenant or Workspace customer.
type Tenant struct {
	ID string `json:"id"` // a short name, e.g. contoso
	// Provider says which it is; empty means Entra. It never changes.
	Provider directory.Provider `json:"provider,omitempty"`
	// DirectoryID is a GUID or, of Workspace, a customer id: C and 8 of [a-z0-9]. It is made from ID when empty.
	DirectoryID string   `json:"directory_id"`
	Name        string   `json:"name,omitempty"`
	Domains     []string `json:"domains"` // verified domains; the first is the default one
	App         App      `json:"app"`
}

// App is the application that the tenant's admin consented to. Secrets are given when it is registered and never told again.
type App struct {
	ClientID    string      `json:"client_id"` // of Workspace: the service account's numeric id, made when empty
	Secret      string      `json:"secret,omitempty"`
	Certificate string      `json:"certificate,omitempty"` // PEM of the public certificate
	Federated   []Federated `json:"federated,omitempty"`
	// Permissions are the application permissions granted, e.g. User.Read.All. Nil means DefaultPermissions. Entra only.
	Permissions []string `json:"permissions"`
	// Redirects are where the page of admin consent may send a browser back to, exactly. Entra only.
	Redirects []string `json:"redirects,omitempty"`
	// Unconsented says that nobody has consented yet: the directory does not know the app until its admin accepts on that page,
	// which grants Permissions. Entra only.
	Unconsented bool `json:"unconsented,omitempty"`

	// What follows is Workspace's. Several tenants may name the same service account: each delegates for itself.
	ServiceAccount string `json:"service_account,omitempty"` // its address
	PublicKey      string `json:"public_key,omitempty"`      // PEM, of the service account's key file; "" when keyless
	// CallerToken is an access token of some caller that may sign as the service account (keyless), beside what
	// Federated identities get at the token exchange.
	CallerToken string   `json:"caller_token,omitempty"`
	Scopes      []string `json:"scopes,omitempty"` // of domain-wide delegation; nil means DefaultScopes
	// Admins are whom the service account can act as; nil means one super admin, admin@ the first domain.
	Admins []Admin `json:"admins,omitempty"`
}

// DefaultPermissions is what a tenant's app may do unless told otherwise: the least that Rollcall asks for.
func DefaultPermissions() []string {
	return []string{"User.Read.All", "Group.Read.All", "Member.Read.Hidden"}
}

// Federated is a federated identity credential: a token of this issuer, subject and audience stands for the app's secret.
// In a Workspace tenant it is a workload identity that may sign as the service account; Audience is then that of the
// token exchange, //iam.googleapis.com/projects/…/providers/…, and empty takes any.
type Federated struct {
	Issuer    string `json:"issuer"`
	Subject   string `json:"subject"`
	Audience  string `json:"audience,omitempty"`   // empty means api://AzureADTokenExchange for Entra
	PublicKey string `json:"public_key,omitempty"` // PEM; when set, the assertion's signature is checked with it
}

// User is one account.
type User struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Address   string           `json:"address"`           // userPrincipalName or primaryEmail
	Mail      string           `json:"mail,omitempty"`    // primary SMTP address; for a guest the address at home
	Aliases   []string         `json:"aliases,omitempty"` // further SMTP addresses
	Status    directory.Status `json:"status"`            // deleted (soft-deleted, restorable), else suspended, archived or active
	Guest     bool             `json:"guest,omitempty"`
	CreatedAt time.Time        `json:"created_at"`
}

// NewUser is what a user is made from. Only Address is needed.
type NewUser struct {
	ID        string   `json:"id,omitempty"` // GUID, or 21 digits that begin with 1; random when empty
	Name      string   `json:"name,omitempty"`
	Address   string   `json:"address"`
	Aliases   []string `json:"aliases,omitempty"`
	Guest     bool     `json:"guest,omitempty"`
	Suspended bool     `json:"suspended,omitempty"`
	Archived  bool     `json:"archived,omitempty"` // Workspace only
}

// Generate asks for Users accounts, the same ones for the same Seed. Shares are from 0 to 1; nil takes the default in brackets.
type Generate struct {
	Users          int      `json:"users"`
	Seed           uint64   `json:"seed,omitempty"`
	GuestShare     *float64 `json:"guest_share,omitempty"`     // [0.03; Workspace 0]
	SuspendedShare *float64 `json:"suspended_share,omitempty"` // [0.02]
	ArchivedShare  *float64 `json:"archived_share,omitempty"`  // [0.01], Workspace only
	AliasShare     *float64 `json:"alias_share,omitempty"`     // [0.2]
	// Groups asks for groups of up to 40 of the new users each; in a Workspace tenant ExternalShare of their members
	// are from elsewhere.
	Groups        int      `json:"groups,omitempty"`
	ExternalShare *float64 `json:"external_share,omitempty"` // [0.05], Workspace only
}

// Group is one group.
type Group struct {
	ID        string              `json:"id"`
	Name      string              `json:"name"`
	Address   string              `json:"address,omitempty"` // empty for a security group
	Aliases   []string            `json:"aliases,omitempty"`
	Kind      directory.GroupKind `json:"kind"`
	Dynamic   bool                `json:"dynamic,omitempty"` // membership follows a rule
	Hidden    bool                `json:"hidden,omitempty"`  // visibility HiddenMembership
	Deleted   bool                `json:"deleted,omitempty"` // soft-deleted, restorable
	Members   int                 `json:"members"`           // direct ones, those that are deleted not counted
	CreatedAt time.Time           `json:"created_at"`
}

// NewGroup is what a group is made from.
type NewGroup struct {
	ID      string              `json:"id,omitempty"` // GUID, or 0 and 14 of [a-z0-9]; random when empty
	Name    string              `json:"name,omitempty"`
	Address string              `json:"address,omitempty"` // needed by every kind but security
	Aliases []string            `json:"aliases,omitempty"`
	Kind    directory.GroupKind `json:"kind,omitempty"` // empty means microsoft-365, in a Workspace tenant its only kind
	Dynamic bool                `json:"dynamic,omitempty"`
	Hidden  bool                `json:"hidden,omitempty"`
	// AllowTaken lets the group have an address that another object has already, which the real directory refuses but
	// a botched migration can show.
	AllowTaken bool `json:"allow_taken,omitempty"`
}

// Rename moves an object to a new address; the old one stays as an alias, as Exchange does it.
type Rename struct {
	Address string `json:"address,omitempty"` // empty keeps it
	Name    string `json:"name,omitempty"`    // empty keeps it
	// DropOld forgets the old address instead of keeping it as an alias.
	DropOld bool `json:"drop_old,omitempty"`
}

// Change is what a mutation answers.
type Change struct {
	ID      string    `json:"id,omitempty"` // of the object that was made or changed
	Version uint64    `json:"version"`      // the tenant's last version after the mutation
	At      time.Time `json:"at"`           // when it took effect
	Count   int       `json:"count"`        // how many objects or links it changed; 0 when it was so already
}

// Member is one member of a group, direct or through nested groups.
type Member struct {
	ID     string               `json:"id"`               // of the whole customer: the customer id
	Kind   directory.MemberKind `json:"kind"`             // user, group or customer
	Direct bool                 `json:"direct,omitempty"` // a direct member

	// Workspace's.
	Address  string `json:"address,omitempty"`
	Role     string `json:"role,omitempty"`     // of direct members
	External bool   `json:"external,omitempty"` // of another directory, or of none
}

// Counter counts what was served under one route.
type Counter struct {
	Requests  int `json:"requests"`  // those answered by the route itself
	Items     int `json:"items"`     // objects in the answers
	Members   int `json:"members"`   // entries of members@delta in the answers
	Throttled int `json:"throttled"` // answered 429
	Failed    int `json:"failed"`    // answered by another fault or error, 4xx or 5xx
}

// Subscription is one change notification subscription; its clientState is not told.
type Subscription struct {
	ID              string    `json:"id"`
	Resource        string    `json:"resource"`
	ChangeType      string    `json:"change_type"`
	NotificationURL string    `json:"notification_url"`
	LifecycleURL    string    `json:"lifecycle_url,omitempty"`
	Expires         time.Time `json:"expires"`
}

// Delivery is one POST of notifications.
type Delivery struct {
	At            time.Time     `json:"at"`      // when the POST was begun
	Took          time.Duration `json:"took"`    // until the answer, in nanoseconds
	Tenants       []string      `json:"tenants"` // directory ids of those that it tells of
	Subscriptions []string      `json:"subscriptions"`
	Resources     []string      `json:"resources"` // of the items, e.g. Groups/<id>
	Lifecycle     bool          `json:"lifecycle,omitempty"`
	Version       uint64        `json:"version"` // the highest version that it tells of
	Attempt       int           `json:"attempt"` // from 1
	Status        int           `json:"status"`  // 0 when no answer came
	Error         string        `json:"error,omitempty"`
}

// PushMode says what happens to notifications.
type PushMode string

// The push modes.
const (
	PushOn   PushMode = "on"
	PushOff  PushMode = "off"  // lost, as in an outage of the provider's push service
	PushHold PushMode = "hold" // kept back until on again, then sent in as few requests as possible
)

// Push sets how notifications are delivered.
type Push struct {
	Mode       PushMode `json:"mode"`
	Duplicates int      `json:"duplicates,omitempty"` // every item is sent this many times more

	// Workspace's pushes only.
	Drop    float64       `json:"drop,omitempty"`    // the share, from 0 to 1, that is lost
	Delay   time.Duration `json:"delay,omitempty"`   // each waits a time of its own, up to this, and so they lose their order
	Shuffle bool          `json:"shuffle,omitempty"` // what waits is sent in any order
	Seed    uint64        `json:"seed,omitempty"`    // decides what is lost, how long each waits, in what order
	// AfterStop is how long pushes go on after a channel was stopped.
	AfterStop time.Duration `json:"after_stop,omitempty"`
	// SyncLate sends a channel's first message behind the answer to watch, rather than before it.
	SyncLate bool `json:"sync_late,omitempty"`
	// ContentTypes are those of pushes with a body, in turn; none means the malformed one that Google documents.
	ContentTypes []string `json:"content_types,omitempty"`
}

// Fault answers requests wrongly on purpose. The first fault that matches a request and has something left is used.
type Fault struct {
	Tenant string `json:"tenant,omitempty"` // id or directory id; empty matches all
	// Route is a prefix of the route, e.g. "GET /users/delta" or "GET admin/users"; empty matches every route of the
	// provider's APIs, "token" the token endpoint.
	Route      string        `json:"route,omitempty"`
	Status     int           `json:"status,omitempty"`      // e.g. 429, 503; 0 only delays
	RetryAfter int           `json:"retry_after,omitempty"` // seconds; 0 sends no such header
	Count      int           `json:"count,omitempty"`       // how many requests; 0 means until faults are cleared
	Every      int           `json:"every,omitempty"`       // only every n-th matching request; 0 means each
	Delay      time.Duration `json:"delay,omitempty"`       // before the answer, in nanoseconds
}

// Settings of the whole simulator.
type Settings struct {
	// PageSize is the number of objects, and of members, on a page. 0 means the provider's defaults: Graph's are 100 objects
	// in a list, 200 objects and 1,000 members in a delta; with Google it only makes pages smaller than was asked for.
	PageSize int `json:"page_size"`
	// AllowDuplicateSubscriptions accepts a second subscription for the same changes, as Graph is seen to do, rather
	// than answering 409 as it is documented.
	AllowDuplicateSubscriptions bool `json:"allow_duplicate_subscriptions"`
	// SubscriptionQuota is how many subscriptions an app may have in a tenant; 0 means Graph's 100.
	SubscriptionQuota int `json:"subscription_quota"`
	// DeltaLag hides changes younger than it from delta queries, as replicas do. In nanoseconds.
	DeltaLag time.Duration `json:"delta_lag"`
	// ConsentLag is how long the token endpoint goes on not to know an app after an admin has consented to it. In nanoseconds.
	ConsentLag time.Duration `json:"consent_lag,omitempty"`

	// What follows is Workspace's.

	// ActivityLag is how long it takes until the log of an application ("admin", "groups_enterprise", …) shows an
	// activity and a push tells of it; those that are not named show it at once. In nanoseconds.
	ActivityLag map[string]time.Duration `json:"activity_lag,omitempty"`
	// ActivityLagJitter is added to the lag of each activity by a share of its own: later ones may show before earlier.
	ActivityLagJitter time.Duration `json:"activity_lag_jitter,omitempty"`
	// OpaqueIDs writes ids rather than addresses into the events of groups_enterprise.
	OpaqueIDs bool `json:"opaque_ids,omitempty"`
	// ChannelLife is the longest life of a channel; 0 means Google's 6 hours. In nanoseconds.
	ChannelLife time.Duration `json:"channel_life,omitempty"`
	// QuotaPerMinute is how many requests a minute each API grants one admin and project; 0 means Google's 2,400.
	QuotaPerMinute int `json:"quota_per_minute,omitempty"`
	// FilterQuotaPerMinute is that of the Reports API's queries that filter; 0 means Google's 250.
	FilterQuotaPerMinute int `json:"filter_quota_per_minute,omitempty"`
	// MemberLag hides changes of memberships younger than it from reads of members, as replicas do. In nanoseconds.
	MemberLag time.Duration `json:"member_lag,omitempty"`
}
