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
	// Handshake answers a provider's proof-of-address request and reports whether r was one.
	Handshake(w http.ResponseWriter, r *http.Request) bool
	// Parse reads the items of one pushed body. An item that is broken comes back with its Fault set, so that the others
	// still count; an error means that the body as a whole cannot be read.
	Parse(body []byte) ([]Notification, error)
	// Connect opens one tenant's directory with its own credential. It sends nothing yet.
	Connect(t tenant.Tenant) (Directory, error)
}

// Notification is one item of a push, not trusted until its Secret is proved.
type Notification struct {
	DirectoryID    string // the provider's id of the tenant that it claims to be of
	SubscriptionID string
	Secret         string // what we gave when the subscription was made
	Resource       string // "user", "group" or ""
	ID             string // of the resource
	Change         string // the provider's word
	Lifecycle      string // the provider's word for news of the subscription itself, or ""
	Fault          error  // why the item cannot be used
}

// Directory reads one tenant's directory. Every method is one request to the provider, so that a stamp taken before the
// call orders what it shows. The engine calls one at a time for each tenant.
type Directory interface {
	// Changes reads one page of what has changed behind a cursor; an empty cursor begins with everything there is.
	// Feeds are independent of each other.
	Changes(ctx context.Context, feed Feed, cursor string) (Page, error)
	// User reads one user; a user that the provider says does not exist comes back as Deleted.
	User(ctx context.Context, id string) (directory.User, error)
	// Group reads one group; a group that the provider says does not exist comes back as Deleted.
	Group(ctx context.Context, id string) (directory.Group, error)
	// GroupsAt finds the groups that have the address, as their own or as an alias.
	GroupsAt(ctx context.Context, address string) ([]directory.Group, error)
	// Members reads one page of a group's direct members, the live truth rather than a feed. More is false on the last.
	Members(ctx context.Context, groupID, cursor string) (Page, error)

	Channels
}

// Feed is one sequence of changes: all users, all groups, or the direct members of up to MaxGroups groups.
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
	Cursor   string // where to go on: at once while More, at the next round otherwise
	More     bool
}

// ErrCursorExpired says that a cursor is no longer honoured: read everything again, beside what stands.
var ErrCursorExpired = errors.New("the provider no longer honours the cursor")

// ErrThrottled carries how long the provider wants to be left alone.
type ErrThrottled struct{ After time.Duration }

func (e ErrThrottled) Error() string { return "the provider throttles: wait " + e.After.String() }

// Channels keeps a tenant's push channels at the provider.
type Channels interface {
	// Resources are what needs a channel of its own, e.g. "users" and "groups".
	Resources() []string
	// CreateChannel asks the provider to push to url and to echo secret.
	CreateChannel(ctx context.Context, c NewChannel) (Channel, error)
	// RenewChannel moves the expiry; ErrChannelGone when the provider has forgotten the channel.
	RenewChannel(ctx context.Context, id string, expires time.Time) (Channel, error)
	// DeleteChannel ends a channel; one that is gone already is no error.
	DeleteChannel(ctx context.Context, id string) error
	// ListChannels returns those that the provider holds for us in this tenant.
	ListChannels(ctx context.Context) ([]Channel, error)
	// ChannelLife is how long a new or renewed channel is asked to live.
	ChannelLife() time.Duration
}

// NewChannel is what a channel is asked for with.
type NewChannel struct {
	Resource string
	URL      string // for changes
	Secret   string
	Expires  time.Time
}

// Channel is one subscription that the provider holds.
type Channel struct {
	ID       string
	Resource string
	URL      string
	Expires  time.Time // as the provider granted it
}

// ErrChannelGone says that the provider does not know the channel any more.
var ErrChannelGone = errors.New("the provider no longer knows the channel")
