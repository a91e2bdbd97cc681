package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid/entraidtest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// TestThrottling holds each call to one request: the SDK's own retries are off.
func TestThrottling(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	d := f.connect(t)
	for _, c := range []struct {
		status    int
		after     string
		want      time.Duration
		throttled bool
	}{
		{http.StatusTooManyRequests, "7", 7 * time.Second, true},
		{http.StatusTooManyRequests, "0", 0, true},
		{http.StatusTooManyRequests, "Sun, 22 Nov 2026 10:00:30 GMT", 30 * time.Second, true},
		{http.StatusTooManyRequests, "Sun, 22 Nov 2026 09:59:30 GMT", 0, true},
		{http.StatusTooManyRequests, "", unsaid, true},
		{http.StatusTooManyRequests, "soon", unsaid, true},
		{http.StatusTooManyRequests, "-1", unsaid, true},
		{http.StatusTooManyRequests, "864000", remote.Longest, true},
		{http.StatusTooManyRequests, "1e300", remote.Longest, true},
		{http.StatusTooManyRequests, "Fri, 31 Dec 9999 23:59:59 GMT", remote.Longest, true},
		{http.StatusServiceUnavailable, "120", 2 * time.Minute, true},
		{http.StatusGatewayTimeout, "3", 3 * time.Second, true},
		{http.StatusServiceUnavailable, "", 0, false},
		{http.StatusInternalServerError, "3", 0, false},
	} {
		f.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Sun, 22 Nov 2026 10:00:00 GMT")
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.WriteHeader(c.status)
		}
		before := len(f.seen())
		_, list := d.ListChannels(t.Context())
		_, create := d.CreateChannel(t.Context(), receiver.NewChannel{Resource: "users"})
		_, read := d.Changes(t.Context(), users, "")
		for call, err := range map[string]error{"list": list, "create": create, "read": read} {
			var throttled receiver.ErrThrottled
			if is := errors.As(err, &throttled); is != c.throttled || throttled.After != c.want || err == nil {
				t.Errorf("%s, %d with Retry-After %q: %v, want throttled %v for %v", call, c.status, c.after, err, c.throttled, c.want)
			}
		}
		if n := len(f.seen()) - before; n != 3 {
			t.Errorf("%d with Retry-After %q: %d requests, want 3", c.status, c.after, n)
		}
	}
}

func TestErrorsAreShortAndTellNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	d := f.connect(t)
	for body, want := range map[string]string{
		odata("Authorization_RequestDenied"):    "read a user: graph answers 403 Authorization_RequestDenied (request-id 7f3c-req)",
		`{"error":{}}`:                          "read a user: graph answers 403 (request-id 7f3c-req)",
		`{"error":"ada@contoso.com"}`:           "read a user: graph answers 403 (request-id 7f3c-req)",
		odata("ada@contoso.com"):                "read a user: graph answers 403 (request-id 7f3c-req)",
		`<html>ada@contoso.com</html>`:          "read a user: graph answers 403 (request-id 7f3c-req)",
		``:                                      "read a user: graph answers 403 (request-id 7f3c-req)",
		odata(strings.Repeat("x", 65)):          "read a user: graph answers 403 (request-id 7f3c-req)",
		`{"error":{"code":"A","message":null}}`: "read a user: graph answers 403 A (request-id 7f3c-req)",
	} {
		f.answer = says(http.StatusForbidden, body)
		if _, err := d.User(t.Context(), "u1"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestRefusedTokenIsAskedForAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(http.StatusForbidden, odata("Authorization_RequestDenied")))
	d := f.connect(t)
	for _, want := range []int{1, 1, 1, 2} { // refused at 0, 31, 62 and 93 s; a token is kept for a minute
		_, _ = d.User(t.Context(), "u1") // refused each time
		if got := len(f.authority.Forms()); got != want {
			t.Errorf("%d token requests, want %d", got, want)
		}
		f.clock.Advance(31 * time.Second)
	}
}

// TestChallengeIsNotAnswered has a 401 whose claims would make the SDK panic or ask twice.
func TestChallengeIsNotAnswered(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", claims=eyJ`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	if _, err := f.connect(t).User(t.Context(), "u1"); err == nil || len(f.seen()) != 1 {
		t.Errorf("%v after %d requests, want an error after one", err, len(f.seen()))
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/v1.0/elsewhere", http.StatusFound) })
	if _, err := f.connect(t).User(t.Context(), "u1"); err == nil || len(f.seen()) != 1 {
		t.Errorf("%v after %v, want an error after one request", err, f.seen())
	}
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(http.StatusOK, `{}`))
	d := f.connect(t)
	f.authority.Accept = entraidtest.Refuse
	_, err := d.GroupsAt(t.Context(), "ada@contoso.com")
	if want := "find groups by address: entra gives no token: 401 AADSTS7000215"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	f.authority.Accept = func(url.Values) *entraidtest.Refusal {
		return &entraidtest.Refusal{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"9"}}}
	}
	var throttled receiver.ErrThrottled
	if _, err := d.User(t.Context(), "u1"); !errors.As(err, &throttled) || throttled.After != 9*time.Second {
		t.Errorf("%v, want throttled for 9 s", err)
	}
	if err := os.WriteFile(f.secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.User(t.Context(), "u1"); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("%v, want that the secret is empty", err)
	}
	if n := len(f.seen()); n != 0 {
		t.Errorf("%d requests without a token", n)
	}
}

func TestTransportErrorsTellNoAddress(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	release := make(chan struct{})
	f.answer = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	d := f.connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := d.GroupsAt(ctx, "ada@contoso.com")
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "contoso") {
		t.Errorf("%v, want the deadline and no address", err)
	}
	close(release)
	f.server.CloseClientConnections()
	f.server.Close()
	if _, err := d.GroupsAt(t.Context(), "ada@contoso.com"); err == nil || strings.Contains(err.Error(), "contoso") || strings.Contains(err.Error(), "https:") {
		t.Errorf("%v, want an error without the address", err)
	}
}
