package googleauth

import "net/http"

// fault is an error, with the body that the endpoint in question gives.
type fault struct {
	status int
	body   map[string]any
}

// oauth is an error of the token endpoint or of the token exchange.
func oauth(status int, kind, description string) *fault {
	return &fault{status, map[string]any{"error": kind, "error_description": description}}
}

func invalidGrant(description string) *fault {
	return oauth(http.StatusBadRequest, "invalid_grant", description)
}

func unauthorizedClient() *fault {
	return oauth(http.StatusUnauthorized, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.")
}

// iam is an error in the shape of Google's newer APIs.
func iam(status int, code, message string) *fault {
	return &fault{status, map[string]any{"error": map[string]any{"code": status, "message": message, "status": code}}}
}

func unauthenticated() *fault {
	return iam(http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.")
}

func permissionDenied(permission string) *fault {
	f := iam(http.StatusForbidden, "PERMISSION_DENIED", "Permission '"+permission+"' denied on resource (or it may not exist).")
	f.body["error"].(map[string]any)["details"] = []any{map[string]any{
		"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED", "domain": "iam.googleapis.com",
		"metadata": map[string]any{"permission": permission},
	}}
	return f
}

// spoiled is what a fault answers on demand.
func spoiled(status int) *fault {
	if status < http.StatusInternalServerError {
		return oauth(status, "rate_limit_exceeded", http.StatusText(status))
	}
	return oauth(status, "internal_failure", "Backend Error")
}
