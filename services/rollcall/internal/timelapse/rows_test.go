package timelapse

import (
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// row is a row of Google's tables of events that changes who is licensed: what an admin, a member or Google does, and
// whose license comes or goes with it.
type row struct {
	log, event string
	open       bool              // there is no provisioning group: everyone is licensed
	before     func(c *customer) // what it takes for the event to be possible
	act        func(c *customer)
	who        func(c *customer) string
	licensed   bool
	// unread says that no journal tells of it: only the push of the user does.
	unread bool
}

// rows are all of them. A group holds the first two users unless the row is of everyone.
func rows() []row {
	var all []row
	all = append(all, userRows()...)
	all = append(all, groupRows()...)
	all = append(all, memberRows()...)
	return append(all, loginRows()...)
}

func user(n int) func(*customer) string { return func(c *customer) string { return c.users[n] } }

func theLater(*customer) string { return later }

func suspend(c *customer)   { c.act(c.control.Suspend(c.tb.Context(), c.id, c.users[0])) }
func unsuspend(c *customer) { c.act(c.control.Unsuspend(c.tb.Context(), c.id, c.users[0])) }
func archive(c *customer)   { c.act(c.control.Archive(c.tb.Context(), c.id, c.users[0])) }
func unarchive(c *customer) { c.act(c.control.Unarchive(c.tb.Context(), c.id, c.users[0])) }
func remove(c *customer)    { c.act(c.control.RemoveUser(c.tb.Context(), c.id, c.users[0])) }
func restore(c *customer)   { c.act(c.control.RestoreUser(c.tb.Context(), c.id, c.users[0])) }
func create(c *customer)    { c.addLater("later@" + c.domain) }

func userRows() []row {
	upload := func(c *customer) {
		c.act(c.control.Via(control.ViaBulkUpload).AddUser(c.tb.Context(), c.id, control.NewUser{ID: later, Address: "later@" + c.domain}))
	}
	return []row{
		{log: "admin", event: "CREATE_USER", open: true, act: create, who: theLater, licensed: true},
		{log: "admin", event: "DELETE_USER", act: remove, who: user(0)},
		{log: "admin", event: "UNDELETE_USER", before: remove, act: restore, who: user(0), licensed: true},
		{log: "admin", event: "SUSPEND_USER", act: suspend, who: user(0)},
		{log: "admin", event: "UNSUSPEND_USER", before: suspend, act: unsuspend, who: user(0), licensed: true},
		{log: "admin", event: "ARCHIVE_USER", act: archive, who: user(0)},
		{log: "admin", event: "UNARCHIVE_USER", before: archive, act: unarchive, who: user(0), licensed: true},
		{log: "admin", event: "USERS_BULK_UPLOAD", open: true, act: upload, who: theLater, licensed: true},
	}
}

// by is the same act, done in another way.
func by(via control.Via, act func(c *customer)) func(c *customer) {
	return func(c *customer) {
		other := *c.world
		other.control = c.control.Via(via)
		same := *c
		same.world = &other
		act(&same)
		c.group = same.group
	}
}

func makeGroup(c *customer) { c.gather(c.users[0]); c.rest() }
func makeEmptyGroup(c *customer) {
	c.group = c.act(c.control.AddGroup(c.tb.Context(), c.id, control.NewGroup{Address: "seats@" + c.domain})).ID
	c.join(c.users[0])
}

func nameGroup(c *customer) {
	c.act(c.control.RenameGroup(c.tb.Context(), c.id, c.group, control.Rename{Address: c.address()}))
}

func aliasGroup(c *customer) {
	c.act(c.control.AddGroupAlias(c.tb.Context(), c.id, c.group, c.address()))
}

func unaliasGroup(c *customer) {
	c.act(c.control.RemoveGroupAlias(c.tb.Context(), c.id, c.group, c.address()))
}

func keepAsAlias(c *customer) {
	c.act(c.control.RenameGroup(c.tb.Context(), c.id, c.group, control.Rename{Address: "seats@" + c.domain}))
}

// groupRows are of the provisioning group itself. With it the last user loses the license, without it all have one.
func groupRows() []row {
	const identity = control.ViaCloudIdentity // of which only groups_enterprise tells
	return []row{
		{log: "admin", event: "CREATE_GROUP", open: true, act: makeGroup, who: user(4)},
		{log: "admin", event: "DELETE_GROUP", act: groupDeleted, who: user(4), licensed: true},
		{log: "admin", event: "CHANGE_GROUP_EMAIL", act: renamedAway, who: user(4), licensed: true},
		{log: "admin", event: "CHANGE_GROUP_EMAIL", open: true, before: makeEmptyGroup, act: nameGroup, who: user(4)},
		{log: "groups_enterprise", event: "create_group", open: true, act: by(identity, makeGroup), who: user(4)},
		{log: "groups_enterprise", event: "delete_group", act: by(identity, groupDeleted), who: user(4), licensed: true},
		{log: "groups_enterprise", event: "change_info_setting", act: by(identity, renamedAway), who: user(4), licensed: true},
		{log: "groups_enterprise", event: "add_info_setting", open: true, before: makeEmptyGroup, act: by(identity, aliasGroup), who: user(4)},
		{log: "groups_enterprise", event: "remove_info_setting", before: keepAsAlias, act: by(identity, unaliasGroup), who: user(4), licensed: true},
	}
}

func comes(c *customer) { c.join(c.users[2]) }
func goes(c *customer)  { c.leave(c.users[0]) }

// memberRows are of memberships, by each way in which they change.
func memberRows() []row {
	joins := func(log, event string, via control.Via) row {
		return row{log: log, event: event, act: by(via, comes), who: user(2), licensed: true}
	}
	leaves := func(log, event string, via control.Via) row {
		return row{log: log, event: event, act: by(via, goes), who: user(0)}
	}
	const (
		admin, enterprise, ui             = "admin", "groups_enterprise", "groups"
		join, accept, approve control.Via = "groups-ui-join", "groups-ui-accept", "groups-ui-approve"
		ban, leave, dynamic   control.Via = "groups-ui-ban", "groups-ui-leave", "dynamic"
	)
	return []row{
		joins(admin, "ADD_GROUP_MEMBER", control.ViaConsole),
		joins(admin, "ADD_GROUP_MEMBER", control.ViaAPI),
		leaves(admin, "REMOVE_GROUP_MEMBER", control.ViaConsole),
		leaves(admin, "REMOVE_GROUP_MEMBER", control.ViaAPI),
		joins(admin, "GROUP_MEMBER_BULK_UPLOAD", control.ViaBulkUpload),
		leaves(admin, "GROUP_MEMBER_BULK_UPLOAD", control.ViaBulkUpload),
		joins(enterprise, "add_member", control.ViaCloudIdentity),
		leaves(enterprise, "remove_member", control.ViaCloudIdentity),
		joins(enterprise, "add_member", dynamic),
		leaves(enterprise, "remove_member", dynamic),
		leaves(enterprise, "remove_member", leave), // no event is listed for a member who leaves
		joins(enterprise, "approve_join_request", approve),
		joins(enterprise, "join", join),
		joins(enterprise, "accept_invitation", accept),
		leaves(enterprise, "ban_member_with_moderation", ban),
		joins(ui, "add_user", control.ViaGroupsUI),
		leaves(ui, "remove_user", control.ViaGroupsUI),
		joins(ui, "approve_join_request", approve),
		joins(ui, "join", join),
		joins(ui, "accept_invitation", accept),
		leaves(ui, "ban_user_with_moderation", ban),
		leaves(ui, "unsubscribe_via_mail", leave),
	}
}

// loginRows are suspensions by Google itself, in a log that is not read: the push of the user tells of them.
func loginRows() []row {
	return []row{
		{log: "login", event: "account_disabled_generic", act: by(control.ViaGoogle, suspend), who: user(0), unread: true},
		{log: "login", event: "account_disabled_hijacked", act: by("google-hijacked", suspend), who: user(0), unread: true},
	}
}
