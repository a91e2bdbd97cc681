package entraid

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid/entraidtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

const (
	directoryID = "11111111-2222-3333-4444-555555555555"
	clientID    = "99999999-8888-7777-6666-555555555555"
)

type bundle struct {
	authority *entraidtest.Authority
	server    *httptest.Server
	clock     *clock.Fake
	env       map[string]string
	dir       string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{authority: &entraidtest.Authority{}, clock: clock.NewFake(time.Now()), env: map[string]string{}, dir: t.TempDir()}
	b.server = httptest.NewTLSServer(b.authority)
	t.Cleanup(b.server.Close)
	return b
}

func (b *bundle) credential(t *testing.T, c tenant.Credential) *Credential {
	t.Helper()
	c.ClientID = clientID
	got, err := New(Config{DirectoryID: directoryID, Authority: b.server.URL, Credential: c}, Deps{
		Transport: b.server.Client().Transport, Clock: b.clock,
		LookupEnv: func(name string) (string, bool) { v, ok := b.env[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (b *bundle) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func token(t *testing.T, c *Credential) (string, error) {
	t.Helper()
	got, err := c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.example/.default"}})
	return got.Token, err
}

func mustToken(t *testing.T, c *Credential) string {
	t.Helper()
	got, err := token(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestClientSecretRotates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.authority.Accept = func(f url.Values) *entraidtest.Refusal {
		if f.Get("client_secret") == "old-secret" || f.Get("client_secret") == "new-secret" {
			return nil
		}
		return entraidtest.Refuse(f)
	}
	file := b.write(t, "secret", "old-secret\n")
	c := b.credential(t, tenant.Credential{Kind: tenant.ClientSecret, File: file})
	if first, again := mustToken(t, c), mustToken(t, c); first != "token-1" || again != "token-1" {
		t.Errorf("tokens %s, %s: want one that is kept", first, again)
	}
	b.write(t, "secret", "new-secret")
	if got := mustToken(t, c); got != "token-2" {
		t.Errorf("token %s after the file changed, want a new one", got)
	}
	forms := b.authority.Forms()
	if last := forms[len(forms)-1]; last.Get("client_secret") != "new-secret" || last.Get("client_id") != clientID ||
		last.Get("grant_type") != "client_credentials" || !strings.Contains(last.Get("scope"), "https://graph.example/.default") {
		t.Errorf("asked with %v", last)
	}
}

func TestClientSecretFromEnvironment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.credential(t, tenant.Credential{Kind: tenant.ClientSecret, Env: "CONTOSO_SECRET"})
	if _, err := token(t, c); err == nil || !strings.Contains(err.Error(), "CONTOSO_SECRET") {
		t.Errorf("error %v, want one that names the variable", err)
	}
	b.env["CONTOSO_SECRET"] = "from-env"
	mustToken(t, c)
	if got := b.authority.Forms()[0].Get("client_secret"); got != "from-env" {
		t.Errorf("sent %q", got)
	}
}

// TestErrorsTellNoSecret has an authority that repeats what it was sent.
func TestErrorsTellNoSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.authority.Accept = entraidtest.Refuse
	certificate, _ := newCertificate(t)
	for name, c := range map[string]tenant.Credential{
		"secret":            {Kind: tenant.ClientSecret, File: b.write(t, "a", "hunter2")},
		"workload identity": {Kind: tenant.WorkloadIdentity, File: b.write(t, "b", "hunter2")},
		"certificate":       {Kind: tenant.Certificate, File: b.write(t, "c", certificate)},
	} {
		_, err := token(t, b.credential(t, c))
		var refused *Error
		if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized || refused.Code != "AADSTS7000215" {
			t.Errorf("%s: %v, want 401 AADSTS7000215", name, err)
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, "eyJ") || strings.Contains(text, "AADSTS7000215:") {
			t.Errorf("%s: the error tells what was sent: %s", name, text)
		}
	}
}

func TestWorkloadIdentity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := b.write(t, "token", "assertion-1\n")
	c := b.credential(t, tenant.Credential{Kind: tenant.WorkloadIdentity, File: file})
	mustToken(t, c)
	b.write(t, "token", "assertion-2")
	mustToken(t, c)
	var sent []string
	for _, f := range b.authority.Forms() {
		if f.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			t.Errorf("asked with %v", f)
		}
		sent = append(sent, f.Get("client_assertion"))
	}
	if strings.Join(sent, " ") != "assertion-1 assertion-2" {
		t.Errorf("sent the assertions %v", sent)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	certificate, key := newCertificate(t)
	c := b.credential(t, tenant.Credential{Kind: tenant.Certificate, File: b.write(t, "cert.pem", certificate)})
	mustToken(t, c)
	assertion := b.authority.Forms()[0].Get("client_assertion")
	signed, signature, _ := cutLast(assertion, ".")
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(signed))
	if rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, sum[:], raw, nil) != nil && rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], raw) != nil {
		t.Errorf("the assertion is not signed with the certificate's key: %s", assertion)
	}
}

func TestRefusedTokenIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.credential(t, tenant.Credential{Kind: tenant.ClientSecret, File: b.write(t, "s", "x")})
	mustToken(t, c)
	c.Refused()
	if got := mustToken(t, c); got != "token-1" {
		t.Errorf("%s: a token younger than a minute is kept", got)
	}
	b.clock.Advance(refusedAgain)
	c.Refused()
	if got := mustToken(t, c); got != "token-2" {
		t.Errorf("%s: want a new token", got)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		credential tenant.Credential
		want       string
	}{
		"missing file":   {tenant.Credential{Kind: tenant.ClientSecret, File: filepath.Join(b.dir, "none")}, "no such file"},
		"empty file":     {tenant.Credential{Kind: tenant.ClientSecret, File: b.write(t, "empty", " \n")}, "is empty"},
		"no certificate": {tenant.Credential{Kind: tenant.Certificate, File: b.write(t, "bad.pem", "hunter2")}, "cannot be used"},
		"bad password":   {tenant.Credential{Kind: tenant.Certificate, File: b.write(t, "bad.pfx", "hunter2"), Env: "NONE"}, "NONE"},
	} {
		_, err := token(t, b.credential(t, c.credential))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if n := len(b.authority.Forms()); n != 0 {
		t.Errorf("%d token requests, want none", n)
	}
	if _, err := New(Config{Credential: tenant.Credential{Kind: "static-token"}}, Deps{Transport: http.DefaultTransport}); err == nil {
		t.Error("an unknown kind is accepted")
	}
}

func TestAuthorityAwayOrStrange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.credential(t, tenant.Credential{Kind: tenant.ClientSecret, File: b.write(t, "s", "hunter2")})
	asked := 0
	for name, no := range map[string]*entraidtest.Refusal{
		"an error page": {Status: http.StatusBadGateway, Body: "<html>hunter2</html>"},
		"a redirect":    {Status: http.StatusFound, Header: http.Header{"Location": {"https://evil.example/"}}},
		"no token":      {Status: http.StatusOK, Body: `{"token_type":"Bearer"}`},
		"no JSON":       {Status: http.StatusOK, Body: `hunter2`},
	} {
		b.authority.Accept = func(url.Values) *entraidtest.Refusal { return no }
		_, err := token(t, c)
		var refused *Error
		if !errors.As(err, &refused) || refused.Status != no.Status || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
		if asked++; len(b.authority.Forms()) != asked {
			t.Errorf("%s: asked %d times, want once", name, len(b.authority.Forms())-asked+1)
		}
	}
	b.server.Close()
	_, err := token(t, b.credential(t, tenant.Credential{Kind: tenant.ClientSecret, File: filepath.Join(b.dir, "s")}))
	var away *Error
	if !errors.As(err, &away) || away.Cause == nil {
		t.Errorf("%v, want the cause", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"s"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  Error
		want receiver.Trouble
	}{
		{Error{Status: 401, Code: "AADSTS7000222"}, receiver.SignIn}, // the secret has expired
		{Error{Status: 400, Code: "AADSTS90002"}, receiver.SignIn},   // no such directory
		{Error{Status: 400, Code: "AADSTS700016"}, receiver.Consent}, // nobody has consented to the application there
		{Error{Status: 503}, receiver.Unreachable},
		{Error{Cause: errors.New("connection refused")}, receiver.Unreachable},
	} {
		if got := receiver.TroubleOf(fmt.Errorf("read users: %w", &c.err)); got != c.want {
			t.Errorf("%v: %q, want %q", &c.err, got, c.want)
		}
	}
}
