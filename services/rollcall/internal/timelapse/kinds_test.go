package timelapse

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

// TestKindsOfMembersAndChanges: whatever a Workspace directory can hold and an admin can do, those are licensed who should
// be. Each story begins with five users, of whom the first three are in the provisioning group.
func TestKindsOfMembersAndChanges(t *testing.T) {
	for _, story := range []struct {
		name   string
		tell   func(c *customer)
		within time.Duration
		want   func(users []string) []string // who is licensed at its end
	}{
		{"the whole customer is a member", wholeCustomer, 0, func(u []string) []string { return append(u, later) }},
		{"the whole customer was a member", wholeCustomerLeaves, 0, func(u []string) []string { return u[:3] }},
		{"outsiders are members", outsiders, 0, func(u []string) []string { return u[1:4] }},
		{"a group is a member", nested, 0, func(u []string) []string { return u[1:4] }},
		{"members have roles", roles, 0, func(u []string) []string { return u[:4] }},
		{"a member was deleted", deleted, 0, func(u []string) []string { return u[1:3] }},
		{"a member was deleted and undeleted", undeleted, 0, func(u []string) []string { return u[:3] }},
		{"members are suspended and archived", suspended, 0, func(u []string) []string { return u[2:3] }},
		{"and come back", unsuspended, 0, func(u []string) []string { return u[:3] }},
		{"a member is renamed and another has the old address", renamed, 0, func(u []string) []string { return u[:3] }},
		{"members are uploaded in a file", uploaded, 0, func(u []string) []string { return u[1:5] }},
		{"the group is renamed away", renamedAway, 20 * time.Minute, func(u []string) []string { return u }},
		{"another group gets the address", addressMoves, 20 * time.Minute, func(u []string) []string { return u[3:5] }},
		{"the group is deleted", groupDeleted, 20 * time.Minute, func(u []string) []string { return u }},
	} {
		t.Run(story.name, func(t *testing.T) {
			w := open(t, plan{})
			c := w.found("initech")
			c.hire(5)
			c.gather(c.users[:3]...)
			c.connect(3)
			story.tell(c)
			want := slices.Sorted(slices.Values(story.want(slices.Clone(c.users))))
			c.pass(max(story.within, time.Minute))
			if diff := cmp.Diff(want, c.licensedUsers()); diff != "" {
				t.Errorf("licensed (-want +got):\n%s", diff)
			}
			c.verify()
		})
	}
}

// later is the id of a user who is made within a story.
const later = "100000000000000000042"

// licensedUsers are the ids of those whom the events give a license, without the admin whom each directory has.
func (c *customer) licensedUsers() []string {
	c.tb.Helper()
	licensed := c.heard.licensed()
	for _, u := range c.everyone() {
		if u.Address == workspacetest.Admin(c.domain) {
			delete(licensed, u.ID)
		}
	}
	return slices.Sorted(maps.Keys(licensed))
}

func (c *customer) addLater(address string) {
	c.tb.Helper()
	c.act(c.control.AddUser(c.tb.Context(), c.id, control.NewUser{ID: later, Address: address}))
}

func (c *customer) join(members ...string) {
	c.tb.Helper()
	c.act(c.control.AddMembers(c.tb.Context(), c.id, c.group, members...))
}

func (c *customer) leave(members ...string) {
	c.tb.Helper()
	c.act(c.control.RemoveMembers(c.tb.Context(), c.id, c.group, members...))
}

func wholeCustomer(c *customer) {
	c.join(control.WholeCustomer)
	c.pass(time.Minute)
	c.addLater("later@" + c.domain)
}

func wholeCustomerLeaves(c *customer) {
	wholeCustomer(c)
	c.pass(time.Minute)
	c.leave(control.WholeCustomer)
}

func outsiders(c *customer) {
	c.join("somebody@elsewhere.org")
	c.act(c.control.AddMember(c.tb.Context(), c.id, c.group, control.NewMember{Member: "everybody@elsewhere.org", Kind: directory.GroupMember}))
	c.pass(time.Minute)
	c.join(c.users[3])
	c.leave(c.users[0])
}

func nested(c *customer) {
	team := c.act(c.control.AddGroup(c.tb.Context(), c.id, control.NewGroup{Address: "team@" + c.domain})).ID
	c.act(c.control.AddMembers(c.tb.Context(), c.id, team, c.users[1], c.users[2]))
	c.join(team)
	c.pass(time.Minute)
	c.join(c.users[3])
	c.leave(c.users[0])
}

func roles(c *customer) {
	c.act(c.control.AddMember(c.tb.Context(), c.id, c.group, control.NewMember{Member: c.users[3], Role: control.RoleOwner}))
	c.act(c.control.SetRole(c.tb.Context(), c.id, c.group, c.users[0], control.RoleManager))
	c.pass(time.Minute)
	c.act(c.control.SetRole(c.tb.Context(), c.id, c.group, c.users[0], control.RoleMember))
}

func deleted(c *customer) { c.act(c.control.RemoveUser(c.tb.Context(), c.id, c.users[0])) }

func undeleted(c *customer) {
	deleted(c)
	c.pass(30 * time.Minute)
	c.act(c.control.RestoreUser(c.tb.Context(), c.id, c.users[0]))
}

func suspended(c *customer) {
	c.act(c.control.Suspend(c.tb.Context(), c.id, c.users[0]))
	c.act(c.control.Archive(c.tb.Context(), c.id, c.users[1]))
}

func unsuspended(c *customer) {
	suspended(c)
	c.pass(time.Minute)
	c.act(c.control.Unsuspend(c.tb.Context(), c.id, c.users[0]))
	c.act(c.control.Unarchive(c.tb.Context(), c.id, c.users[1]))
}

func renamed(c *customer) {
	var old string
	for _, u := range c.everyone() {
		if u.ID == c.users[0] {
			old = u.Address
		}
	}
	c.act(c.control.RenameUser(c.tb.Context(), c.id, c.users[0], control.Rename{Address: "renamed@" + c.domain, DropOld: true}))
	c.addLater(old)
}

func uploaded(c *customer) {
	by := c.control.Via(control.ViaBulkUpload)
	c.act(by.AddMembers(c.tb.Context(), c.id, c.group, c.users[3], c.users[4]))
	c.act(by.RemoveMembers(c.tb.Context(), c.id, c.group, c.users[0]))
}

func renamedAway(c *customer) {
	c.act(c.control.RenameGroup(c.tb.Context(), c.id, c.group, control.Rename{Address: "seats@" + c.domain, DropOld: true}))
}

func addressMoves(c *customer) {
	team := c.act(c.control.AddGroup(c.tb.Context(), c.id, control.NewGroup{Address: "team@" + c.domain})).ID
	c.act(c.control.AddMembers(c.tb.Context(), c.id, team, c.users[3], c.users[4]))
	renamedAway(c)
	c.act(c.control.AddGroupAlias(c.tb.Context(), c.id, team, c.address()))
}

func groupDeleted(c *customer) { c.act(c.control.RemoveGroup(c.tb.Context(), c.id, c.group)) }
