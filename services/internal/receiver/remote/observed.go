package remote

import (
	"context"
	"net/http"
	"time"
)

// Observe is told of each request that was sent. Its route is a template such as "/groups/{id}/members", never an
// address; status is 0 where no answer came.
type Observe = func(method, route string, status int, d time.Duration)

type routeKey struct{}

// WithRoute names the template of the request that ctx is for.
func WithRoute(ctx context.Context, route string) context.Context {
	return context.WithValue(ctx, routeKey{}, route)
}

// Route is the template that WithRoute gave the request's context, "" where it gave none.
func Route(req *http.Request) string {
	route, _ := req.Context().Value(routeKey{}).(string)
	return route
}

// Observed tells of each request that goes through it.
type Observed struct {
	Next  http.RoundTripper
	Route func(*http.Request) string // Route, or a function that knows the few paths there are
	Tell  Observe
}

// RoundTrip implements http.RoundTripper.
func (t Observed) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := t.Next.RoundTrip(req)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	t.Tell(req.Method, t.Route(req), status, time.Since(began))
	return res, err
}
