package identity

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// fault is an error of the identity platform. Codes and texts are those of
// learn.microsoft.com/entra/identity-platform/reference-error-codes.
type fault struct {
	status  int
	kind    string // OAuth's error
	code    int    // AADSTS
	message string
}

func badSecret(clientID string) *fault {
	return &fault{http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + clientID + "'."}
}

func badAssertion(code int, message string) *fault {
	return &fault{http.StatusUnauthorized, "invalid_client", code, message}
}

func unknownTenant(tenant string) *fault {
	return &fault{http.StatusBadRequest, "invalid_tenant", 90002, fmt.Sprintf("Tenant '%.80s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", tenant)}
}

func unknownApp(clientID, tenant string) *fault {
	return &fault{http.StatusBadRequest, "unauthorized_client", 700016, fmt.Sprintf("Application with identifier '%.80s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", clientID, tenant)}
}

func missing(parameter string) *fault {
	return &fault{http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: '" + parameter + "'."}
}

func badGrant(grant string) *fault {
	return &fault{http.StatusBadRequest, "unsupported_grant_type", 70003, fmt.Sprintf("The app requested an unsupported grant type '%.80s'.", grant)}
}

func badScope(scope string) *fault {
	return &fault{http.StatusBadRequest, "invalid_scope", 1002012, fmt.Sprintf("The provided value for scope %.200s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)}
}

func noCredential() *fault {
	return &fault{http.StatusUnauthorized, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."}
}

// write answers with the body that the platform gives, e.g.
//
//	{"error":"invalid_client","error_description":"AADSTS7000215: …","error_codes":[7000215],"timestamp":"…",…}
func (f *fault) write(w http.ResponseWriter, now time.Time) {
	trace, correlation := rand.Text(), rand.Text()
	stamp := now.UTC().Format("2006-01-02 15:04:05Z")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"error":             f.kind,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", f.code, f.message, trace, correlation, stamp),
		"error_codes":       []int{f.code},
		"timestamp":         stamp,
		"trace_id":          trace,
		"correlation_id":    correlation,
		"error_uri":         fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", f.code),
	})
}
