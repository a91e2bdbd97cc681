package control

import (
	"context"
	"net/http"
)

// AddGroup makes one group.
func (c *Client) AddGroup(ctx context.Context, tenant string, g NewGroup) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups"), g)
}

// Groups lists every group, also soft-deleted ones.
func (c *Client) Groups(ctx context.Context, tenant string) ([]Group, error) {
	var out []Group
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "groups"), nil, &out)
	return out, err
}

// Group reads one group by id or by any of its addresses. Two live groups at the address are an error.
func (c *Client) Group(ctx context.Context, tenant, group string) (Group, error) {
	var out Group
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "groups", group), nil, &out)
	return out, err
}

// RemoveGroup deletes a group: Microsoft 365 and security groups can be restored, mail-enabled ones and Workspace's are
// gone for good.
func (c *Client) RemoveGroup(ctx context.Context, tenant, group string) (Change, error) {
	return c.change(ctx, http.MethodDelete, path("tenants", tenant, "groups", group), nil)
}

// RestoreGroup brings a soft-deleted group back with its members. It must be named by id.
func (c *Client) RestoreGroup(ctx context.Context, tenant, group string) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups", group, "restore"), nil)
}

// PurgeGroup deletes a group for good.
func (c *Client) PurgeGroup(ctx context.Context, tenant, group string) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups", group, "purge"), nil)
}

// RenameGroup changes a group's address or name.
func (c *Client) RenameGroup(ctx context.Context, tenant, group string, r Rename) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups", group, "rename"), r)
}

// AddGroupAlias gives a group a further address.
func (c *Client) AddGroupAlias(ctx context.Context, tenant, group, alias string) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups", group, "aliases"), alias)
}

// RemoveGroupAlias takes one of a group's further addresses away.
func (c *Client) RemoveGroupAlias(ctx context.Context, tenant, group, alias string) (Change, error) {
	return c.change(ctx, http.MethodDelete, path("tenants", tenant, "groups", group, "aliases", alias), nil)
}

// AddMembers links users and groups to a group in one mutation, as an admin's portal or Exchange does: every kind of
// group is writable, and there is no limit of 20. Those that are members already are left alone. In a Workspace tenant an
// address on somebody else's domain is an external user, and WholeCustomer is everyone; see AddMember for the rest.
func (c *Client) AddMembers(ctx context.Context, tenant, group string, members ...string) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups", group, "members"), members)
}

// RemoveMembers ends links in one mutation. Those that are no members are left alone.
func (c *Client) RemoveMembers(ctx context.Context, tenant, group string, members ...string) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups", group, "members", "remove"), members)
}

// Members lists a group's direct members that are not deleted: users and groups, in a Workspace tenant also external
// ones and the whole customer.
func (c *Client) Members(ctx context.Context, tenant, group string) ([]Member, error) {
	var out []Member
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "groups", group, "members"), nil, &out)
	return out, err
}

// TransitiveMembers lists everyone in a group, directly or through nested groups: users and groups. Cycles are harmless.
func (c *Client) TransitiveMembers(ctx context.Context, tenant, group string) ([]Member, error) {
	var out []Member
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "groups", group, "transitive-members"), nil, &out)
	return out, err
}
