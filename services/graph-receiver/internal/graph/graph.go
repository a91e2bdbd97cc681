// Package graph reads a customer's Entra ID through Microsoft Graph: it fills the ports of services/internal/receiver.
// It is the only package that imports msgraph-sdk-go, whose models alone take minutes to compile.
//
// What it takes from the SDK: the request adapter with its authentication, the subscriptions builder and its models.
// Delta pages and single objects go through the same adapter as bytes, and package wire reads them: the SDK's models
// lose a whole page for one odd value, and its users and groups packages are larger than all the rest.
package graph

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph/wire"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// PublicAPI is where Graph is reached in the public cloud.
const PublicAPI = "https://graph.microsoft.com/v1.0"

// Config holds what is the same for all tenants. Zero values are usable.
type Config struct {
	API     string        // base address for tenants that name none; PublicAPI when empty
	Timeout time.Duration // of one request with its token; 60 s when 0 (a new subscription waits for its handshake)
}

// Deps are what a Provider works with.
type Deps = remote.Deps

// Provider is Entra ID as a directory provider. It may be used by several goroutines.
type Provider struct {
	cfg  Config
	deps Deps

	pools remote.Pools
}

var _ receiver.Provider = (*Provider)(nil)

// New returns the provider. It sends nothing.
func New(cfg Config, deps Deps) (*Provider, error) {
	cfg.API, cfg.Timeout = cmp.Or(cfg.API, PublicAPI), cmp.Or(cfg.Timeout, time.Minute)
	if _, err := parseAPI(cfg.API); err != nil {
		return nil, err
	}
	return &Provider{cfg: cfg, deps: deps.Filled()}, nil
}

// Name implements receiver.Provider.
func (p *Provider) Name() directory.Provider { return directory.Entra }

// What Graph grants in a minute. It counts in units: 3,500 in ten seconds to an application in a directory of fewer than 50
// users, and more in larger ones; 150,000 in twenty seconds to an application in all directories together. A request of ours
// costs three at most. Graph may say 429 below that, and is then waited for.
//
// Source: learn.microsoft.com/graph/throttling-limits, "Identity and access service limits".
const (
	unitsPerRequest = 3
	perMinute       = 6 * 3_500 / unitsPerRequest
	perMinuteApp    = 3 * 150_000 / unitsPerRequest
)

// Traits implements receiver.Provider.
func (p *Provider) Traits() receiver.Traits {
	return receiver.Traits{MemberFeeds: true, MaxFeedGroups: groupsPerQuery, PerMinute: perMinute, PerMinuteApp: perMinuteApp}
}

// Parse implements receiver.Provider.
func (p *Provider) Parse(_ http.Header, body []byte) ([]receiver.Notification, error) {
	items, err := wire.Notifications(body)
	if err != nil {
		return nil, err
	}
	list := make([]receiver.Notification, len(items))
	for i, n := range items {
		list[i] = receiver.Notification{
			DirectoryID: n.TenantID, ChannelID: n.SubscriptionID, Secret: n.ClientState, Resource: receiver.Resource(n.Resource),
			ID: n.ID, Change: n.ChangeType, News: news[n.LifecycleEvent], Fault: n.Fault,
		}
	}
	return list, nil
}

// news are Graph's lifecycle events. Source: learn.microsoft.com/graph/change-notifications-lifecycle-events.
var news = map[string]receiver.News{
	"reauthorizationRequired": receiver.ChannelExpires, "subscriptionRemoved": receiver.ChannelRemoved, "missed": receiver.PushesMissed,
}

// Connect implements receiver.Provider. An error means that the tenant's endpoints, CA file or kind of credential cannot
// be used; whether its secret is good shows with the first request.
func (p *Provider) Connect(t tenant.Tenant) (receiver.Directory, error) {
	api := p.cfg.API
	if t.Endpoints.API != "" {
		api = t.Endpoints.API
	}
	base, err := parseAPI(api)
	if err != nil {
		return nil, fmt.Errorf("connect tenant %s: %w", t.ID, err)
	}
	c, err := p.client(t, base)
	if err != nil {
		return nil, fmt.Errorf("connect tenant %s: %w", t.ID, err)
	}
	return &Directory{client: c, logger: p.deps.Logger.With("tenant", t.ID)}, nil
}

// Close ends idle connections. Directories go on working.
func (p *Provider) Close() { p.pools.Close() }

func parseAPI(raw string) (*url.URL, error) {
	u, err := remote.Base(raw)
	if err != nil {
		return nil, errors.New("graph API: want an https address such as " + PublicAPI)
	}
	return u, nil
}
