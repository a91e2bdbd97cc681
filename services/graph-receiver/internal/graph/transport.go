package graph

import (
	"net/http"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// maxAnswer bounds one page. The largest that Graph documents are 999 objects; a page of 999 users has about 1 MiB.
const maxAnswer = 32 << 20

func authorityRoute(req *http.Request) string {
	if strings.HasSuffix(req.URL.Path, "/token") {
		return "/token"
	}
	return "/authority"
}

// answers lets only successes through to the SDK, and these no larger than maxAnswer. Anything else becomes a
// *ResponseError here, before the SDK reads it: its own error type panics on an error without a message, loses the
// status of one that is not JSON, and prints messages that name people.
type answers struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t answers) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		return nil, newResponseError(res)
	}
	res.Body = remote.Capped(res.Body, maxAnswer)
	return res, nil
}
