package reports

import (
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// groupsEvents are what the application groups logs: what is done in the Groups UI, and nothing else.
func groupsEvents(c store.Change) []event {
	if base(c.Via) != store.ViaGroupsUI || c.Kind != store.MemberJoined && c.Kind != store.MemberLeft {
		return nil
	}
	one := func(name string) []event {
		return []event{with(moderatorAction, name, "group_email", group(c), "user_email", member(c))}
	}
	own := func(name string) []event { return []event{with(moderatorAction, name, "group_email", group(c))} }
	switch c.Via {
	case ViaJoin:
		return own("join")
	case ViaAccept:
		return own("accept_invitation")
	case ViaLeave:
		return own("unsubscribe_via_mail")
	case ViaApprove:
		return one("approve_join_request")
	case ViaBan:
		return one("ban_user_with_moderation")
	}
	if c.Kind == store.MemberLeft {
		return one("remove_user")
	}
	added := one("add_user")
	added[0].Parameters = append(added[0].Parameters, parameter{Name: "member_role", Value: strings.ToLower(c.Role)})
	return added
}

// loginEvents are what the application login logs of a directory: that Google itself has suspended a user.
func loginEvents(c store.Change) []event {
	if base(c.Via) != store.ViaGoogle || !c.IsUser() || !c.Acts.Has(store.Suspended) {
		return nil
	}
	name := "account_disabled_generic"
	if c.Via == ViaHijacked {
		name = "account_disabled_hijacked"
	}
	return []event{with("account_warning", name, "affected_email_address", strings.ToLower(c.Address))}
}
