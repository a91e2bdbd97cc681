// Package receiver is the seam between what is the same for every directory provider and what is each one's own. A
// provider is one package that fills the ports declared here; the packages below do the rest with it: intake takes its
// pushes in, channel keeps them coming, lane reads a tenant's directory, engine puts them together.
package receiver

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Provider is what a directory provider fills: how its pushes look, and how one of its tenants is read.
type Provider interface {
	Name() directory.Provider
	Traits() Traits
	// Handshake answers a provider's proof-of-address request and reports whether r was one.
	Handshake(w http.ResponseWriter, r *http.Request) bool
	// Parse reads the items of one push. An item that is broken comes back with its Fault set, so that the others
	// still count; an error means that the push as a whole cannot be read.
	Parse(header http.Header, body []byte) ([]Notification, error)
	// Connect opens one tenant's directory with its own credential. It sends nothing yet.
	Connect(t tenant.Tenant) (Directory, error)
	// Verify finds out what keeps a tenant from being read, and what can never be read of it. It sends requests of its
	// own. An error means that the tenant's record is of no use.
	Verify(ctx context.Context, t tenant.Tenant) ([]Finding, error)
	// CredentialEnd looks when a tenant's credential ends, without a request. An error means that it cannot be read.
	CredentialEnd(t tenant.Tenant) (CredentialEnd, error)
}

// Traits say how all directories of a provider can be followed. They never change.
type Traits struct {
	// MemberFeeds: Changes of a MembersFeed go on from a cursor and show who joined and who left. Without them the engine
	// lists the members of watched groups again and again, and compares.
	MemberFeeds bool
	// Journals: Changes only name what has changed (Page.Stale), late and perhaps not at all. What a push names is then
	// read by itself, and the addresses of provisioning groups are looked up with each poll.
	Journals bool
	// MaxFeedGroups is how many groups one feed of members can be of.
	MaxFeedGroups int
	// PerMinute is how many requests a minute the provider grants one directory; 0: it does not say.
	PerMinute int
	// PerMinuteApp is how many it grants one application, in all directories that this one reads; 0: it does not say.
	PerMinuteApp int
	// NamesChannels: channels have the names that we give them (NewChannel.Name), and pushes say them. A push that says
	// another name than its secret proves is refused.
	NamesChannels bool
	// OpensChannels: a first message comes on each new channel by itself (ChannelOpened), about when it is made.
	OpensChannels bool
}

// Notification is one item of a push, not trusted until its Secret is proved.
type Notification struct {
	DirectoryID string // the provider's id of the tenant that it claims to be of; "" where pushes do not say
	ChannelID   string // the provider's id of the channel that it came through
	ResourceID  string // the provider's id of what that channel watches; "" where pushes do not say
	Secret      string // what we gave when the channel was made
	Resource    Resource
	ID          string // of the resource. Never an address: it is stored
	Change      string // the provider's word
	News        News   // of the channel itself
	Fault       error  // why the item cannot be used
}

// Resource says what a notification is about.
type Resource string

// The resources. Activity is an entry of a provider's journal, which a page answers by showing it (Page.Shown).
const (
	UserResource     Resource = "user"
	GroupResource    Resource = "group"
	ActivityResource Resource = "activity"
)

// News is what a provider tells of a channel itself.
type News string

// The news. ChannelOpened is a provider's first message on a new channel, and tells of no change.
const (
	ChannelOpened  News = "opened"
	ChannelExpires News = "expires" // it should be renewed now
	ChannelRemoved News = "removed" // the provider has ended it
	PushesMissed   News = "missed"  // pushes were lost
)

// Directory reads one tenant's directory. Every method is one request to the provider, so that a stamp taken before the
// call orders what it shows. The engine calls one at a time for each tenant.
//
// Keys of users, groups and members are ids or, where a Ref had one, addresses. An answer about a key that the provider
// does not know has an ID only where the key was one.
type Directory interface {
	// Changes reads one page of what has changed behind a cursor; an empty cursor begins with everything there is.
	// Feeds are independent of each other. Without Traits.MemberFeeds it is never asked for members.
	Changes(ctx context.Context, feed Feed, cursor string) (Page, error)
	// User reads one user; a user that the provider says does not exist comes back as Deleted.
	User(ctx context.Context, key string) (directory.User, error)
	// Group reads one group; a group that the provider says does not exist comes back as Deleted. ErrForeign for one of
	// another directory.
	Group(ctx context.Context, key string) (directory.Group, error)
	// GroupsAt finds the groups that have the address, as their own or as an alias.
	GroupsAt(ctx context.Context, address string) ([]directory.Group, error)
	// Members reads one page of a group's direct members, the live truth rather than a feed. More is false on the last.
	// ErrNoGroup when the provider says that there is no such group, ErrForeign for one of another directory.
	Members(ctx context.Context, groupID, cursor string) (Page, error)
	// Member reads one direct membership; one that the provider says does not exist comes back as not Present. ErrNoGroup
	// as for Members; errors.ErrUnsupported where only the whole list can tell.
	Member(ctx context.Context, groupID, member string) (directory.Membership, error)

	Channels
}

// Feed is one sequence of changes: all users, all groups, or the direct members of up to Traits.MaxFeedGroups groups.
type Feed struct {
	Kind   FeedKind
	Groups []string // for MembersFeed, sorted
}

// FeedKind says what a feed is of.
type FeedKind string

// The kinds of feeds.
const (
	UsersFeed   FeedKind = "users"
	GroupsFeed  FeedKind = "groups"
	MembersFeed FeedKind = "members"
)

// Page is what one request showed.
type Page struct {
	Observations []directory.Observation
	// Unclear are memberships that the page showed both as added and as removed: read the group's members to know.
	Unclear []directory.Membership
	// SetAside are ids of objects that could not be understood. The rest of the page stands.
	SetAside []string
	// Stale is what the page says has changed without showing what it is now: read it.
	Stale []Ref
	// Shown are the ids of activities (Notification.ID) that the page held.
	Shown []string
	// Anew: the page says that much has changed, and not what. Everything must be read again.
	Anew   bool
	Cursor string // where to go on: at once while More, at the next round otherwise
	More   bool
}

// Ref names something that must be read to know what is true of it now. Keys are ids or addresses.
type Ref struct {
	Kind   RefKind
	User   string // of RefUser
	Group  string // of RefGroup, RefMembers and RefMembership; "" in RefMembers: every watched group
	Member string // of RefMembership
}

// RefKind says what a Ref names.
type RefKind string

// The kinds of refs.
const (
	RefUser       RefKind = "user"
	RefGroup      RefKind = "group"
	RefMembers    RefKind = "members"    // all members of a group
	RefMembership RefKind = "membership" // one of them
)

// ErrCursorExpired says that a cursor is no longer honoured: read everything again, beside what stands.
var ErrCursorExpired = errors.New("the provider no longer honours the cursor")

// ErrNoGroup says that the provider does not know the group whose members were asked for.
var ErrNoGroup = errors.New("the provider knows no such group")

// ErrForeign says that a group is of another directory, whose members this one's provider shows to nobody here.
var ErrForeign = errors.New("the group is of another directory")

// ErrThrottled carries how long the provider wants to be left alone.
type ErrThrottled struct{ After time.Duration }

func (e ErrThrottled) Error() string { return "the provider throttles: wait " + e.After.String() }
