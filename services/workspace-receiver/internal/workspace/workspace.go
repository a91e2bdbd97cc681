// Package workspace reads a customer's Google Workspace through the Directory and Reports APIs: it fills the ports of
// services/internal/receiver. Of all that is not a test, it alone imports their SDKs.
//
// What it takes from the SDK: every request with its path, parameters and body, and how it is sent. Answers go past the
// SDK's structs to package wire: those structs refuse a whole page for one odd value, and a number wherever the documents
// show one in a string (the expiration of a channel, for one). The SDK does not retry, so that one call is one request and
// what throttles us is seen.
//
// Google has no feed of groups or members. It has journals: activities of the applications "admin" and
// "groups_enterprise", which say what was changed, late and perhaps not at all. So a feed of users or groups is a list
// of everything, and from then on pages of a journal, which name what must be read.
package workspace

import (
	"fmt"
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// PublicAPI is where both APIs are reached.
const PublicAPI = "https://admin.googleapis.com"

// perMinute is how many requests a minute Google grants one admin of one project, for each of the two APIs. We count them
// together, which leaves the customer's other tools some room.
const perMinute = 2400

// Config holds what is the same for all tenants. Zero values are usable.
type Config struct {
	API     string        // base address for tenants that name none; PublicAPI when empty
	Timeout time.Duration // of one request with its token; 60 s when 0 (a list of members may take as long)
}

// Deps are what a Provider works with.
type Deps = remote.Deps

// Provider is Google Workspace as a directory provider. It may be used by several goroutines.
type Provider struct {
	cfg   Config
	deps  Deps
	pools remote.Pools
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
	if _, err := remote.Base(cfg.API); err != nil {
		return nil, fmt.Errorf("workspace API: %w", err)
	}
	return &Provider{cfg: cfg, deps: deps.Filled()}, nil
}

// Name implements receiver.Provider.
func (p *Provider) Name() directory.Provider { return directory.GoogleWorkspace }

// Traits implements receiver.Provider.
func (p *Provider) Traits() receiver.Traits {
	return receiver.Traits{Journals: true, MaxFeedGroups: 1, PerMinute: perMinute, NamesChannels: true, OpensChannels: true}
}

// Handshake implements receiver.Provider: Google asks for no proof of an address but its certificate.
func (p *Provider) Handshake(http.ResponseWriter, *http.Request) bool { return false }

// Connect implements receiver.Provider. An error means that the tenant's endpoints, CA file or kind of credential cannot
// be used; whether its credential is good shows with the first request.
func (p *Provider) Connect(t tenant.Tenant) (receiver.Directory, error) {
	c, err := p.client(t, scopes)
	if err != nil {
		return nil, fmt.Errorf("connect tenant %s: %w", t.ID, err)
	}
	return newDirectory(c, t.DirectoryID, p.deps.Clock, p.deps.Logger.With("tenant", t.ID)), nil
}

// Close ends idle connections. Directories go on working.
func (p *Provider) Close() { p.pools.Close() }
