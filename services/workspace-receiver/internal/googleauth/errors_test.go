package googleauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/googleauth/googleauthtest"
)

// TestRefusals has an authority that repeats what it was sent.
func TestRefusals(t *testing.T) {
	t.Parallel()
	strange := googleauthtest.NewKey(t)
	for name, c := range map[string]struct {
		credential func(t *testing.T, b *bundle) tenant.Credential
		want       Error
	}{
		"a strange key": {
			func(t *testing.T, b *bundle) tenant.Credential {
				return tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "k", googleauthtest.KeyFile(t, strange))}
			},
			Error{Step: Delegation, Status: 400, Code: "invalid_grant", Reason: Signature},
		},
		"an unknown admin": {
			func(t *testing.T, b *bundle) tenant.Credential {
				return tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "k", googleauthtest.KeyFile(t, b.Key)), Subject: "nobody@initech.com"}
			},
			Error{Step: Delegation, Status: 400, Code: "invalid_grant", Reason: Subject},
		},
		"no delegation": {
			func(t *testing.T, b *bundle) tenant.Credential {
				b.scopes = []string{"drive"}
				return tenant.Credential{Kind: tenant.GoogleImpersonation, File: b.federated(t)}
			},
			Error{Step: Delegation, Status: 401, Code: "unauthorized_client"},
		},
		"a strange platform": {
			func(t *testing.T, b *bundle) tenant.Credential {
				b.write(t, "subject", "hunter2")
				return tenant.Credential{Kind: tenant.GoogleImpersonation, File: b.write(t, "w", googleauthtest.Federated(t, filepath.Join(b.dir, "subject")))}
			},
			Error{Step: Federation, Status: 400, Code: "invalid_grant"},
		},
		"no right to sign": {
			func(t *testing.T, b *bundle) tenant.Credential {
				b.Accept = func(path string) *googleauthtest.Refusal {
					if path != signJWT {
						return nil
					}
					return &googleauthtest.Refusal{Status: 403, Body: `{"error":{"status":"PERMISSION_DENIED","message":"hunter2"}}`}
				}
				return tenant.Credential{Kind: tenant.GoogleImpersonation, File: b.federated(t)}
			},
			Error{Step: Signing, Status: 403, Code: "PERMISSION_DENIED"},
		},
	} {
		b := setup(t)
		_, err := b.source(t, c.credential(t, b)).Get(t.Context())
		got, ok := errors.AsType[*Error](err)
		if !ok || got.Step != c.want.Step || got.Status != c.want.Status || got.Code != c.want.Code || got.Reason != c.want.Reason {
			t.Errorf("%s: %v, want %v", name, err, &c.want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "@") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s: the error tells what was sent: %v", name, err)
		}
	}
}

// TestStrangeAnswers holds each token to one try.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "k", googleauthtest.KeyFile(t, b.Key))})
	asked := 0
	for name, c := range map[string]struct {
		no   googleauthtest.Refusal
		code string
	}{
		"an error page":      {googleauthtest.Refusal{Status: 502, Body: "<html>hunter2</html>"}, ""},
		"a redirect":         {googleauthtest.Refusal{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, ""},
		"no token":           {googleauthtest.Refusal{Status: 200, Body: `{"token_type":"Bearer","expires_in":3599}`}, unreadable},
		"a token for ever":   {googleauthtest.Refusal{Status: 200, Body: `{"access_token":"hunter2"}`}, unreadable},
		"no JSON":            {googleauthtest.Refusal{Status: 200, Body: "hunter2"}, unreadable},
		"a code that is not": {googleauthtest.Refusal{Status: 400, Body: `{"error":"admin@initech.com hunter2"}`}, ""},
		"an odd error":       {googleauthtest.Refusal{Status: 400, Body: `{"error":["hunter2"]}`}, ""},
	} {
		b.Accept = func(string) *googleauthtest.Refusal { return &c.no }
		_, err := s.Get(t.Context())
		got, ok := errors.AsType[*Error](err)
		if !ok || got.Status != c.no.Status || got.Code != c.code || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: %v", name, err)
		}
		if asked++; len(b.Asked()) != asked {
			t.Errorf("%s: asked %d times, want once", name, len(b.Asked())-asked+1)
		}
	}
}

func TestThrottledAuthority(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "k", googleauthtest.KeyFile(t, b.Key))})
	b.Accept = func(string) *googleauthtest.Refusal {
		return &googleauthtest.Refusal{Status: 429, Header: http.Header{"Retry-After": {"7"}}}
	}
	_, err := s.Get(t.Context())
	got, ok := errors.AsType[*Error](err)
	if !ok || remote.RetryAfter(got.Header) != (remote.Wait{For: 7 * time.Second, Told: true}) {
		t.Errorf("%v: want the Retry-After", err)
	}
}

func TestAuthorityAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []tenant.Credential{
		{Kind: tenant.GoogleKeyFile, File: b.write(t, "k", googleauthtest.KeyFile(t, b.Key))},
		{Kind: tenant.GoogleImpersonation, File: b.federated(t)},
	} {
		s := b.source(t, c)
		b.server.Close()
		_, err := s.Get(t.Context())
		if got, ok := errors.AsType[*Error](err); !ok || got.Cause == nil || strings.Contains(err.Error(), "https:") {
			t.Errorf("%s: %v, want the cause without the address", c.Kind, err)
		}
	}
}

func TestSlowAuthority(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source(t, tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "k", googleauthtest.KeyFile(t, b.Key))})
	s.cfg.Timeout = 50 * time.Millisecond
	release := make(chan struct{})
	b.Accept = func(string) *googleauthtest.Refusal { <-release; return nil }
	_, err := s.Get(t.Context())
	close(release)
	if got, ok := errors.AsType[*Error](err); !ok || !errors.Is(got, context.DeadlineExceeded) || got.Step != Delegation {
		t.Errorf("%v, want an error of the authority", err)
	}
}

// TestFilesOfNoUse sends nothing.
func TestFilesOfNoUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	missing := filepath.Join(b.dir, "none")
	for name, c := range map[string]struct {
		credential tenant.Credential
		says       string
	}{
		"no key file":     {tenant.Credential{Kind: tenant.GoogleKeyFile, File: missing}, missing + ": no such file"},
		"no JSON":         {tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "a", "hunter2")}, "no JSON of Google's"},
		"no key":          {tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "b", `{"type":"service_account","private_key":"hunter2"}`)}, "cannot be used"},
		"no key at all":   {tenant.Credential{Kind: tenant.GoogleKeyFile, File: b.write(t, "c", googleauthtest.Federated(t, missing))}, "type service_account"},
		"another account": {tenant.Credential{Kind: tenant.GoogleKeyFile, ServiceAccount: "x@y.example", File: b.write(t, "d", googleauthtest.KeyFile(t, b.Key))}, "another service account"},
		"another type":    {tenant.Credential{Kind: tenant.GoogleImpersonation, File: b.write(t, "e", `{"type":"hunter2"}`)}, "external_account"},
		"no token file":   {tenant.Credential{Kind: tenant.GoogleImpersonation, File: b.write(t, "f", googleauthtest.Federated(t, missing))}, missing},
	} {
		_, err := b.source(t, c.credential).Get(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if asked := b.Asked(); len(asked) != 0 {
		t.Errorf("asked %q, want nothing", asked)
	}
}

// TestReasons has Google's texts as people report them.
func TestReasons(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reason{
		"Invalid email or User ID":             Subject,
		"Not a valid email or user ID.":        Subject,
		"The account has been deleted":         Subject,
		"Invalid impersonation \"sub\" field.": Subject,
		"Invalid JWT Signature.":               Signature,
		"java.security.SignatureException: x":  Signature,
		"Invalid grant: account not found":     Account,
		"Bad Request":                          NoReason,
		"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.": Clock,
	} {
		if got := reasonOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzCodeOf(f *testing.F) {
	for _, seed := range []string{`{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, `{"error":{"status":"PERMISSION_DENIED"}}`, `{"error":null}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if code, _ := codeOf(body); strings.ContainsAny(code, "@ \n:/") || len(code) > 64 {
			t.Errorf("%q", code)
		}
	})
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  Error
		want receiver.Trouble
	}{
		{Error{Step: Delegation, Status: 400, Code: "invalid_grant", Reason: Signature}, receiver.SignIn},
		{Error{Step: Delegation, Status: 401, Code: "unauthorized_client"}, receiver.Consent},
		{Error{Step: Delegation, Status: 403, Code: "access_denied"}, receiver.Consent},
		{Error{Step: Signing, Status: 403, Code: "PERMISSION_DENIED"}, receiver.SignIn},
		{Error{Step: Federation, Status: 503}, receiver.Unreachable},
		{Error{Cause: errors.New("connection refused")}, receiver.Unreachable},
	} {
		if got := receiver.TroubleOf(fmt.Errorf("read users: %w", &c.err)); got != c.want {
			t.Errorf("%v: %q, want %q", &c.err, got, c.want)
		}
	}
}
