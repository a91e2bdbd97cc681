package workspace

import (
	"errors"
	"net/http"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/googleauth"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// What is looked at, by the names that all providers share where they mean the same.
const (
	checkSignIn       = "sign-in"
	checkDelegation   = "delegation"
	checkUsers        = "read-users"
	checkGroups       = "read-groups"
	checkMembers      = "read-members"
	checkReports      = "read-reports"
	checkDirectory    = "directory"
	checkProvisioning = "provisioning-group"
)

// The privileges of an admin role, as the Admin console calls them.
const (
	usersPrivilege   = "Admin API privileges > Users > Read"
	groupsPrivilege  = "Admin API privileges > Groups > Read"
	reportsPrivilege = "Admin console privileges > Reports"
)

// blind is what no right makes readable.
var blind = []receiver.Finding{
	{
		Check: "external-groups", State: receiver.Blind,
		Detail: "Who belongs to a group of another organization cannot be read: such a group inside a provisioning group licenses nobody.",
		Action: "Put people into the provisioning group themselves, or nest groups of your own organization only.",
	},
	{
		Check: "external-members", State: receiver.Blind,
		Detail: "What becomes of people of other organizations cannot be read: as members of a provisioning group they are shown, and are not licensed.",
	},
	{
		Check: "dynamic-groups", State: receiver.Blind,
		Detail: "Google does not reliably tell when it re-evaluates a dynamic group: such a change shows with the next look at the group's members, not at once.",
	},
	{
		Check: "membership-expiry", State: receiver.Blind,
		Detail: "Google does not tell when a membership reaches its expiry: that shows with the next look at the group's members, not at once.",
	},
	{
		Check: "reports-lag", State: receiver.Blind,
		Detail: "Google's reports may show a change minutes to hours late, and rarely never: provisioning groups are looked at again and again, and all else daily.",
	},
}

// delegate is what the customer's admin does to delegate a scope.
func (v *verification) delegate(scope string) string {
	who := "the service account's client id"
	if id := v.tenant.Credential.ClientID; id != "" {
		who = "the client id " + id
	}
	return "Admin console > Security > Access and data control > API controls > Manage Domain Wide Delegation: add " + who +
		" with the scope " + scope + ". It may take minutes, and at times a day, to count."
}

// refusal says what kept us from a token, and whether it is that the customer has not delegated what we asked for.
func (v *verification) refusal(err error) (finding receiver.Finding, undelegated bool) {
	finding = receiver.Finding{Check: checkSignIn, State: receiver.Failed, Detail: "The service account cannot sign in: " + err.Error() + "."}
	e, answered := errors.AsType[*googleauth.Error](err)
	switch {
	case !answered:
		finding.Action = "See that the credential's file is there, is of the right kind, and can be read."
	case e.Status == 0 || e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests:
		finding.State, finding.Action = receiver.Unknown, "Try again: Google could not be reached, or was busy."
	case e.Step == googleauth.Federation:
		finding.Action = "Google Cloud console > IAM > Workload identity federation: see that the pool's provider accepts the platform's tokens."
	case e.Step == googleauth.Signing:
		finding.Action = "Google Cloud console > IAM > Service accounts: give Rollcall's own identity the role Service Account Token Creator on the service account, and see that the IAM Service Account Credentials API is enabled."
	case e.Undelegated():
		return receiver.Finding{Check: checkSignIn, State: receiver.Passed, Detail: "The service account can sign in; what it may do for the admin is another matter."}, true
	default:
		finding.Action = grants[e.Reason]
	}
	return finding, false
}

// grants is what to do about an invalid_grant, by what it is about.
var grants = map[googleauth.Reason]string{
	googleauth.NoReason:  "See that the service account exists, that its key is valid, and that the admin in whose name Rollcall reads is active.",
	googleauth.Subject:   "Admin console > Directory > Users: see that the admin in whose name Rollcall reads exists and is not suspended, or name another.",
	googleauth.Signature: "Make a new key of the service account and replace the key file: Google does not know the one that is in use.",
	googleauth.Clock:     "Set the clock of the machine: Google refuses what is signed at another time than its own.",
	googleauth.Account:   "Google Cloud console > IAM > Service accounts: see that the service account exists and is enabled.",
}

// advice says what a failed read means and what to do about it. The privilege is as the Admin console calls it.
func advice(err error, privilege string) (receiver.FindingState, string) {
	e, answered := errors.AsType[*ResponseError](err)
	switch {
	case !answered || e.throttled() || e.Status >= http.StatusInternalServerError:
		return receiver.Unknown, "Try again: Google could not be reached, or was busy."
	case e.Reason == "accessNotConfigured" || e.Reason == "SERVICE_DISABLED":
		return receiver.Failed, "Google Cloud console > APIs & Services: enable the Admin SDK API in the project of the service account."
	case e.Reason == "insufficientPermissions" || e.Reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return receiver.Failed, "Admin console > Security > Access and data control > API controls > Manage Domain Wide Delegation: see that all scopes are added."
	case e.Status == http.StatusForbidden || e.State == wire.Foreign || e.Status == http.StatusUnauthorized:
		return receiver.Failed, "Admin console > Account > Admin roles: give the admin in whose name Rollcall reads a role with the privilege " + privilege + "."
	}
	return receiver.Failed, "Nothing is known to help against this answer: look it up in Google's documents, or report it as a fault of Rollcall."
}
