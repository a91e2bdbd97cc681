package googleauth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/googleauth/googleauthtest"
)

const signJWT = "/v1/projects/-/serviceAccounts/" + googleauthtest.ServiceAccount + ":signJwt"

type bundle struct {
	*googleauthtest.Authority
	server *httptest.Server
	clock  *clock.Fake
	env    map[string]string
	dir    string
	scopes []string

	mu     sync.Mutex
	routes []string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{clock: clock.NewFake(time.Unix(1_800_000_000, 0)), env: map[string]string{}, dir: t.TempDir(), scopes: []string{"one", "two"}}
	b.Authority, b.server = googleauthtest.New(t)
	return b
}

func (b *bundle) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// federated writes a workload identity configuration and its subject token.
func (b *bundle) federated(t *testing.T) string {
	t.Helper()
	return b.write(t, "wif.json", googleauthtest.Federated(t, b.write(t, "subject", googleauthtest.SubjectToken)))
}

func (b *bundle) source(t *testing.T, c tenant.Credential) *Source {
	t.Helper()
	if c.Subject == "" {
		c.Subject = googleauthtest.Admin
	}
	if c.Kind == tenant.GoogleImpersonation && c.ServiceAccount == "" {
		c.ServiceAccount = googleauthtest.ServiceAccount
	}
	s, err := New(Config{Credential: c, Scopes: b.scopes, Authority: b.server.URL + "/"}, Deps{
		Transport: remote.Observed{Next: b.server.Client().Transport, Route: Route, Tell: func(_, route string, _ int, _ time.Duration) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.routes = append(b.routes, route)
		}},
		Clock: b.clock, LookupEnv: func(name string) (string, bool) { v, ok := b.env[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func want(t *testing.T, s *Source, token string) {
	t.Helper()
	got, err := s.Get(t.Context())
	if err != nil || got.AccessToken != token {
		t.Errorf("%v, %v: want %s", got, err, token)
	}
}

func TestKeyless(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want(t, b.source(t, tenant.Credential{Kind: tenant.GoogleImpersonation, File: b.federated(t)}), "token-1")
	if diff := cmp.Diff([]string{"/v1/token", signJWT, "/token"}, b.Asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/v1/token", "/v1/serviceAccounts/{account}:signJwt", "/token"}, b.routes); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
	claims := b.Claims()[0]
	claims.Issued, claims.Expires = 0, 0
	if diff := cmp.Diff(googleauthtest.Claims{
		Issuer: googleauthtest.ServiceAccount, Subject: googleauthtest.Admin, Audience: "https://oauth2.googleapis.com/token", Scope: "one two",
	}, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

func TestApplicationDefaultCredentials(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.env["GOOGLE_APPLICATION_CREDENTIALS"] = b.federated(t)
	want(t, b.source(t, tenant.Credential{Kind: tenant.GoogleImpersonation}), "token-1")
}

// TestKeyFile has a key whose token_uri leads elsewhere.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := b.write(t, "key.json", googleauthtest.KeyFile(t, b.Key))
	want(t, b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: file}), "token-1")
	if diff := cmp.Diff([]string{"/token"}, b.Asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestTokenIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "key.json", googleauthtest.KeyFile(t, b.Key))})
	want(t, s, "token-1")
	b.clock.Advance(54 * time.Minute)
	want(t, s, "token-1")
	b.clock.Advance(time.Minute)
	want(t, s, "token-2")
}

// TestAuthorityAwayForAMoment has the authority fail when a token should be replaced.
func TestAuthorityAwayForAMoment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "key.json", googleauthtest.KeyFile(t, b.Key))})
	want(t, s, "token-1")
	b.Accept = func(string) *googleauthtest.Refusal { return &googleauthtest.Refusal{Status: http.StatusBadGateway} }
	b.clock.Advance(56 * time.Minute)
	want(t, s, "token-1")
	want(t, s, "token-1")
	if n := len(b.Asked()); n != 2 {
		t.Errorf("asked %d times, want once more in half a minute", n)
	}
	b.clock.Advance(4 * time.Minute)
	if _, err := s.Get(t.Context()); err == nil {
		t.Error("a token that has expired is given")
	}
	b.Accept = nil
	want(t, s, "token-2")
}

func TestReplacedFileCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := b.write(t, "key.json", googleauthtest.KeyFile(t, googleauthtest.NewKey(t)))
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: file})
	if _, err := s.Get(t.Context()); err == nil {
		t.Fatal("a token for a strange key")
	}
	b.write(t, "key.json", googleauthtest.KeyFile(t, b.Key))
	want(t, s, "token-1")
}

func TestRefusedTokenIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "key.json", googleauthtest.KeyFile(t, b.Key))})
	want(t, s, "token-1")
	s.Refused()
	want(t, s, "token-1")
	b.clock.Advance(refusedAgain)
	s.Refused()
	want(t, s, "token-2")
}

func TestManyAskOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "key.json", googleauthtest.KeyFile(t, b.Key))})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { want(t, s, "token-1") })
	}
	all.Wait()
	if n := len(b.Asked()); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

func TestWhoWaitsCanGiveUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "key.json", googleauthtest.KeyFile(t, b.Key))})
	inside, release := make(chan struct{}), make(chan struct{})
	b.Accept = func(string) *googleauthtest.Refusal { close(inside); <-release; return nil }
	first := make(chan error, 1)
	go func() { _, err := s.Get(context.WithoutCancel(t.Context())); first <- err }()
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestConfigurationsOfNoUse(t *testing.T) {
	t.Parallel()
	good := Config{Credential: tenant.Credential{Kind: tenant.GoogleKeyFile}, Scopes: []string{"s"}}
	for name, change := range map[string]func(*Config, *Deps){
		"no transport": func(_ *Config, d *Deps) { d.Transport = nil },
		"no scopes":    func(c *Config, _ *Deps) { c.Scopes = nil },
		"another kind": func(c *Config, _ *Deps) { c.Credential.Kind = tenant.ClientSecret },
		"no https":     func(c *Config, _ *Deps) { c.Authority = "http://127.0.0.1" },
	} {
		cfg, deps := good, Deps{Transport: http.DefaultTransport}
		change(&cfg, &deps)
		if _, err := New(cfg, deps); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(good, Deps{Transport: http.DefaultTransport}); err != nil {
		t.Error(err)
	}
}

// TestOnlyGoogleIsRerouted holds what a transport does to the address of a request.
func TestOnlyGoogleIsRerouted(t *testing.T) {
	t.Parallel()
	var went []string
	next := roundTrip(func(r *http.Request) (*http.Response, error) {
		went = append(went, r.URL.String())
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	for _, authority := range []string{"https://127.0.0.1:1/google", ""} {
		rt, err := transport(authority, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range []string{"https://oauth2.googleapis.com/token", "https://sts.googleapis.com/v1/token", "http://169.254.169.254/token", "https://evil.example/token"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			res, err := rt.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
		}
	}
	if !slices.Equal(went, []string{
		"https://127.0.0.1:1/google/token", "https://127.0.0.1:1/google/v1/token", "http://169.254.169.254/token", "https://evil.example/token",
		"https://oauth2.googleapis.com/token", "https://sts.googleapis.com/v1/token", "http://169.254.169.254/token", "https://evil.example/token",
	}) {
		t.Errorf("went to %s", strings.Join(went, " "))
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
