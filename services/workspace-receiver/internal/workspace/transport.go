package workspace

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/googleauth"
)

// maxAnswer bounds one page. The largest is a thousand activities of about a KiB each.
const maxAnswer = 32 << 20

// signed gives requests their token.
type signed struct {
	source *googleauth.Source
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t signed) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := t.source.Get(req.Context())
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	token.SetAuthHeader(req)
	return t.next.RoundTrip(req)
}

type answerKey struct{}

// answer is the body of what was asked with a context.
type answer struct{ body []byte }

func withAnswer(ctx context.Context) (context.Context, *answer) {
	a := &answer{}
	return context.WithValue(ctx, answerKey{}, a), a
}

// answers keeps bodies from the SDK, which gets an empty object in their place, and puts them into the answer of the
// request's context. What is no success becomes a *ResponseError before the SDK reads it: its own error holds the whole
// body, and the names of people that are in it. So does a redirect, which nobody follows: a token is for one host.
type answers struct {
	next    http.RoundTripper
	refused atomic.Int32 // how often in a row Google has throttled
}

// RoundTrip implements http.RoundTripper.
func (t *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		e := newResponseError(res, t.unsaid)
		if !e.throttled() {
			t.refused.Store(0)
		}
		return nil, e
	}
	t.refused.Store(0)
	body, err := io.ReadAll(remote.Capped(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if a, ok := req.Context().Value(answerKey{}).(*answer); ok {
		a.body = body
	}
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
	return res, nil
}

// unsaid is how long to wait where Google does not say, which is always: twice as long each time, from 1 to 32 seconds,
// and some more by chance, as it recommends.
func (t *answers) unsaid() time.Duration {
	wait := time.Second << min(t.refused.Add(1)-1, 5)
	return wait + rand.N(wait/4) //nolint:gosec // G404: it need not be hard to guess
}
