package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// signIn gets a token, which the reads then use.
func (v *verification) signIn(ctx context.Context) bool {
	token, err := v.client.token(ctx)
	if err != nil {
		detail, action := refusedSignIn(err)
		v.add(checkSignIn, receiver.Failed, detail, action)
		return false
	}
	v.rights, v.known = rightsOf(token)
	v.passed(checkSignIn, "Entra takes the "+string(v.tenant.Credential.Kind)+" of the application.")
	return true
}

// consent fails where the token claims no right at all. One that is missing among others fails the read that needs it.
func (v *verification) consent() bool {
	switch {
	case !v.known:
		v.add(checkConsent, receiver.Unknown, "The token does not tell what was consented to; the reads below do.", "")
	case len(v.rights) == 0:
		v.add(checkConsent, receiver.Failed, "No application permission was consented to in this directory.", consentAction)
		return false
	default:
		v.passed(checkConsent, fmt.Sprintf("An admin consented to %d application permissions.", len(v.rights)))
	}
	return true
}

// consentAction is what brings a new permission into effect.
const consentAction = "Open the consent address of docs/connect-entra.md as a Privileged Role Administrator and accept (or: Entra admin center > " +
	"Enterprise applications > the application > Permissions > Grant admin consent)."

const (
	secrets   = "Entra admin center > App registrations > the application > Certificates & secrets" //nolint:gosec // G101: where to click
	compareID = "Compare the directory id with Entra admin center > Overview > Tenant ID, and connect the tenant again with the right one."
)

type words struct{ detail, action string }

// codes are the refusals that have one cause. Source: learn.microsoft.com/entra/identity-platform/reference-error-codes.
var codes = map[string]words{
	"AADSTS7000215": {"The client secret is wrong; perhaps its id was kept instead of its value", "Make a client secret under " + secrets + ", and put its value where the tenant's credential is read from."},
	"AADSTS7000222": {"The client secret has expired", "Make a new client secret under " + secrets + ", and put its value where the tenant's credential is read from."},
	"AADSTS700027":  {"The certificate is not registered for the application, or has expired", "Upload the certificate under " + secrets + " > Certificates."},
	"AADSTS70021":   {"No federated credential of the application fits the token of the workload", federated},
	"AADSTS700211":  {"No federated credential of the application has the issuer of the workload's token", federated},
	"AADSTS700212":  {"No federated credential of the application has the audience of the workload's token", federated},
	"AADSTS700213":  {"No federated credential of the application has the subject of the workload's token", federated},
	"AADSTS700024":  {"The assertion is out of date: a clock is wrong, or nobody renews the workload's token", "Set the clock of the machine that runs Rollcall, and see that its platform renews the token file."},
	"AADSTS700016":  {"The application is unknown in this directory: nobody has consented to it there, or its client id is wrong", consentAction},
	"AADSTS7000229": {"The application has no service principal in this directory: nobody has consented to it there", consentAction},
	"AADSTS7000112": {"The application is disabled in this directory", "Set Entra admin center > Enterprise applications > the application > Properties > Enabled for users to sign in to Yes."},
	"AADSTS90002":   {"Entra knows no directory with this id", compareID},
	"AADSTS900023":  {"The directory id is none of Entra's", compareID},
	"AADSTS53003":   {"A Conditional Access policy for workload identities blocks the application", "Exclude the application from the policy under Entra admin center > Protection > Conditional Access."},
}

const federated = "Compare issuer, subject and audience with " + secrets + " > Federated credentials, character by character."

// refusedSignIn says why there is no token.
func refusedSignIn(err error) (detail, action string) {
	refused, ok := errors.AsType[*entraid.Error](err)
	if !ok {
		return fmt.Sprintf("The credential cannot be used: %v.", err), "Put the credential where the tenant's record says that it is (rollcall tenants show), readable by Rollcall."
	}
	if w, known := codes[refused.Code]; known {
		return w.detail + " (" + refused.Code + ").", w.action
	}
	if refused.Status == 0 {
		return fmt.Sprintf("Entra's authority gives no answer: %v.", refused.Cause),
			"Let the machine that runs Rollcall reach the authority on port 443 (login.microsoftonline.com), and name the CA of a proxy that opens TLS with --ca-file."
	}
	return fmt.Sprintf("Entra refuses the sign-in (%d %s).", refused.Status, refused.Code), "Look the code up at https://login.microsoftonline.com/error, and mend what it names."
}
