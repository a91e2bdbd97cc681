// Package graph reads a customer's Entra ID through Microsoft Graph: it fills the ports of services/internal/receiver.
// It is the only package that imports msgraph-sdk-go, whose models alone take minutes to compile.
//
// What it takes from the SDK: the request adapter with its authentication, the subscriptions builder and its models.
// Delta pages and single objects go through the same adapter as bytes, and package wire reads them: the SDK's models
// lose a whole page for one odd value, and its users and groups packages are larger than all the rest.
package graph

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph/wire"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
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
type Deps struct {
	Logger *slog.Logger // discards when nil
	Clock  clock.Clock  // clock.System() when nil
	// Observe is told of every request that was sent, those for tokens too: its route is a template such as
	// "/groups/{id}/members" or "/token", never an address; status is 0 where no answer came. May be nil.
	Observe func(method, route string, status int, d time.Duration)
	// LookupEnv finds secrets that are kept in the environment; os.LookupEnv when nil.
	LookupEnv func(string) (string, bool)
}

// Provider is Entra ID as a directory provider. It may be used by several goroutines.
type Provider struct {
	cfg  Config
	deps Deps

	mu    sync.Mutex
	pools map[string]*http.Transport // by the PEM of the CA that they trust besides the system's
}

var _ receiver.Provider = (*Provider)(nil)

// New returns the provider. It sends nothing.
func New(cfg Config, deps Deps) (*Provider, error) {
	if cfg.API == "" {
		cfg.API = PublicAPI
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if _, err := parseAPI(cfg.API); err != nil {
		return nil, err
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Clock == nil {
		deps.Clock = clock.System()
	}
	if deps.Observe == nil {
		deps.Observe = func(string, string, int, time.Duration) {}
	}
	return &Provider{cfg: cfg, deps: deps, pools: map[string]*http.Transport{}}, nil
}

// Name implements receiver.Provider.
func (p *Provider) Name() directory.Provider { return directory.Entra }

// Parse implements receiver.Provider.
func (p *Provider) Parse(body []byte) ([]receiver.Notification, error) {
	items, err := wire.Notifications(body)
	if err != nil {
		return nil, err
	}
	list := make([]receiver.Notification, len(items))
	for i, n := range items {
		list[i] = receiver.Notification{
			DirectoryID: n.TenantID, SubscriptionID: n.SubscriptionID, Secret: n.ClientState, Resource: n.Resource,
			ID: n.ID, Change: n.ChangeType, Lifecycle: n.LifecycleEvent, Fault: n.Fault,
		}
	}
	return list, nil
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
func (p *Provider) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pool := range p.pools {
		pool.CloseIdleConnections()
	}
}

func parseAPI(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(raw, "/"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("graph API: want an https address such as " + PublicAPI)
	}
	return u, nil
}
