package workspace

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

func TestThrottling(t *testing.T) {
	t.Parallel()
	const word = "Quota exceeded for ada@initech.com"
	users, journal := receiver.Feed{Kind: receiver.UsersFeed}, cursor{Stage: resting, Since: began}.String()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		cursor string
		least  time.Duration // 0: no throttling
		most   time.Duration
	}{
		"too many of one admin":      {refuses(403, "userRateLimitExceeded", word), "", time.Second, 2 * time.Second},
		"too many of one account":    {refuses(403, "quotaExceeded", word), "", time.Second, 2 * time.Second},
		"too many at once":           {refuses(429, "rateLimitExceeded", word), "", time.Second, 2 * time.Second},
		"too many in a day":          {refuses(403, "dailyLimitExceeded", word), "", time.Second, 2 * time.Second},
		"429 of a gateway":           {says(429, "<html>"), "", time.Second, 2 * time.Second},
		"with a word on how long":    {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "7"); w.WriteHeader(503) }, "", 7 * time.Second, 7 * time.Second},
		"too many reports":           {refuses(503, "backendError", word), journal, time.Second, 2 * time.Second},
		"an API that is ill":         {refuses(503, "backendError", word), "", 0, 0},
		"an API that is broken":      {refuses(500, "internalError", word), journal, 0, 0},
		"without the right":          {refuses(403, "forbidden", "Not Authorized to access this resource/api"), "", 0, 0},
		"without the scope":          {refuses(403, "insufficientPermissions", word), "", 0, 0},
		"a code that holds somebody": {refuses(403, "ada@initech.com", word), "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newFake(t, c.answer).connect(t).Changes(t.Context(), users, c.cursor)
			if err == nil || strings.Contains(err.Error(), "@") || strings.Contains(err.Error(), "127.0.0.1") {
				t.Fatalf("error %v: want one that names nobody", err)
			}
			throttled, yes := errors.AsType[receiver.ErrThrottled](err)
			if yes != (c.least > 0) || throttled.After < c.least || throttled.After > c.most {
				t.Errorf("throttled: %v for %s, want %s to %s", yes, throttled.After, c.least, c.most)
			}
		})
	}
}

func TestThrottledWaitsGrow(t *testing.T) {
	t.Parallel()
	a := &answers{}
	for _, least := range []time.Duration{1, 2, 4, 8, 16, 32, 32, 32} {
		if got := a.unsaid(); got < least*time.Second || got > least*time.Second*5/4 {
			t.Errorf("wait %s, want %ds and a little", got, least)
		}
	}
	f := newFake(t, refuses(429, "rateLimitExceeded", "no"))
	d := f.connect(t)
	wait := func() time.Duration {
		_, err := d.User(t.Context(), ada)
		throttled, _ := errors.AsType[receiver.ErrThrottled](err)
		return throttled.After
	}
	wait()
	if got := wait(); got < 2*time.Second {
		t.Errorf("the second wait is %s", got)
	}
	f.answers(says(200, adaDoc))
	wait()
	f.answers(refuses(429, "rateLimitExceeded", "no"))
	if got := wait(); got >= 2*time.Second {
		t.Errorf("after a success the wait is %s", got)
	}
}

func TestOneCallIsOneRequest(t *testing.T) {
	t.Parallel()
	for _, status := range []int{302, 400, 403, 404, 429, 500, 502, 503, 504} {
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		d := f.connect(t)
		_, _ = d.User(t.Context(), ada)
		_, _ = d.Changes(t.Context(), receiver.Feed{Kind: receiver.GroupsFeed}, cursor{Stage: resting, Since: began}.String())
		_, _ = d.CreateChannel(t.Context(), newChannel(adminJournal))
		if n := len(f.seen()); n != 3 {
			t.Errorf("%d: %d requests for three calls", status, n)
		}
	}
}

func TestErrorsOfTheNetworkNameNobody(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(200, adaDoc))
	d := f.connect(t)
	if _, err := d.User(t.Context(), ada); err != nil { // a token is there
		t.Fatal(err)
	}
	f.server.CloseClientConnections()
	f.server.Close()
	_, err := d.User(t.Context(), "ada@initech.com")
	if err == nil || strings.Contains(err.Error(), "@") || strings.Contains(err.Error(), "ada") {
		t.Errorf("error %v", err)
	}
}

func TestLongAnswersFail(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		block := []byte(strings.Repeat(" ", 1<<20))
		for range maxAnswer>>20 + 1 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	if _, err := f.connect(t).User(t.Context(), ada); !errors.Is(err, remote.ErrTooLong) {
		t.Errorf("error %v, want %v", err, remote.ErrTooLong)
	}
}

func TestRequestsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &client{timeout: time.Minute}
		start := time.Now()
		_, err := c.send(t.Context(), "wait", "/users", func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestRefusedSignIn(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(200, adaDoc))
	f.token = says(400, `{"error":"invalid_grant","error_description":"Invalid email or User ID: admin@initech.com"}`)
	_, err := f.connect(t).User(t.Context(), ada)
	if err == nil || !strings.Contains(err.Error(), "invalid_grant") || strings.Contains(err.Error(), "@") {
		t.Errorf("error %v", err)
	}
	f.token = says(429, `{}`)
	_, err = f.connect(t).User(t.Context(), ada)
	if _, throttled := errors.AsType[receiver.ErrThrottled](err); !throttled {
		t.Errorf("error %v, want throttling", err)
	}
	if len(f.seen()) != 0 {
		t.Errorf("requests without a token: %v", f.seen())
	}
}
