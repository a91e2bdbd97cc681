package reports

import (
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// The types of events of the application admin.
const (
	userSettings  = "USER_SETTINGS"
	groupSettings = "GROUP_SETTINGS"
)

// adminEvents are what the application admin logs of a change: those of the Admin console and of the Directory API.
// Sources: appendix/activity/admin-group-settings and admin-user-settings.
func adminEvents(c store.Change) []event {
	switch base(c.Via) {
	case store.ViaCloudIdentity, store.ViaGroupsUI, store.ViaGoogle, ViaDynamic, ViaExpiry:
		return nil
	}
	switch c.Kind {
	case store.UserChanged, store.UserPurged:
		return userEvents(c)
	case store.GroupChanged, store.GroupPurged:
		return groupEvents(c)
	case store.MemberJoined:
		return []event{with(groupSettings, "ADD_GROUP_MEMBER", "GROUP_EMAIL", group(c), "USER_EMAIL", member(c))}
	case store.MemberLeft:
		return []event{with(groupSettings, "REMOVE_GROUP_MEMBER", "GROUP_EMAIL", group(c), "USER_EMAIL", member(c))}
	case store.MemberChanged:
		return []event{with(groupSettings, "UPDATE_GROUP_MEMBER",
			"GROUP_EMAIL", group(c), "USER_EMAIL", member(c), "OLD_VALUE", c.Before, "NEW_VALUE", c.Role)}
	default:
		return nil
	}
}

func userEvents(c store.Change) []event {
	var out []event
	now, before := strings.ToLower(c.Address), strings.ToLower(c.Before)
	if c.Acts.Has(store.Renamed) {
		out = append(out, with(userSettings, "RENAME_USER", "USER_EMAIL", before, "NEW_VALUE", now))
	}
	for _, told := range []struct {
		act  store.Acts
		name string
	}{
		{store.Created, "CREATE_USER"},
		{store.Deleted, "DELETE_USER"},
		{store.Restored, "UNDELETE_USER"},
		{store.Suspended, "SUSPEND_USER"},
		{store.Unsuspended, "UNSUSPEND_USER"},
		{store.Archived, "ARCHIVE_USER"},
		{store.Unarchived, "UNARCHIVE_USER"},
	} {
		if c.Acts.Has(told.act) {
			out = append(out, with(userSettings, told.name, "USER_EMAIL", now))
		}
	}
	switch {
	case c.Acts.Has(store.AliasAdded):
		out = append(out, with(userSettings, "ADD_NICKNAME", "USER_EMAIL", now, "USER_NICKNAME", strings.ToLower(c.Alias)))
	case c.Acts.Has(store.AliasRemoved):
		out = append(out, with(userSettings, "REMOVE_NICKNAME", "USER_EMAIL", now, "USER_NICKNAME", strings.ToLower(c.Alias)))
	}
	if c.Acts.Has(store.NameChanged) { // the log keeps no names
		out = append(out, with(userSettings, "CHANGE_DISPLAY_NAME", "USER_EMAIL", now, "OLD_VALUE", "", "NEW_VALUE", ""))
	}
	return out
}

// groupEvents tells nothing of aliases: no event of theirs is documented.
func groupEvents(c store.Change) []event {
	var out []event
	now, before := strings.ToLower(c.Address), strings.ToLower(c.Before)
	if c.Acts.Has(store.Created) {
		out = append(out, with(groupSettings, "CREATE_GROUP", "GROUP_EMAIL", now))
	}
	if c.Acts.Has(store.Renamed) {
		out = append(out, with(groupSettings, "CHANGE_GROUP_EMAIL", "GROUP_EMAIL", before, "NEW_VALUE", now))
	}
	if c.Acts.Has(store.NameChanged) {
		out = append(out, with(groupSettings, "CHANGE_GROUP_NAME", "GROUP_EMAIL", now, "NEW_VALUE", ""))
	}
	if c.Acts.Has(store.Deleted) {
		out = append(out, with(groupSettings, "DELETE_GROUP", "GROUP_EMAIL", now))
	}
	return out
}

// upload is the one event of a file of users or of members: it names nobody, and no group.
func upload(changes []store.Change) (event, bool) {
	users, members := 0, 0
	for _, c := range changes {
		switch {
		case c.Implied:
		case c.IsUser():
			users++
		case c.Kind == store.MemberJoined, c.Kind == store.MemberLeft, c.Kind == store.MemberChanged:
			members++
		}
	}
	switch {
	case users > 0:
		return event{Type: userSettings, Name: "USERS_BULK_UPLOAD", Parameters: []parameter{
			number("BULK_UPLOAD_TOTAL_USERS_NUMBER", users), number("BULK_UPLOAD_FAIL_USERS_NUMBER", 0),
		}}, true
	case members > 0:
		return event{Type: groupSettings, Name: "GROUP_MEMBER_BULK_UPLOAD", Parameters: []parameter{
			number("GROUP_MEMBER_BULK_UPLOAD_TOTAL_NUMBER", members), number("GROUP_MEMBER_BULK_UPLOAD_FAILED_NUMBER", 0),
		}}, true
	default:
		return event{}, false
	}
}

func group(c store.Change) string { return strings.ToLower(c.Address) }

// member is a member's address, or the customer's id where the whole customer is the member.
func member(c store.Change) string {
	if c.MemberAddress == "" {
		return c.Member
	}
	return strings.ToLower(c.MemberAddress)
}
