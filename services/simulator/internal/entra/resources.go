package entra

import (
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func list(s []string) any {
	if s == nil {
		return []string{}
	}
	return s
}

func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

func localPart(address string) any {
	local, _, _ := strings.Cut(address, "@")
	return text(local)
}

// users is the user resource. Source: learn.microsoft.com/graph/api/resources/user.
var users = schema[*store.User]{
	name: "user",
	props: map[string]property[*store.User]{
		"id":                {0, func(u *store.User) any { return u.ID }},
		"displayName":       {store.Name, func(u *store.User) any { return text(u.Name) }},
		"givenName":         {store.Name, func(u *store.User) any { return text(u.Given) }},
		"surname":           {store.Name, func(u *store.User) any { return text(u.Surname) }},
		"userPrincipalName": {store.SignIn, func(u *store.User) any { return u.UPN }},
		"mail":              {store.Mail, func(u *store.User) any { return text(u.Mail) }},
		"mailNickname":      {store.SignIn, func(u *store.User) any { return localPart(u.UPN) }},
		"proxyAddresses":    {store.Proxies, func(u *store.User) any { return list(u.Proxies) }},
		"accountEnabled":    {store.Enabled, func(u *store.User) any { return !u.Disabled }},
		"userType": {store.Existence, func(u *store.User) any {
			if u.Guest {
				return "Guest"
			}
			return "Member"
		}},
		"otherMails":      {0, func(*store.User) any { return []string{} }},
		"businessPhones":  {0, func(*store.User) any { return []string{} }},
		"createdDateTime": {0, func(u *store.User) any { return moment(u.Created) }},
		"deletedDateTime": {store.Existence, func(u *store.User) any { return moment(u.Deleted) }},
	},
	standard: []string{
		"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
		"preferredLanguage", "surname", "userPrincipalName", "id",
	},
}.unknown(
	"jobTitle", "mobilePhone", "officeLocation", "preferredLanguage", "department", "companyName", "city", "country",
	"employeeId", "employeeType", "externalUserState", "creationType", "identities", "imAddresses", "postalCode",
	"preferredDataLocation", "state", "streetAddress", "usageLocation", "onPremisesSyncEnabled", "onPremisesImmutableId",
	"onPremisesSamAccountName", "onPremisesUserPrincipalName", "signInSessionsValidFromDateTime", "ageGroup",
	"legalAgeGroupClassification", "securityIdentifier", "faxNumber", "assignedLicenses", "isResourceAccount", "showInAddressList",
)

// groups is the group resource. Source: learn.microsoft.com/graph/api/resources/group.
var groups = schema[*store.Group]{
	name: "group",
	props: map[string]property[*store.Group]{
		"id":             {0, func(g *store.Group) any { return g.ID }},
		"displayName":    {store.Name, func(g *store.Group) any { return text(g.Name) }},
		"mail":           {store.Mail, func(g *store.Group) any { return text(g.Mail) }},
		"mailNickname":   {store.Mail, func(g *store.Group) any { return localPart(g.Mail) }},
		"mailEnabled":    {store.Existence, func(g *store.Group) any { return g.Kind != directory.Security }},
		"proxyAddresses": {store.Proxies, func(g *store.Group) any { return list(g.Proxies) }},
		"securityEnabled": {store.Existence, func(g *store.Group) any {
			return g.Kind == directory.Security || g.Kind == directory.MailEnabledSecurity
		}},
		"groupTypes":                    {store.Existence, groupTypes},
		"membershipRule":                {store.Existence, func(g *store.Group) any { return ruleOf(g, "user.accountEnabled -eq true") }},
		"visibility":                    {store.Existence, visibility},
		"creationOptions":               {0, func(*store.Group) any { return []string{} }},
		"resourceBehaviorOptions":       {0, func(*store.Group) any { return []string{} }},
		"createdDateTime":               {0, func(g *store.Group) any { return moment(g.Created) }},
		"renewedDateTime":               {0, func(g *store.Group) any { return moment(g.Created) }},
		"deletedDateTime":               {store.Existence, func(g *store.Group) any { return moment(g.Deleted) }},
		"membershipRuleProcessingState": {store.Existence, func(g *store.Group) any { return ruleOf(g, "On") }},
	},
	standard: []string{
		"id", "deletedDateTime", "classification", "createdDateTime", "creationOptions", "description", "displayName",
		"expirationDateTime", "groupTypes", "isAssignableToRole", "mail", "mailEnabled", "mailNickname", "membershipRule",
		"membershipRuleProcessingState", "onPremisesSyncEnabled", "preferredDataLocation", "preferredLanguage",
		"proxyAddresses", "renewedDateTime", "resourceBehaviorOptions", "securityEnabled", "securityIdentifier", "theme",
		"uniqueName", "visibility",
	},
}.unknown(
	"classification", "description", "expirationDateTime", "isAssignableToRole", "onPremisesSyncEnabled",
	"onPremisesDomainName", "onPremisesLastSyncDateTime", "onPremisesNetBiosName", "onPremisesSamAccountName",
	"onPremisesSecurityIdentifier", "preferredDataLocation", "preferredLanguage", "securityIdentifier", "theme",
	"uniqueName", "hideFromAddressLists", "hideFromOutlookClients", "assignedLabels", "resourceProvisioningOptions",
)

func groupTypes(g *store.Group) any {
	types := []string{}
	if g.Dynamic {
		types = append(types, "DynamicMembership")
	}
	if g.Kind == directory.Microsoft365 {
		types = append(types, "Unified")
	}
	return types
}

func ruleOf(g *store.Group, value string) any {
	if !g.Dynamic {
		return nil
	}
	return value
}

func visibility(g *store.Group) any {
	switch {
	case g.Hidden:
		return "HiddenMembership"
	case g.Kind == directory.Microsoft365:
		return "Private"
	default:
		return nil
	}
}
