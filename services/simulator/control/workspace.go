package control

import (
	"context"
	"net/http"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Scopes are what Rollcall asks a Workspace customer's admin to delegate, and what a tenant has unless told otherwise.
const (
	ScopeReports = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
	ScopeUsers   = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	ScopeGroups  = "https://www.googleapis.com/auth/admin.directory.group.readonly"
)

// DefaultScopes is the least that Rollcall asks for.
func DefaultScopes() []string { return []string{ScopeReports, ScopeUsers, ScopeGroups} }

// The privileges of an admin that the simulator knows, by Google's names for them.
const (
	PrivilegeUsers   = "USERS_RETRIEVE"
	PrivilegeGroups  = "GROUPS_RETRIEVE"
	PrivilegeReports = "REPORTS_ACCESS"
)

// Admin is an administrator of a Workspace customer. The service account can be made to act as one.
type Admin struct {
	Address string `json:"address"`
	// Privileges are what the admin may do. Nil means all: a super admin.
	Privileges []string `json:"privileges,omitempty"`
}

// Via says how a change to a Workspace directory is made: it decides which logs tell of it, and in which words.
type Via string

// The ways.
const (
	ViaConsole       Via = ""                // the Admin console
	ViaAPI           Via = "api"             // the Admin SDK Directory API
	ViaCloudIdentity Via = "cloud-identity"  // the Cloud Identity API, or the Cloud console
	ViaGroupsUI      Via = "groups-ui"       // by a group's owner at groups.google.com
	ViaBulkUpload    Via = "bulk-upload"     // a file in the Admin console: one activity that names neither users nor group
	ViaGoogle        Via = "google"          // Google itself, e.g. a suspension for abuse
	ViaHijacked      Via = "google-hijacked" // the same, because the account was taken over
	ViaDynamic       Via = "dynamic"         // Google, which has evaluated a dynamic group's query again
	ViaExpiry        Via = "expiry"          // a membership has reached its end: no log tells of it

	// What members and owners do in the Groups UI.
	ViaJoin    Via = "groups-ui-join"    // by the member
	ViaAccept  Via = "groups-ui-accept"  // by the member
	ViaLeave   Via = "groups-ui-leave"   // by the member
	ViaApprove Via = "groups-ui-approve" // by an owner
	ViaBan     Via = "groups-ui-ban"     // by an owner
)

// Via returns a client of the same simulator whose changes are made that way: c.Via(ViaAPI).AddMembers(…).
func (c *Client) Via(how Via) *Client {
	other := *c
	other.via = how
	return &other
}

// WholeCustomer names, among members, every user of the customer: Google's member type CUSTOMER.
const WholeCustomer = "customer"

// The roles of members of a Workspace group.
const (
	RoleOwner   = "OWNER"
	RoleManager = "MANAGER"
	RoleMember  = "MEMBER"
)

// NewMember is one member with all that can be said of it.
type NewMember struct {
	// Member is an id or an address, or WholeCustomer. An address on a domain that is not the tenant's is an external one.
	Member string `json:"member"`
	Role   string `json:"role,omitempty"` // empty means RoleMember
	// Kind is what an external member is: user, which is meant when it is empty, or group.
	Kind directory.MemberKind `json:"kind,omitempty"`
}

// AddMember links one member to a group of a Workspace tenant.
func (c *Client) AddMember(ctx context.Context, tenant, group string, m NewMember) (Change, error) {
	return c.change(ctx, http.MethodPost, path("tenants", tenant, "groups", group, "members", "new"), m)
}

// SetRole changes the role of a member of a Workspace tenant's group.
func (c *Client) SetRole(ctx context.Context, tenant, group, member, role string) (Change, error) {
	return c.change(ctx, http.MethodPut, path("tenants", tenant, "groups", group, "members", member, "role"), role)
}

// SetScopes replaces what is delegated to the tenant's service account, at once also for tokens that are out.
func (c *Client) SetScopes(ctx context.Context, tenant string, scopes []string) error {
	if scopes == nil {
		scopes = []string{}
	}
	return c.do(ctx, http.MethodPut, path("tenants", tenant, "scopes"), scopes, nil)
}

// SetAdmins replaces the tenant's admins and their privileges, at once also for tokens that are out. An address that
// nobody has gets a user, as with PutTenant.
func (c *Client) SetAdmins(ctx context.Context, tenant string, admins []Admin) error {
	if admins == nil {
		admins = []Admin{}
	}
	return c.do(ctx, http.MethodPut, path("tenants", tenant, "admins"), admins, nil)
}

// Archive archives a user of a Workspace tenant.
func (c *Client) Archive(ctx context.Context, tenant, user string) (Change, error) {
	return c.userAct(ctx, tenant, user, "archive")
}

// Unarchive brings an archived user back.
func (c *Client) Unarchive(ctx context.Context, tenant, user string) (Change, error) {
	return c.userAct(ctx, tenant, user, "unarchive")
}
