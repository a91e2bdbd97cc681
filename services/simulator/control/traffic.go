package control

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Counters tells what was served to the tenant, or to all when tenant is empty, by route: "GET /users/delta initial" (a
// page of a first round), "GET /users/delta token" (a page of changes behind a delta link), "GET /users/delta latest",
// likewise for groups, "GET /users", "GET /users/{id}", "GET /groups", "GET /groups/{id}", "GET /groups/{id}/members",
// "GET /groups/{id}/transitiveMembers", "POST /subscriptions" and so on, and "POST /token". Of a Workspace tenant: "GET
// admin/users", "GET admin/users deleted", "GET admin/users/{userKey}", "GET admin/members" and so on; the README lists them.
func (c *Client) Counters(ctx context.Context, tenant string) (map[string]Counter, error) {
	out := map[string]Counter{}
	err := c.do(ctx, http.MethodGet, path("counters")+"?tenant="+url.QueryEscape(tenant), nil, &out)
	return out, err
}

// ResetCounters sets every counter to zero, and those of Dealt.
func (c *Client) ResetCounters(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, path("counters"), nil, nil)
}

// AddFault makes the simulator misbehave; see Fault.
func (c *Client) AddFault(ctx context.Context, f Fault) error {
	return c.do(ctx, http.MethodPost, path("faults"), f, nil)
}

// ClearFaults ends all faults; plans go on.
func (c *Client) ClearFaults(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, path("faults"), nil, nil)
}

// SetPush sets how notifications are delivered.
func (c *Client) SetPush(ctx context.Context, p Push) error {
	return c.do(ctx, http.MethodPut, path("push"), p, nil)
}

// Settings reads the settings.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	var out Settings
	err := c.do(ctx, http.MethodGet, path("settings"), nil, &out)
	return out, err
}

// PutSettings replaces the settings. They last until the simulator stops.
func (c *Client) PutSettings(ctx context.Context, s Settings) error {
	return c.do(ctx, http.MethodPut, path("settings"), s, nil)
}

// Deliveries lists the POSTs of notifications, oldest first, that tell of a version above after. The last 10,000 are kept.
func (c *Client) Deliveries(ctx context.Context, tenant string, after uint64) ([]Delivery, error) {
	var out []Delivery
	q := "?after=" + strconv.FormatUint(after, 10)
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "deliveries")+q, nil, &out)
	return out, err
}

// Subscriptions lists the tenant's subscriptions that have not expired.
func (c *Client) Subscriptions(ctx context.Context, tenant string) ([]Subscription, error) {
	var out []Subscription
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "subscriptions"), nil, &out)
	return out, err
}

// DropSubscription forgets a subscription without a word to its owner.
func (c *Client) DropSubscription(ctx context.Context, tenant, id string) error {
	return c.do(ctx, http.MethodDelete, path("tenants", tenant, "subscriptions", id), nil, nil)
}

// SendLifecycle sends a lifecycle notification, e.g. reauthorizationRequired, for one subscription.
func (c *Client) SendLifecycle(ctx context.Context, tenant, subscription, event string) error {
	return c.do(ctx, http.MethodPost, path("tenants", tenant, "subscriptions", subscription, "lifecycle"), event, nil)
}
