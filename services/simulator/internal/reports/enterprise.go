package reports

import (
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

const (
	moderatorAction = "moderator_action"
	namespace       = "PUBLIC"
)

// enterpriseEvents are what the application groups_enterprise logs of a change: of groups and their members, however it
// was made, but for a membership that reaches its end and for a file of members. Source: appendix/activity/groups-enterprise.
func (s scribe) enterpriseEvents(c store.Change) []event {
	if how := base(c.Via); how == ViaExpiry || how == store.ViaBulkUpload {
		return nil
	}
	switch c.Kind {
	case store.GroupChanged, store.GroupPurged:
		return s.groupActions(c)
	case store.MemberJoined:
		return []event{s.joined(c)}
	case store.MemberLeft:
		return []event{s.left(c)}
	case store.MemberChanged:
		return []event{s.role("add_member_role", c, c.Role), s.role("remove_member_role", c, c.Before)}
	default:
		return nil
	}
}

func (s scribe) groupActions(c store.Change) []event {
	var out []event
	if c.Acts.Has(store.Created) {
		out = append(out, with(moderatorAction, "create_group", "group_id", s.groupID(c), "namespace", namespace))
	}
	setting := func(name, setting string) {
		out = append(out, with(moderatorAction, name, "group_id", s.groupID(c), "info_setting", setting, "namespace", namespace))
	}
	switch {
	case c.Acts.Has(store.Renamed):
		setting("change_info_setting", "email")
	case c.Acts.Has(store.AliasAdded):
		setting("add_info_setting", "email_alias")
	case c.Acts.Has(store.AliasRemoved):
		setting("remove_info_setting", "email_alias")
	}
	if c.Acts.Has(store.NameChanged) {
		setting("change_info_setting", "display_name")
	}
	if c.Acts.Has(store.Deleted) {
		out = append(out, with(moderatorAction, "delete_group", "group_id", s.groupID(c), "namespace", namespace))
	}
	return out
}

func (s scribe) joined(c store.Change) event {
	switch c.Via {
	case ViaJoin: // the member is the actor, and named nowhere else
		return with(moderatorAction, "join", "group_id", s.groupID(c), "namespace", namespace)
	case ViaAccept:
		return with(moderatorAction, "accept_invitation", "group_id", s.groupID(c), "namespace", namespace)
	case ViaApprove:
		return s.member("approve_join_request", c)
	default:
		return s.role("add_member", c, c.Role)
	}
}

// left tells nothing of its own for a member who leaves: no such event is documented.
func (s scribe) left(c store.Change) event {
	if c.Via == ViaBan {
		return s.member("ban_member_with_moderation", c)
	}
	return s.member("remove_member", c)
}

func (s scribe) member(name string, c store.Change) event {
	return with(moderatorAction, name,
		"group_id", s.groupID(c), "member_id", s.memberID(c), "member_type", memberType(c), "namespace", namespace)
}

func (s scribe) role(name string, c store.Change, role string) event {
	return with(moderatorAction, name, "group_id", s.groupID(c), "member_id", s.memberID(c),
		"member_role", strings.ToLower(role), "member_type", memberType(c), "namespace", namespace)
}

func (s scribe) groupID(c store.Change) string {
	if s.opaque {
		return c.ID
	}
	return group(c)
}

func (s scribe) memberID(c store.Change) string {
	if s.opaque {
		return c.Member
	}
	return member(c)
}

func memberType(c store.Change) string {
	switch {
	case c.MemberGroup:
		return "group"
	case c.MemberAddress == "":
		return "other" // the whole customer
	default:
		return "user"
	}
}
