package workspace

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// never is the last login of those who have not logged in.
const never = "1970-01-01T00:00:00.000Z"

// user writes a user as the API shows it to an admin.
func user(t store.Tenant, u *store.User) object {
	super, delegate := adminOf(t, u)
	out := object{
		"kind": "admin#directory#user", "id": u.ID, "primaryEmail": u.UPN,
		"name":    object{"givenName": u.Given, "familyName": u.Surname, "fullName": u.Name},
		"isAdmin": super, "isDelegatedAdmin": delegate, "lastLoginTime": never, "creationTime": moment(u.Created),
		"agreedToTerms": true, "suspended": u.Disabled, "archived": u.Archived, "changePasswordAtNextLogin": false,
		"ipWhitelisted": false, "emails": emails(u.UPN, others(u.Proxies)), "customerId": t.DirectoryID, "orgUnitPath": "/",
		"isMailboxSetup": true, "isEnrolledIn2Sv": false, "isEnforcedIn2Sv": false, "includeInGlobalAddressList": true,
	}
	if u.Disabled {
		out["suspensionReason"] = u.Suspension
		out["suspensionTime"] = moment(u.SuspendedAt)
	}
	if u.Archived {
		out["archivalTime"] = moment(u.ArchivedAt)
	}
	if u.Guest {
		out["isGuestUser"] = true
		out["guestAccountInfo"] = object{"primaryGuestEmail": u.Mail}
	}
	if !u.Live() {
		out["deletionTime"] = moment(u.Deleted)
	}
	alternatives(out, t, u.UPN, others(u.Proxies))
	return tagged(out)
}

// alternatives adds the aliases to a user or group, where there are any.
func alternatives(out object, t store.Tenant, primary string, aliases []string) {
	if len(aliases) > 0 {
		out["aliases"] = aliases
	}
	if directory.Domain(primary) == t.Domains[0] {
		out["nonEditableAliases"] = []string{primary + testDomain}
	}
}

func emails(primary string, aliases []string) []object {
	out := []object{{"address": primary, "primary": true}}
	for _, a := range aliases {
		out = append(out, object{"address": a})
	}
	return out
}

// others are the addresses that are not primary.
func others(proxies []string) []string {
	var out []string
	for _, p := range proxies {
		if a, ok := strings.CutPrefix(p, "smtp:"); ok {
			out = append(out, a)
		}
	}
	return out
}

func adminOf(t store.Tenant, u *store.User) (super, delegate bool) {
	for _, a := range t.App.Admins {
		if slices.Contains(u.Addresses(), a.Address) {
			return a.Privileges == nil, a.Privileges != nil
		}
	}
	return false, false
}

func group(t store.Tenant, v store.View, g *store.Group) object {
	out := object{
		"kind": "admin#directory#group", "id": g.ID, "email": g.Mail, "name": g.Name, "description": "", "adminCreated": true,
		"directMembersCount": strconv.Itoa(v.Size(g.ID)),
	}
	alternatives(out, t, g.Mail, others(g.Proxies))
	return tagged(out)
}

var memberTypes = map[directory.MemberKind]string{ //nolint:gochecknoglobals // it never changes
	directory.UserMember: "USER", directory.GroupMember: "GROUP", directory.CustomerMember: "CUSTOMER",
}

// memberObject writes a member. The whole customer has no address; of people from elsewhere no status is known.
func memberObject(v store.View, m store.Member) object {
	out := object{"kind": "admin#directory#member", "id": m.ID, "role": m.Role, "type": memberTypes[m.Kind]}
	if m.Address != "" {
		out["email"] = m.Address
	}
	if !m.External {
		out["status"] = "ACTIVE"
	}
	if u := v.User(m.ID); u != nil {
		switch {
		case u.Disabled:
			out["status"] = "SUSPENDED"
		case u.Archived:
			out["status"] = "ARCHIVED"
		}
	}
	return tagged(out)
}
