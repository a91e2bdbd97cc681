package entra

import (
	"fmt"
	"net/http"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// apiError is an error in Graph's shape. Source: learn.microsoft.com/graph/errors.
type apiError struct {
	status  int
	code    string
	message string
	header  http.Header
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func (e *apiError) with(name, value string) *apiError {
	if e.header == nil {
		e.header = http.Header{}
	}
	e.header.Set(name, value)
	return e
}

func badRequest(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "Request_BadRequest", message: fmt.Sprintf(format, args...)}
}

// badQuery is what OData parsing answers, e.g. for an unknown property.
func badQuery(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "BadRequest", message: fmt.Sprintf(format, args...)}
}

func unsupportedQuery(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "Request_UnsupportedQuery", message: fmt.Sprintf(format, args...)}
}

// noResource is the 404 of directory objects.
func noResource(id string) *apiError {
	return &apiError{
		status: http.StatusNotFound, code: "Request_ResourceNotFound",
		message: fmt.Sprintf("Resource '%.80s' does not exist or one of its queried reference-property objects are not present.", id),
	}
}

func noSubscription() *apiError {
	return &apiError{status: http.StatusNotFound, code: "ResourceNotFound", message: "The object was not found."}
}

func invalidSubscription(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "InvalidRequest", message: fmt.Sprintf(format, args...)}
}

func denied() *apiError {
	return &apiError{status: http.StatusForbidden, code: "Authorization_RequestDenied", message: "Insufficient privileges to complete the operation."}
}

func unauthorized(message string) *apiError {
	e := &apiError{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", message: message}
	return e.with("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
}

// gone answers a delta token that is no longer honoured. Location starts over.
// Source: learn.microsoft.com/graph/delta-query-overview.
func gone(restart string) *apiError {
	e := &apiError{status: http.StatusGone, code: "syncStateNotFound", message: "The sync state is not found or has expired. Start a full synchronization."}
	return e.with("Location", restart)
}

// spoiled answers a request that a fault was injected into.
func spoiled(s traffic.Spoil) *apiError {
	if s.Kind == control.Forbidden {
		return denied()
	}
	status := s.Status
	e := &apiError{status: status, code: "serviceNotAvailable", message: "The service is temporarily unavailable.", header: s.RetryHeader()}
	switch {
	case status == http.StatusTooManyRequests:
		e.code, e.message = "TooManyRequests", "Too many requests."
		e = e.with("x-ms-throttle-scope", "Tenant_Application/ReadWrite").with("x-ms-throttle-information", "ResourceUnitLimitExceeded")
	case status < http.StatusInternalServerError:
		e.code, e.message = "generalException", "An unspecified error has occurred."
	case status == http.StatusInternalServerError:
		e.code, e.message = "InternalServerError", "An internal server error occurred."
	}
	return e
}
