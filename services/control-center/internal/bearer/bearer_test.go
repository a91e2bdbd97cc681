package bearer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/bearer"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/oidctest"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

type house struct {
	clock  *clock.Fake
	issuer *oidctest.Server
	proofs *bearer.Proofs
	tokens *tokens.Store
}

const machines = `
machines:
  - {id: billing, issuer: %[1]q, audience: "api://rollcall", subject: billing-subject, role: auditor, tenants: [contoso]}
  - {id: portal, issuer: %[1]q, audience: "api://rollcall", client_id: portal-client, role: operator, scopes: [check]}
`

func open(t *testing.T) *house {
	t.Helper()
	h := &house{clock: clock.NewFake(time.Now())}
	h.issuer = oidctest.Start(t, h.clock.Now)
	path := filepath.Join(t.TempDir(), "access.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, machines, h.issuer.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := accessfile.Open(path, telemetry.Discard(), h.clock)
	if err != nil {
		t.Fatal(err)
	}
	if h.tokens, err = tokens.Open(t.Context(), bustest.New(t), h.clock); err != nil {
		t.Fatal(err)
	}
	h.proofs = &bearer.Proofs{
		Tokens: h.tokens, Machines: bearer.NewMachines(file, issuer.NewFinder(h.clock), telemetry.Discard(), h.clock), Logger: telemetry.Discard(),
	}
	return h
}

func TestMachines(t *testing.T) {
	t.Parallel()
	h := open(t)
	billing := func(change map[string]any) map[string]any {
		all := map[string]any{"aud": "api://rollcall", "sub": "billing-subject"}
		for name, value := range change {
			all[name] = value
		}
		return all
	}
	now := h.clock.Now()
	for name, c := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"by subject":                    {billing(nil), "machine:billing"},
		"by client":                     {map[string]any{"aud": []string{"x", "api://rollcall"}, "sub": "s", "azp": "portal-client"}, "machine:portal"},
		"by client, as others name it":  {map[string]any{"aud": "api://rollcall", "sub": "s", "appid": "portal-client"}, "machine:portal"},
		"a list of scopes":              {billing(map[string]any{"scp": []string{"rollcall"}}), "machine:billing"},
		"another subject":               {billing(map[string]any{"sub": "somebody"}), ""},
		"no subject":                    {billing(map[string]any{"sub": ""}), ""},
		"another audience":              {billing(map[string]any{"aud": "api://another"}), ""},
		"no audience":                   {billing(map[string]any{"aud": nil}), ""},
		"another issuer":                {billing(map[string]any{"iss": h.issuer.URL + "/"}), ""},
		"expired":                       {billing(map[string]any{"exp": now.Add(-time.Second).Unix()}), ""},
		"without an end":                {billing(map[string]any{"exp": nil}), ""},
		"not yet":                       {billing(map[string]any{"nbf": now.Add(time.Hour).Unix()}), ""},
		"an ID token":                   {billing(map[string]any{"nonce": "n"}), ""},
		"of a person who uses a client": {map[string]any{"aud": "api://rollcall", "sub": "ada", "azp": "portal-client", "scp": "user_impersonation"}, ""},
		"a client as a subject":         {map[string]any{"aud": "api://rollcall", "sub": "portal-client"}, ""},
		"a subject as a client":         {map[string]any{"aud": "api://rollcall", "sub": "s", "azp": "billing-subject"}, ""},
		"a client behind another":       {map[string]any{"aud": "api://rollcall", "sub": "s", "azp": "x", "client_id": "portal-client"}, ""},
		"claims of other kinds":         {billing(map[string]any{"sub": []string{"billing-subject"}}), ""},
	} {
		p, err := h.proofs.Who(t.Context(), h.issuer.Sign(c.claims))
		if p.ID != c.want || (c.want == "") != errors.Is(err, access.ErrRefused) {
			t.Errorf("%s: %q %v", name, p.ID, err)
		}
	}
	p, err := h.proofs.Who(t.Context(), h.issuer.Sign(billing(nil)))
	if err != nil || !p.Sees("contoso") || p.Sees("initech") || p.Commands("contoso") {
		t.Errorf("%+v %v", p, err)
	}
}

// What no key of the issuer has signed is refused, and makes nobody ask the issuer more than a few times.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	h := open(t)
	claims := map[string]any{
		"iss": h.issuer.URL, "aud": "api://rollcall", "sub": "billing-subject", "exp": h.clock.Now().Add(time.Minute).Unix(),
	}
	good := h.issuer.Sign(claims)
	if _, err := h.proofs.Who(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	other := oidctest.Start(t, h.clock.Now)
	for name, forged := range map[string]string{
		"nothing": "", "no token": "abc", "two parts": "a.b", "three parts": "a.b.c", "cut": good[:len(good)-8], "more": good + ".a",
		"no signature": parts[0] + "." + parts[1] + ".", "alg none": "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"a shared secret":                      oidctest.SignWith(t, jose.HS256, []byte(strings.Repeat("k", 32)), claims),
		"too long":                             h.issuer.Sign(map[string]any{"aud": "api://rollcall", "sub": "billing-subject", "pad": strings.Repeat("a", 8<<10)}),
		"of an issuer that is not in the file": other.Sign(map[string]any{"aud": "api://rollcall", "sub": "billing-subject"}),
		"a token of ours that is none":         tokens.Prefix + good,
	} {
		if p, err := h.proofs.Who(t.Context(), forged); !errors.Is(err, access.ErrRefused) || p.ID != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	asked, refused, busy := h.issuer.Asked("/keys"), 0, 0
	if asked != 1 {
		t.Errorf("the issuer was asked for keys %d times", asked)
	}
	for range 50 { // each by a key of its own, which could be new
		other.RotateKey()
		switch _, err := h.proofs.Who(t.Context(), other.Sign(claims)); {
		case errors.Is(err, access.ErrRefused):
			refused++
		case errors.Is(err, access.ErrTooMany):
			busy++
		default:
			t.Fatal(err)
		}
	}
	if asked := h.issuer.Asked("/keys"); asked > 5 || refused == 0 || busy == 0 {
		t.Errorf("asked %d times, %d refused, %d too many", asked, refused, busy)
	}
	if n := other.Asked("/keys") + other.Asked("/.well-known/openid-configuration"); n != 0 {
		t.Errorf("an issuer that is not in the file was asked %d times", n)
	}
	if _, err := h.proofs.Who(t.Context(), good); err != nil {
		t.Errorf("and the good one is good no more: %v", err)
	}
}

func TestAnIssuerChangesItsKeys(t *testing.T) {
	t.Parallel()
	h := open(t)
	claims := map[string]any{"aud": "api://rollcall", "sub": "billing-subject"}
	old := h.issuer.Sign(claims)
	for range 3 {
		if _, err := h.proofs.Who(t.Context(), h.issuer.Sign(claims)); err != nil {
			t.Fatal(err)
		}
		h.issuer.RotateKey()
	}
	h.clock.Advance(2 * time.Hour)
	if _, err := h.proofs.Who(t.Context(), old); !errors.Is(err, access.ErrRefused) {
		t.Errorf("expired, and of a key that is gone: %v", err)
	}
}

// An issuer that is away is not one that refuses: the program is to try again.
func TestAnIssuerThatIsAway(t *testing.T) {
	t.Parallel()
	h := open(t)
	claims := map[string]any{"aud": "api://rollcall", "sub": "billing-subject"}
	h.issuer.Fail(oidctest.Faults{Discovery: func(d map[string]any) { d["issuer"] = "" }})
	for range 3 {
		if _, err := h.proofs.Who(t.Context(), h.issuer.Sign(claims)); !errors.Is(err, access.ErrUnavailable) {
			t.Errorf("%v", err)
		}
	}
	if n := h.issuer.Asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("asked %d times", n)
	}
	h.issuer.Fail(oidctest.Faults{})
	h.clock.Advance(time.Minute)
	if _, err := h.proofs.Who(t.Context(), h.issuer.Sign(claims)); err != nil {
		t.Error(err)
	}
}

func TestTokensOfOurs(t *testing.T) {
	t.Parallel()
	h := open(t)
	secret, made, err := h.tokens.Make(t.Context(), tokens.Wanted{Name: "a", Role: access.Operator, By: "test", Expires: h.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := h.proofs.Who(t.Context(), secret); err != nil || p.ID != "token:"+made.ID {
		t.Errorf("%+v %v", p, err)
	}
	h.clock.Advance(time.Hour)
	if _, err := h.proofs.Who(t.Context(), secret); !errors.Is(err, access.ErrRefused) {
		t.Errorf("expired: %v", err)
	}
}
