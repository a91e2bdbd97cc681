package entra

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// FuzzFilter holds that any text parses or is refused with 400, and that an object which a filter lets through has one
// of the values by which the filter is looked up.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"mail eq 'team@contoso.com'",
		"proxyAddresses/any(p:p eq 'smtp:team@contoso.com') or proxyAddresses/any(p:p eq 'SMTP:team@contoso.com')",
		"id eq 'g1' or id eq 'g2'",
		"not (mailEnabled eq true and startswith(displayName,'T'))",
		"mail in ('team@contoso.com', null)",
		"groupTypes/any(c:c eq 'Unified') and mail ne null",
		"mail eq 'o''hara@contoso.com'",
		"((((((((((((((((((((((((((((((((((((((((", "mail eq '", "any(", "not not not not", "'", "mail/any(mail:mail eq 'x')",
	} {
		f.Add(seed)
	}
	group := &store.Group{
		ID: "g1", Name: "Team", Mail: "team@contoso.com", Proxies: []string{"SMTP:team@contoso.com", "smtp:o'hara@contoso.com"},
		Kind: directory.Microsoft365,
	}
	f.Fuzz(func(t *testing.T, source string) {
		parsed, err := parseFilter(source, groups.find)
		if err != nil {
			if e, ok := err.(*apiError); !ok || e.status != 400 { //nolint:errorlint // it is never wrapped
				t.Fatalf("%q: %v", source, err)
			}
			return
		}
		matches := parsed.match(groups.lookup(group))
		values, ok := parsed.equals()
		if !matches || !ok {
			return
		}
		for _, v := range values {
			if strings.ToLower(v) == group.ID || slices.Contains(group.Addresses(), directory.Address(v)) {
				return
			}
		}
		t.Fatalf("%q matches the group but would look for %q only", source, values)
	})
}

// FuzzDeltaToken holds that any token is read or refused, and that a token that is read is written back to the same.
func FuzzDeltaToken(f *testing.F) {
	f.Add(deltaToken{Tenant: "t", Resource: "users", Phase: phaseEnded, Issued: 1, From: 7}.String())
	f.Add(deltaToken{Tenant: "t", Resource: "groups", Phase: phaseInitial, Select: []string{"id", "members"}, IDs: []string{"g"}, Group: "g", Member: 3}.String())
	f.Add(deltaToken{Tenant: "t", Resource: "users", Phase: phaseRound, To: 1 << 63, Offset: 1 << 30}.String())
	f.Add("bm9uc2Vuc2U")
	f.Add("")
	s, err := store.Open(store.Config{})
	if err != nil {
		f.Fatal(err)
	}
	_ = s.PutTenant(store.Tenant{ID: "contoso", DirectoryID: "t"})
	_, _ = s.AddUsers("t", []*store.User{{ID: "u", UPN: "u@contoso.com"}})
	_, _ = s.AddGroup("t", &store.Group{ID: "g", Kind: directory.Security}, false)
	_, _ = s.Join("t", "g", []string{"u"})
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := parseDeltaToken(raw)
		if err != nil {
			return
		}
		again, err := parseDeltaToken(token.String())
		if err != nil || again.String() != token.String() {
			t.Fatalf("%q is written back as %q: %v", raw, again.String(), err)
		}
		_ = s.View("t", func(v store.View) error { // whatever it says, a page can be read
			r := round{deltaToken: token, view: v, size: 2, members: 2}
			switch {
			case token.Phase != phaseInitial:
				r.changes()
			case token.Resource == "users":
				r.initialUsers()
			default:
				r.initialGroups()
			}
			if len(r.values) > 2 {
				t.Fatalf("a page of %d", len(r.values))
			}
			return nil
		})
	})
}

func TestDeltaPhase(t *testing.T) {
	t.Parallel()
	of := func(p phase) string { return deltaToken{Resource: "users", Phase: p}.String() }
	for raw, want := range map[string]string{
		"":                               "initial",
		"$select=id":                     "initial",
		"$deltatoken=":                   "initial",
		"deltatoken=latest":              "latest",
		"$deltatoken=" + of(phaseEnded):  "token",
		"$skiptoken=" + of(phaseRound):   "token",
		"$skiptoken=" + of(phaseInitial): "initial",
	} {
		if got := deltaPhase(readQuery(&url.URL{RawQuery: raw})); got != want {
			t.Errorf("%q is %s, want %s", raw, got, want)
		}
	}
}

func TestCost(t *testing.T) {
	t.Parallel()
	for route, want := range map[string]int{
		"GET /users?": 2, "GET /users?$select=id": 1, "GET /users?$select=id&$top=5": 1,
		"GET /groups/{id}/members?": 3, "GET /groups/{id}/transitiveMembers?$top=10": 4, "GET /groups/{id}?": 1,
	} {
		path, raw, _ := strings.Cut(route, "?")
		if got := cost(path, readQuery(&url.URL{RawQuery: raw})); got != want {
			t.Errorf("%s costs %d, want %d", route, got, want)
		}
	}
}
