package control

import (
	"context"
	"net/http"
)

// PutTenant makes a tenant, or replaces the domains and the app of the one with that id. The answer has DirectoryID set.
// In a Workspace tenant an admin whose address nobody has gets a user: admins are users too.
func (c *Client) PutTenant(ctx context.Context, t Tenant) (Tenant, error) {
	var out Tenant
	err := c.do(ctx, http.MethodPut, path("tenants", t.ID), t, &out)
	return out, err
}

// Tenants lists the tenants, without secrets.
func (c *Client) Tenants(ctx context.Context) ([]Tenant, error) {
	var out []Tenant
	err := c.do(ctx, http.MethodGet, path("tenants"), nil, &out)
	return out, err
}

// SetPermissions replaces what the tenant's app is allowed, at once also for tokens that are out.
func (c *Client) SetPermissions(ctx context.Context, tenant string, permissions []string) error {
	if permissions == nil {
		permissions = []string{}
	}
	return c.do(ctx, http.MethodPut, path("tenants", tenant, "permissions"), permissions, nil)
}

// ExpireDeltaTokens makes the tenant answer 410 for every delta token that it has given out.
func (c *Client) ExpireDeltaTokens(ctx context.Context, tenant string) error {
	return c.do(ctx, http.MethodPost, path("tenants", tenant, "expire-delta-tokens"), nil, nil)
}

// Generate adds users to the tenant in one mutation, and then groups. In a Workspace tenant it is a bulk upload unless
// the client says another way.
func (c *Client) Generate(ctx context.Context, tenant string, g Generate) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "generate"), g)
}

// AddUser makes one user.
func (c *Client) AddUser(ctx context.Context, tenant string, u NewUser) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "users"), u)
}

// Users lists every user, also soft-deleted ones, in the order in which they were made.
func (c *Client) Users(ctx context.Context, tenant string) ([]User, error) {
	var out []User
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "users"), nil, &out)
	return out, err
}

// User reads one user, also a soft-deleted one when named by id.
func (c *Client) User(ctx context.Context, tenant, user string) (User, error) {
	var out User
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "users", user), nil, &out)
	return out, err
}

// RemoveUser soft-deletes a user: it can be restored, in a Workspace tenant for 20 days, and its memberships come back
// with it.
func (c *Client) RemoveUser(ctx context.Context, tenant, user string) (Change, error) {
	return c.change(ctx, http.MethodDelete, path("tenants", tenant, "users", user), nil)
}

// RestoreUser brings a soft-deleted user back. It must be named by id.
func (c *Client) RestoreUser(ctx context.Context, tenant, user string) (Change, error) {
	return c.userAct(ctx, tenant, user, "restore")
}

// PurgeUser deletes a user for good, whether soft-deleted before or not.
func (c *Client) PurgeUser(ctx context.Context, tenant, user string) (Change, error) {
	return c.userAct(ctx, tenant, user, "purge")
}

// Suspend sets accountEnabled to false, or Workspace's suspended to true.
func (c *Client) Suspend(ctx context.Context, tenant, user string) (Change, error) {
	return c.userAct(ctx, tenant, user, "suspend")
}

// Unsuspend undoes Suspend.
func (c *Client) Unsuspend(ctx context.Context, tenant, user string) (Change, error) {
	return c.userAct(ctx, tenant, user, "unsuspend")
}

func (c *Client) userAct(ctx context.Context, tenant, user, act string) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "users", user, act), nil)
}

// RenameUser changes a user's address or name.
func (c *Client) RenameUser(ctx context.Context, tenant, user string, r Rename) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "users", user, "rename"), r)
}

// AddUserAlias gives a user a further address.
func (c *Client) AddUserAlias(ctx context.Context, tenant, user, alias string) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "users", user, "aliases"), alias)
}

// RemoveUserAlias takes one of a user's further addresses away.
func (c *Client) RemoveUserAlias(ctx context.Context, tenant, user, alias string) (Change, error) {
	return c.change(ctx, http.MethodDelete, path("tenants", tenant, "users", user, "aliases", alias), nil)
}
