package reports

import "slices"

// The applications that log what is done in a directory. The others are known and have nothing to tell.
const (
	appAdmin      = "admin"
	appEnterprise = "groups_enterprise"
	appGroups     = "groups" // the Groups UI only
	appLogin      = "login"
)

// logging are the applications that have activities here.
func logging() []string { return []string{appAdmin, appEnterprise, appGroups, appLogin} }

// watchable reports whether a channel can be made on an application.
func watchable(app string) bool {
	return slices.Contains([]string{
		"access_transparency", appAdmin, "calendar", "chat", "chrome", "classroom", "context_aware_access", "data_studio",
		"drive", "gcp", "gplus", appGroups, appEnterprise, "jamboard", "keep", appLogin, "meet", "mobile", "rules", "saml",
		"token", "user_accounts",
	}, app)
}

// listed reports whether the activities of an application can be listed.
func listed(app string) bool {
	return watchable(app) || slices.Contains([]string{
		"access_evaluation", "admin_data_action", "assignments", "chrome_sync", "cloud_search", "contacts", "data_migration",
		"directory_sync", "gemini_in_workspace_apps", "gemini_notebook", "gmail", "graduation", "ldap", "meet_hardware",
		"profile", "takeout", "tasks", "vault", "voice", "workspace_studio",
	}, app)
}
