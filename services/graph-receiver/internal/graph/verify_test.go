package graph

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const provisioning = "virtru-secure-share-provisioning-group@contoso.com"

// verified looks at a tenant, and holds the findings to their form.
func verified(t *testing.T, p *Provider, one tenant.Tenant) []receiver.Finding {
	t.Helper()
	one.Products = []tenant.Product{tenant.SecureShare()}
	findings, err := p.Verify(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Detail == "" || f.State == receiver.Failed && f.Action == "" {
			t.Errorf("%+v: want a detail, and an action for what failed", f)
		}
		if strings.Contains(f.Detail+f.Action, "hunter2") || strings.Contains(f.Detail+f.Action, "ada@") {
			t.Errorf("%+v tells a secret or a person", f)
		}
	}
	return findings
}

// states are the findings in short: check=state.
func states(findings []receiver.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Check+"="+string(f.State))
	}
	return all
}

func failed(findings []receiver.Finding) []receiver.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f receiver.Finding) bool { return f.State != receiver.Failed })
}

func TestVerifyFindsNothing(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	if _, err := s.AddGroup(t.Context(), "contoso", control.NewGroup{Address: provisioning, Kind: directory.Distribution, Hidden: true}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"sign-in=passed", "consent=passed", "directory=passed", "read-users=passed", "read-groups=passed", "provisioning-group=passed",
		"dynamic-distribution-group=passed", "read-members=passed", "push=unknown", // nobody has subscribed yet
	}, states(verified(t, s.provider, s.tenant))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestVerifyNamesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	findings := verified(t, s.provider, s.tenant)
	i := slices.IndexFunc(findings, func(f receiver.Finding) bool { return f.State == receiver.Blind })
	if len(failed(findings)) > 0 || i < 0 || findings[i].Check != checkDynamic ||
		!strings.Contains(findings[i].Detail, provisioning) || !strings.Contains(findings[i].Action, "Microsoft 365 group") {
		t.Errorf("%+v: want what a dynamic distribution group would look like", findings)
	}
}

// TestVerifyMissing takes one thing away at a time: exactly one check fails, and names it.
func TestVerifyMissing(t *testing.T) {
	t.Parallel()
	without := func(right string) func(*testing.T, *simulated) {
		return func(t *testing.T, s *simulated) {
			t.Helper()
			rest := slices.DeleteFunc(control.DefaultPermissions(), func(p string) bool { return p == right })
			if err := s.SetPermissions(t.Context(), "contoso", rest); err != nil {
				t.Fatal(err)
			}
		}
	}
	hidden := func(t *testing.T, s *simulated) {
		t.Helper()
		if _, err := s.AddGroup(t.Context(), "contoso", control.NewGroup{Address: provisioning, Hidden: true}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		change      func(*testing.T, *simulated)
		check, says string
	}{
		"User.Read.All":  {without("User.Read.All"), checkUsers, "User.Read.All"},
		"Group.Read.All": {without("Group.Read.All"), checkGroups, "Group.Read.All"},
		"Member.Read.Hidden": {func(t *testing.T, s *simulated) {
			hidden(t, s)
			without("Member.Read.Hidden")(t, s)
		}, checkMembers, "Member.Read.Hidden"},
		"consent": {func(t *testing.T, s *simulated) {
			if err := s.SetPermissions(t.Context(), "contoso", []string{}); err != nil {
				t.Fatal(err)
			}
		}, checkConsent, "consent address"},
		"the secret":           {func(t *testing.T, s *simulated) { s.write(t, "secret", "hunter2") }, checkSignIn, "AADSTS7000215"},
		"the secret's file":    {func(_ *testing.T, s *simulated) { s.tenant.Credential.File += "-gone" }, checkSignIn, "no such file"},
		"the application":      {func(_ *testing.T, s *simulated) { s.tenant.Credential.ClientID = "other" }, checkSignIn, "AADSTS700016"},
		"the directory id":     {func(_ *testing.T, s *simulated) { s.tenant.DirectoryID = "9f4a1c2e-0000-4000-8000-000000000009" }, checkSignIn, "Tenant ID"},
		"the domain":           {func(_ *testing.T, s *simulated) { s.tenant.Domain = "contoso.org" }, checkDirectory, "contoso.org"},
		"a domain of another":  {anotherDirectory, checkDirectory, "another directory"},
		"the group's address":  {addressOfUser, checkGroup, "A user has"},
		"a group among two":    {addressOfTwo, checkGroup, "2 groups have"},
		"the way to Microsoft": {func(_ *testing.T, s *simulated) { s.tenant.Endpoints.CAFile = "" }, checkSignIn, "port 443"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := simulate(t, control.Settings{})
			c.change(t, s)
			findings := verified(t, s.provider, s.tenant)
			bad := failed(findings)
			if len(bad) != 1 || bad[0].Check != c.check || !strings.Contains(bad[0].Detail+bad[0].Action, c.says) {
				t.Errorf("%+v\nwant %s alone to fail, and to say %q", findings, c.check, c.says)
			}
		})
	}
}

func anotherDirectory(t *testing.T, s *simulated) {
	t.Helper()
	if _, err := s.PutTenant(t.Context(), control.Tenant{ID: "fabrikam", Domains: []string{"fabrikam.com"}, App: s.app()}); err != nil {
		t.Fatal(err)
	}
	s.tenant.Domain = "fabrikam.com"
}

func addressOfUser(t *testing.T, s *simulated) {
	t.Helper()
	if _, err := s.AddUser(t.Context(), "contoso", control.NewUser{Address: "ada@contoso.com", Aliases: []string{provisioning}}); err != nil {
		t.Fatal(err)
	}
}

func addressOfTwo(t *testing.T, s *simulated) {
	t.Helper()
	for range 2 {
		if _, err := s.AddGroup(t.Context(), "contoso", control.NewGroup{Address: provisioning, AllowTaken: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerifyStrangeAnswers has what the simulator never says.
func TestVerifyStrangeAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"an outage":     {says(http.StatusServiceUnavailable, `<html>ada@contoso.com</html>`), "read-users=unknown"},
		"half a user":   {says(http.StatusOK, `{"value":[{"id":"u1","displayName":"ada@contoso.com"}]}`), "read-users=failed"},
		"no such thing": {says(http.StatusOK, `[]`), "read-groups=unknown"},
	} {
		f := newFake(t, c.answer)
		p, err := New(Config{}, Deps{Clock: f.clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		got := states(verified(t, p, f.tenant()))
		if !slices.Contains(got, c.want) || !slices.Contains(got, "consent=unknown") { // the token is opaque
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	p := provider(t)
	if _, err := p.Verify(t.Context(), tenant.Tenant{Endpoints: tenant.Endpoints{API: "http://127.0.0.1"}}); err == nil {
		t.Error("a tenant that cannot be connected is verified")
	}
}

func FuzzRightsOf(f *testing.F) {
	for _, payload := range []string{`{"roles":["User.Read.All"]}`, `{}`, `{"roles":1}`, `[]`} {
		f.Add("e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".")
	}
	f.Add("token-1")
	f.Fuzz(func(t *testing.T, token string) {
		if rights, known := rightsOf(token); !known && rights != nil {
			t.Errorf("%q of what cannot be read", rights)
		}
	})
}
