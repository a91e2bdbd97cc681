package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

type house struct {
	bus      *bus.Bus
	clock    *clock.Fake
	sessions *session.Manager
}

func open(t *testing.T, cfg session.Config) *house {
	t.Helper()
	h := &house{bus: bustest.New(t), clock: clock.NewFake(time.Now())}
	var err error
	if h.sessions, err = session.Open(t.Context(), cfg, h.bus, h.clock); err != nil {
		t.Fatal(err)
	}
	return h
}

// browser keeps cookies as a browser does.
type browser struct {
	t       *testing.T
	cookies map[string]string
}

func newBrowser(t *testing.T) *browser { return &browser{t: t, cookies: map[string]string{}} }

func (b *browser) request() *http.Request {
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, "/", nil)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// do lets act answer a request, and keeps its cookies.
func (b *browser) do(act func(http.ResponseWriter, *http.Request) error) *http.Response {
	b.t.Helper()
	w := httptest.NewRecorder()
	if err := act(w, b.request()); err != nil {
		b.t.Fatal(err)
	}
	answer := w.Result()
	for _, c := range answer.Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return answer
}

func (h *house) begin(b *browser, who session.Identity) *http.Response {
	return b.do(func(w http.ResponseWriter, r *http.Request) error { return h.sessions.Begin(w, r, who) })
}

func (h *house) signedIn(b *browser) bool {
	b.t.Helper()
	_, ok, err := h.sessions.Read(b.request())
	if err != nil {
		b.t.Fatal(err)
	}
	return ok
}

var ada = session.Identity{Issuer: "google", Subject: "1142", Email: "ada@contoso.com", Name: "Ada"}

func TestASessionSaysWho(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{Secure: true}), newBrowser(t)
	if h.signedIn(b) {
		t.Error("nobody is signed in")
	}
	answer := h.begin(b, ada)
	cookies := answer.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "__Host-rollcall" || !cookies[0].HttpOnly || !cookies[0].Secure ||
		cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || cookies[0].Domain != "" || cookies[0].MaxAge != 0 {
		t.Errorf("%+v", cookies)
	}
	who, ok, err := h.sessions.Read(b.request())
	if diff := cmp.Diff(ada, who); err != nil || !ok || diff != "" {
		t.Errorf("%t %v %s", ok, err, diff)
	}
	b.do(h.sessions.End)
	if len(b.cookies) != 0 || h.signedIn(b) {
		t.Error("still signed in")
	}
}

func TestWithoutHTTPSTheCookieIsNotSecure(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	if c := h.begin(b, ada).Cookies()[0]; c.Name != "rollcall" || c.Secure || !c.HttpOnly {
		t.Errorf("%+v", c)
	}
}

// A cookie that somebody has set beside ours, for a path or from a neighbour's name, is no reason to believe either.
func TestTwoCookiesAreNone(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	h.begin(b, ada)
	r := b.request()
	r.AddCookie(&http.Cookie{Name: "rollcall", Value: "planted"})
	if _, ok, err := h.sessions.Read(r); ok || err != nil {
		t.Errorf("%t %v", ok, err)
	}
}

// A stolen cookie ends with the session, whoever still sends it.
func TestACookieOfAnEndedSessionIsWorthNothing(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	h.begin(b, ada)
	thief := newBrowser(t)
	thief.cookies["rollcall"] = b.cookies["rollcall"]
	if !h.signedIn(thief) {
		t.Fatal("the cookie is the session")
	}
	b.do(h.sessions.End)
	if h.signedIn(thief) {
		t.Error("the session goes on without its cookie's owner")
	}
}

// Somebody who had a browser take a cookie beforehand does not share the session that begins in it.
func TestSigningInMakesANewSession(t *testing.T) {
	t.Parallel()
	h := open(t, session.Config{})
	victim, thief := newBrowser(t), newBrowser(t)
	h.begin(thief, session.Identity{Issuer: "google", Subject: "mallory"})
	for _, planted := range []string{thief.cookies["rollcall"], "made-up", strings.Repeat("A", 43)} {
		victim.cookies["rollcall"] = planted
		h.begin(victim, ada)
		if victim.cookies["rollcall"] == planted {
			t.Errorf("%q is the session's", planted)
		}
		thief.cookies["rollcall"] = planted
		if h.signedIn(thief) {
			t.Errorf("%q is good for something", planted)
		}
	}
	first := victim.cookies["rollcall"]
	h.begin(victim, ada)
	old := newBrowser(t)
	old.cookies["rollcall"] = first
	if h.signedIn(old) {
		t.Error("the session before is still good")
	}
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{Idle: time.Hour, Absolute: 3 * time.Hour}), newBrowser(t)
	h.begin(b, ada)
	for step, want := range []bool{true, true, true, false} { // 50, 100, 150 minutes; 200 are more than three hours
		h.clock.Advance(50 * time.Minute)
		if h.signedIn(b) != want {
			t.Errorf("in use, step %d: want %t", step, want)
		}
	}
	h.begin(b, ada)
	h.clock.Advance(time.Hour - time.Second)
	if !h.signedIn(b) {
		t.Error("idle for less than an hour")
	}
	h.clock.Advance(time.Hour)
	if h.signedIn(b) {
		t.Error("idle for an hour")
	}
}

// keys are what the bucket holds, with its values.
func (h *house) keys(t *testing.T) map[string]string {
	t.Helper()
	kv, err := h.bus.KeyValue(t.Context(), bus.BucketSessions)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	list, err := kv.ListKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for key := range list.Keys() {
		entry, err := kv.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		all[key] = string(entry.Value())
	}
	return all
}

// Whoever reads the bucket can sign in as nobody.
func TestTheBucketHoldsNoCookie(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	h.begin(b, ada)
	state := h.attempt(b, "/")
	found := h.keys(t)
	if len(found) != 2 {
		t.Fatalf("%v", found)
	}
	for key, value := range found {
		for _, secret := range []string{b.cookies["rollcall"], b.cookies["rollcall-sign-in"], state} {
			if strings.Contains(key+value, secret) {
				t.Errorf("%s is in %s %s", secret, key, value)
			}
		}
		_, plain, _ := strings.Cut(key, ".")
		thief := newBrowser(t)
		thief.cookies["rollcall"], thief.cookies["rollcall-sign-in"] = plain, plain
		if h.signedIn(thief) {
			t.Errorf("the key %s is a cookie", key)
		}
	}
}

// Two requests note that a session is in use while a third ends it: it stays ended.
func TestAnEndedSessionDoesNotComeBack(t *testing.T) {
	t.Parallel()
	h := open(t, session.Config{})
	for range 20 {
		b := newBrowser(t)
		h.begin(b, ada)
		h.clock.Advance(2 * time.Minute)
		var all sync.WaitGroup
		for range 2 {
			r := b.request()
			all.Go(func() {
				if _, _, err := h.sessions.Read(r); err != nil {
					t.Error(err)
				}
			})
		}
		r := b.request()
		all.Go(func() {
			if err := h.sessions.End(httptest.NewRecorder(), r); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if h.signedIn(b) {
			t.Fatal("it came back")
		}
	}
}

func (h *house) attempt(b *browser, next string) (state string) {
	b.t.Helper()
	b.do(func(w http.ResponseWriter, r *http.Request) (err error) {
		state, err = h.sessions.BeginAttempt(w, r, session.Attempt{Issuer: "google", Nonce: "n", Verifier: "v", Next: next})
		return err
	})
	return state
}

func TestAnAttemptIsOfOneBrowserAndGoodForOnce(t *testing.T) {
	t.Parallel()
	h, b, other := open(t, session.Config{}), newBrowser(t), newBrowser(t)
	one, two := h.attempt(b, "/one"), h.attempt(b, "/two") // in two tabs
	h.attempt(other, "/")
	for name, request := range map[string]*http.Request{"another browser": other.request(), "no browser": newBrowser(t).request()} {
		if _, err := h.sessions.TakeAttempt(request, one); !errors.Is(err, session.ErrNoAttempt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for state, next := range map[string]string{one: "/one", two: "/two"} {
		a, err := h.sessions.TakeAttempt(b.request(), state)
		if err != nil || a != (session.Attempt{Issuer: "google", Nonce: "n", Verifier: "v", Next: next}) {
			t.Errorf("%+v %v", a, err)
		}
		if _, err := h.sessions.TakeAttempt(b.request(), state); !errors.Is(err, session.ErrNoAttempt) {
			t.Errorf("a second time: %v", err)
		}
	}
	for _, state := range []string{"", "made-up", ">", "*"} {
		if _, err := h.sessions.TakeAttempt(b.request(), state); !errors.Is(err, session.ErrNoAttempt) {
			t.Errorf("%q: %v", state, err)
		}
	}
	late := h.attempt(b, "/")
	h.clock.Advance(10 * time.Minute)
	if _, err := h.sessions.TakeAttempt(b.request(), late); !errors.Is(err, session.ErrNoAttempt) {
		t.Errorf("after ten minutes: %v", err)
	}
}

// Of many that use one state at the same time, one signs in.
func TestAStateIsUsedOnce(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	state := h.attempt(b, "/")
	results := make(chan error, 8)
	for range cap(results) {
		r := b.request()
		go func() {
			_, err := h.sessions.TakeAttempt(r, state)
			results <- err
		}()
	}
	took := 0
	for range cap(results) {
		if err := <-results; err == nil {
			took++
		} else if !errors.Is(err, session.ErrNoAttempt) {
			t.Error(err)
		}
	}
	if took != 1 {
		t.Errorf("%d took it", took)
	}
}

func TestSweepLeavesWhatIsInUse(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	h.attempt(newBrowser(t), "/")
	h.begin(newBrowser(t), ada)
	ended := newBrowser(t)
	h.begin(ended, ada)
	ended.do(h.sessions.End)
	h.clock.Advance(59 * time.Minute)
	h.begin(b, ada)
	kv, err := h.bus.KeyValue(t.Context(), bus.BucketSessions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "of-another-kind", []byte("x")); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(time.Minute)
	for range 2 {
		if err := h.sessions.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !h.signedIn(b) {
		t.Error("it was in use")
	}
	status, err := kv.Status(t.Context())
	if err != nil || status.Values() != 2 { // deleted keys leave nothing either
		t.Errorf("%d values, %v", status.Values(), err)
	}
}

// What is in the bucket and cannot be read signs nobody in, and is swept.
func TestValuesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	h.begin(b, ada)
	kv, err := h.bus.KeyValue(t.Context(), bus.BucketSessions)
	if err != nil {
		t.Fatal(err)
	}
	for key := range h.keys(t) {
		for _, bad := range []string{"", "{}", "null", "[]", `{"until":"soon"}`, `{"until":"2999-01-01T00:00:00Z","data":"AAAA"}`} {
			if _, err := kv.Put(t.Context(), key, []byte(bad)); err != nil {
				t.Fatal(err)
			}
			if h.signedIn(b) {
				t.Errorf("signed in by %q", bad)
			}
		}
	}
	for range 10 {
		h.clock.Advance(100 * 365 * 24 * time.Hour)
	}
	if err := h.sessions.Sweep(t.Context()); err != nil || len(h.keys(t)) != 0 {
		t.Errorf("%v: %v", err, h.keys(t))
	}
}
