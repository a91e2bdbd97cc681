// Package googleerror writes errors in the shape that Google's older JSON APIs give them, the Admin SDK's among them.
// Source: developers.google.com/workspace/admin/directory/v1/limits and what googleapi.Error reads.
package googleerror

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Error is an answer other than success.
type Error struct {
	Status  int    // HTTP
	Reason  string // what clients decide by, e.g. notFound
	Domain  string // empty means global
	Message string
	// Parameter is the query parameter that is wrong, if it is one.
	Parameter string
	Header    http.Header // sent beside the body
}

func (e *Error) Error() string { return e.Reason + ": " + e.Message }

// Invalid is 400 with the reason "invalid".
func Invalid(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Reason: "invalid", Message: fmt.Sprintf(format, args...)}
}

// InvalidParameter is Invalid for a query parameter.
func InvalidParameter(name, value string) *Error {
	e := Invalid("Invalid value '%.80s'. Values must match the documentation of the parameter.", value)
	e.Reason, e.Parameter = "invalidParameter", name
	return e
}

// Required is 400 for something that is missing.
func Required(what string) *Error {
	return &Error{Status: http.StatusBadRequest, Reason: "required", Message: "Required: " + what, Parameter: what}
}

// NotFound is 404; what is e.g. "userKey".
func NotFound(what string) *Error {
	return &Error{Status: http.StatusNotFound, Reason: "notFound", Message: "Resource Not Found: " + what}
}

// NotAuthorized is the 403 for what the caller may not touch, or what is another customer's.
func NotAuthorized() *Error {
	return &Error{Status: http.StatusForbidden, Reason: "forbidden", Message: "Not Authorized to access this resource/api"}
}

// WrongType is 400 for the key of an object of another type; what is e.g. "userKey".
func WrongType(what string) *Error {
	return &Error{Status: http.StatusBadRequest, Reason: "badRequest", Message: "Type not supported: " + what}
}

// Nobody is 400 for the key of a member that leads to no account: as if it had not been sent.
func Nobody() *Error {
	return &Error{Status: http.StatusBadRequest, Reason: "required", Message: "Missing required field: memberKey"}
}

// UserDeleted is 412 for a user who can still be brought back.
func UserDeleted() *Error {
	return &Error{Status: http.StatusPreconditionFailed, Reason: "conditionNotMet", Message: "User is deleted."}
}

// NoActivities is what the Reports API answers an admin who lacks its privilege: 401, where the Directory API says 403.
func NoActivities() *Error {
	return &Error{
		Status: http.StatusUnauthorized, Reason: "authError", Message: "Access denied. You are not authorized to read activity records.",
	}
}

// Scopes is the 403 for a token without the scope that a method needs.
func Scopes() *Error {
	return &Error{
		Status: http.StatusForbidden, Reason: "insufficientPermissions", Message: "Request had insufficient authentication scopes.",
		Header: http.Header{"WWW-Authenticate": {`Bearer realm="https://accounts.google.com/", error="insufficient_scope"`}},
	}
}

// Credentials is the 401 for a token that is missing, foreign or expired.
func Credentials() *Error {
	return &Error{
		Status: http.StatusUnauthorized, Reason: "authError", Message: "Invalid Credentials",
		Header: http.Header{"WWW-Authenticate": {`Bearer realm="https://accounts.google.com/", error="invalid_token"`}},
	}
}

// Quota is the answer to one query too many within a minute: 403 at the Directory API, 503 at the Reports API.
func Quota(status int) *Error {
	return &Error{
		Status: status, Reason: "userRateLimitExceeded", Domain: "usageLimits",
		Message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'.",
	}
}

// Spoiled is what a fault answers on demand: the body that goes with a status.
func Spoiled(status int) *Error {
	reasons := map[int]string{
		http.StatusUnauthorized: "authError", http.StatusForbidden: "quotaExceeded", http.StatusNotFound: "notFound",
		http.StatusTooManyRequests: "rateLimitExceeded", http.StatusInternalServerError: "backendError",
		http.StatusBadGateway: "backendError", http.StatusServiceUnavailable: "backendError", http.StatusGatewayTimeout: "backendError",
	}
	e := &Error{Status: status, Reason: reasons[status], Message: http.StatusText(status)}
	switch {
	case e.Reason == "":
		e.Reason = "badRequest"
	case status == http.StatusForbidden || status == http.StatusTooManyRequests:
		e.Domain, e.Message = "usageLimits", "Quota exceeded."
	}
	return e
}

// Write answers with an error and returns its status. What is no *Error is told as an internal one.
func Write(w http.ResponseWriter, err error) int {
	var e *Error
	if !errors.As(err, &e) {
		e = Spoiled(http.StatusInternalServerError)
	}
	item := map[string]any{"message": e.Message, "domain": e.Domain, "reason": e.Reason}
	if e.Domain == "" {
		item["domain"] = "global"
	}
	if e.Parameter != "" {
		item["location"], item["locationType"] = e.Parameter, "parameter"
	}
	for name, values := range e.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{ // the caller is gone; there is nobody to tell
		"code": e.Status, "message": e.Message, "errors": []any{item},
	}})
	return e.Status
}
