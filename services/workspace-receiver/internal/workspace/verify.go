package workspace

import (
	"context"
	"fmt"

	admin "google.golang.org/api/admin/directory/v1"
	reports "google.golang.org/api/admin/reports/v1"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Verify implements receiver.Provider: it gets a token for each scope, reads a little of everything, and looks up the
// address of each provisioning group. It sends about ten requests, and two more for each product.
func (p *Provider) Verify(ctx context.Context, t tenant.Tenant) ([]receiver.Finding, error) {
	v := &verification{provider: p, tenant: t, able: map[string]*Directory{}}
	all, err := p.verifier(t, scopes)
	if err != nil {
		return nil, fmt.Errorf("verify tenant %s: %w", t.ID, err)
	}
	v.signIn(ctx, all)
	v.readUsers(ctx)
	v.readGroups(ctx)
	v.readReports(ctx)
	for _, product := range t.Products {
		v.provisioningGroup(ctx, product)
	}
	v.found = append(v.found, blind...)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("verify tenant %s: %w", t.ID, err)
	}
	return v.found, nil
}

// verification is one look at one tenant.
type verification struct {
	provider *Provider
	tenant   tenant.Tenant
	able     map[string]*Directory // by the scope that it has a token for
	found    []receiver.Finding
}

func (p *Provider) verifier(t tenant.Tenant, scopes []string) (*Directory, error) {
	c, err := p.client(t, scopes)
	if err != nil {
		return nil, err
	}
	return newDirectory(c, t.DirectoryID, p.deps.Clock, p.deps.Logger), nil
}

func (v *verification) add(check string, state receiver.FindingState, detail, action string) {
	v.found = append(v.found, receiver.Finding{Check: check, State: state, Detail: detail, Action: action})
}

// signIn gets a token for all scopes, and where the customer does not allow that, for each by itself: Google refuses all of
// them for one that is missing and does not say which.
func (v *verification) signIn(ctx context.Context, all *Directory) {
	_, err := all.client.source.Get(ctx)
	if err == nil {
		v.add(checkSignIn, receiver.Passed, "The service account can sign in as the admin.", "")
		for _, scope := range scopes {
			v.able[scope] = all
			v.add(checkDelegation, receiver.Passed, "The scope "+scope+" is delegated.", "")
		}
		return
	}
	finding, undelegated := v.refusal(err)
	v.found = append(v.found, finding)
	for _, scope := range scopes {
		if !undelegated {
			v.add(checkDelegation, receiver.Unknown, "Whether the scope "+scope+" is delegated is not known.", "")
			continue
		}
		v.delegated(ctx, scope)
	}
}

func (v *verification) delegated(ctx context.Context, scope string) {
	d, err := v.provider.verifier(v.tenant, []string{scope})
	if err == nil {
		_, err = d.client.source.Get(ctx)
	}
	if err == nil {
		v.able[scope] = d
		v.add(checkDelegation, receiver.Passed, "The scope "+scope+" is delegated.", "")
		return
	}
	if _, undelegated := v.refusal(err); !undelegated {
		v.add(checkDelegation, receiver.Unknown, "Whether the scope "+scope+" is delegated could not be found out: "+err.Error()+".", "")
		return
	}
	v.add(checkDelegation, receiver.Failed, "The scope "+scope+" is not delegated to the service account.", v.delegate(scope))
}

// readUsers reads one user, which also tells whose directory it is.
func (v *verification) readUsers(ctx context.Context) {
	d := v.able[admin.AdminDirectoryUserReadonlyScope]
	if d == nil {
		v.add(checkUsers, receiver.Unknown, "Users could not be read without a token.", "")
		v.add(checkDirectory, receiver.Unknown, "Whose directory it is could not be read without a token.", "")
		return
	}
	id, err := d.customerID(ctx)
	v.read(checkUsers, "Users", usersPrivilege, err)
	switch {
	case err != nil || id == "":
		v.add(checkDirectory, receiver.Unknown, "Whose directory it is could not be read.", "")
	case id != v.tenant.DirectoryID:
		v.add(checkDirectory, receiver.Failed, fmt.Sprintf("The admin is of the customer %s, and the tenant says %s.", id, v.tenant.DirectoryID),
			"Connect the tenant with the directory id "+id+", or name an admin of the other customer.")
	default:
		v.add(checkDirectory, receiver.Passed, "The admin is of the customer "+id+".", "")
	}
}

func (v *verification) readGroups(ctx context.Context) {
	d := v.able[admin.AdminDirectoryGroupReadonlyScope]
	if d == nil {
		v.add(checkGroups, receiver.Unknown, "Groups could not be read without a token.", "")
		v.add(checkMembers, receiver.Unknown, "Members could not be read without a token.", "")
		return
	}
	id, err := d.oneGroup(ctx)
	v.read(checkGroups, "Groups", groupsPrivilege, err)
	if err != nil { // one thing is missing, and fails one check
		delete(v.able, admin.AdminDirectoryGroupReadonlyScope)
		v.add(checkMembers, receiver.Unknown, "Members could not be read, as groups cannot be.", "")
		return
	}
	if id == "" {
		v.add(checkMembers, receiver.Unknown, "There is no group whose members could be read.", "")
		return
	}
	_, err = d.Members(ctx, id, "")
	v.read(checkMembers, "Members of groups", groupsPrivilege, err)
}

func (v *verification) readReports(ctx context.Context) {
	d := v.able[reports.AdminReportsAuditReadonlyScope]
	if d == nil {
		v.add(checkReports, receiver.Unknown, "Activities could not be read without a token.", "")
		return
	}
	err := d.oneActivity(ctx, adminJournal)
	if err == nil {
		err = d.oneActivity(ctx, groupsJournal)
	}
	v.read(checkReports, "Activities", reportsPrivilege, err)
}

// read files how a cheap read came out.
func (v *verification) read(check, what, privilege string, err error) {
	if err == nil {
		v.add(check, receiver.Passed, what+" can be read.", "")
		return
	}
	state, action := advice(err, privilege)
	v.add(check, state, what+" cannot be read: "+err.Error()+".", action)
}

// provisioningGroup looks up what a product's address leads to. None at all is a choice: everybody is licensed then.
func (v *verification) provisioningGroup(ctx context.Context, product tenant.Product) {
	address := v.tenant.GroupAddress(product)
	d := v.able[admin.AdminDirectoryGroupReadonlyScope]
	if d == nil {
		v.add(checkProvisioning, receiver.Unknown, "The group "+address+" could not be looked up, as groups cannot be read.", "")
		return
	}
	groups, err := d.GroupsAt(ctx, address)
	switch {
	case err != nil:
		state, action := advice(err, groupsPrivilege)
		v.add(checkProvisioning, state, "The group "+address+" could not be looked up: "+err.Error()+".", action)
	case len(groups) > 0 && groups[0].Addresses[0] == address:
		v.add(checkProvisioning, receiver.Passed, "The group "+address+" is there: its members are licensed.", "")
	case len(groups) > 0:
		v.add(checkProvisioning, receiver.Passed, "The address "+address+" is an alias of the group "+groups[0].ID+": its members are licensed.", "")
	default:
		v.noGroup(ctx, address)
	}
}

// noGroup finds out whether somebody has the address instead.
func (v *verification) noGroup(ctx context.Context, address string) {
	if d := v.able[admin.AdminDirectoryUserReadonlyScope]; d != nil {
		if u, err := d.User(ctx, address); err == nil && u.ID != "" {
			v.add(checkProvisioning, receiver.Failed, "The address "+address+" is a user's, so that no group can have it.",
				"Admin console > Directory > Users: take the address from that user, then create the group.")
			return
		}
	}
	v.add(checkProvisioning, receiver.Passed, "There is no group "+address+": every active user is licensed.", "")
}
