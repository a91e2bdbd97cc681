package accessfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
)

// good is a file in which everything is used. %s is the path of a file that is there.
const good = `
issuers:
  - id: google
    name: Google
    issuer: https://accounts.google.com
    client_id: 123.apps.googleusercontent.com
    client_secret_file: %[1]s
    hosted_domains: [contoso.com]
  - id: entra
    name: Microsoft
    issuer: https://login.microsoftonline.com/organizations/v2.0
    client_id: 5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10
    client_secret_file: %[1]s
    ca_file: %[1]s
    subject_claim: oid
    directory_ids: [9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11]
people:
  - {issuer: google, subject: "1142", role: operator}
  - {issuer: google, email: Ada@contoso.com, role: auditor, tenants: [contoso]}
  - {issuer: entra, subject: 11111111-2222-3333-4444-555555555555, role: tenant-admin, tenants: [contoso, initech]}
machines:
  - id: billing
    issuer: https://login.microsoftonline.com/9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11/v2.0
    audience: api://rollcall
    subject: 66666666-2222-3333-4444-555555555555
    role: auditor
    scopes: [check]
  - id: other
    issuer: https://login.microsoftonline.com/9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11/v2.0
    audience: api://rollcall
    client_id: 77777777-2222-3333-4444-555555555555
    ca_file: %[1]s
    role: tenant-admin
    tenants: [contoso]
`

func goodFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(good, path)
}

func parse(t *testing.T, text string) accessfile.File {
	t.Helper()
	f, err := accessfile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	f := parse(t, goodFile(t))
	const tid = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"
	for name, c := range map[string]struct {
		who  session.Identity
		want string
	}{
		"by subject":                       {session.Identity{Issuer: "google", Subject: "1142", Domain: "contoso.com"}, "operator []"},
		"by address":                       {session.Identity{Issuer: "google", Subject: "7", Email: "aDA@contoso.COM", Domain: "Contoso.com"}, "auditor [contoso]"},
		"subject before address":           {session.Identity{Issuer: "google", Subject: "1142", Email: "ada@contoso.com", Domain: "contoso.com"}, "operator []"},
		"of two tenants":                   {session.Identity{Issuer: "entra", Subject: "11111111-2222-3333-4444-555555555555", TenantID: tid}, "tenant-admin [contoso initech]"},
		"another domain":                   {session.Identity{Issuer: "google", Subject: "1142", Domain: "fabrikam.com"}, ""},
		"no domain":                        {session.Identity{Issuer: "google", Subject: "1142"}, ""},
		"another directory":                {session.Identity{Issuer: "entra", Subject: "11111111-2222-3333-4444-555555555555", TenantID: "x"}, ""},
		"the subject of another issuer":    {session.Identity{Issuer: "entra", Subject: "1142", TenantID: tid}, ""},
		"an address at another issuer":     {session.Identity{Issuer: "entra", Subject: "7", Email: "ada@contoso.com", TenantID: tid}, ""},
		"an issuer that is not there":      {session.Identity{Issuer: "okta", Subject: "1142"}, ""},
		"nobody":                           {session.Identity{Issuer: "google", Domain: "contoso.com"}, ""},
		"nobody with an address":           {session.Identity{Issuer: "google", Email: "ada@contoso.com", Domain: "contoso.com"}, ""},
		"a subject in place of an address": {session.Identity{Issuer: "google", Subject: "Ada@contoso.com", Domain: "contoso.com"}, ""},
		"a letter that looks alike":        {session.Identity{Issuer: "google", Subject: "7", Email: "ad\u0430@contoso.com", Domain: "contoso.com"}, ""},
	} {
		p, ok := f.Person(c.who)
		got := fmt.Sprint(p.Role, " ", p.Tenants)
		if ok != (c.want != "") || ok && (got != c.want || !event.ValidActor(p.ID) || !strings.HasPrefix(p.ID, c.who.Issuer+":") || strings.Contains(p.ID, c.who.Subject)) {
			t.Errorf("%s: %t %s %s", name, ok, got, p.ID)
		}
	}
	p := f.Machines[1].Principal()
	if p.ID != "machine:other" || !p.Commands("contoso") || p.Sees("initech") || f.Machines[0].Principal().Sees("contoso") || !f.Machines[0].Principal().Checks("contoso") {
		t.Errorf("%+v", p)
	}
}

// An issuer's word on where somebody is at home counts for the organizations that the file names at it, and for no other.
func TestWhereSomebodyIsAtHome(t *testing.T) {
	t.Parallel()
	const tid = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"
	for name, c := range map[string]struct {
		issuer accessfile.Issuer
		want   access.Home
	}{
		"named directories":       {accessfile.Issuer{DirectoryIDs: []string{tid}}, access.Home{Directory: tid}},
		"named domains":           {accessfile.Issuer{HostedDomains: []string{"contoso.com"}}, access.Home{Domain: "contoso.com"}},
		"none: anybody may claim": {accessfile.Issuer{}, access.Home{}},
	} {
		c.issuer.ID = "any"
		f := accessfile.File{
			Issuers: []accessfile.Issuer{c.issuer}, People: []accessfile.Person{{Issuer: "any", Subject: "1", Role: access.TenantAdmin, Tenants: []string{"contoso"}}},
		}
		p, ok := f.Person(session.Identity{Issuer: "any", Subject: "1", TenantID: strings.ToUpper(tid), Domain: "Contoso.com"})
		if !ok || p.Home != c.want {
			t.Errorf("%s: %t %+v", name, ok, p.Home)
		}
	}
}

// Every fault is told, where it is, and in one go; none of them repeats an address.
func TestFaults(t *testing.T) {
	t.Parallel()
	text := goodFile(t)
	parse(t, text)
	for _, c := range []struct{ old, new, says string }{
		{"id: google", "id: Google", "issuers[0].id"},
		{"id: google", "id: token", "issuers[0].id"},
		{"id: entra", "id: google", "issuers[1].id"},
		{"name: Google", "name: \"\"", "issuers[0].name"},
		{"name: Google", "name: \"a\\nb\"", "issuers[0].name"},
		{"https://accounts.google.com", "http://accounts.google.com", "issuers[0].issuer: whoever is in between"},
		{"https://accounts.google.com", "accounts.google.com", "issuers[0].issuer"},
		{"https://accounts.google.com", "https://accounts.google.com?a", "issuers[0].issuer"},
		{"client_id: 123.apps.googleusercontent.com", "client_id: ''", "issuers[0].client_id"},
		{"subject_claim: oid", "subject_claim: email", "issuers[1].subject_claim"},
		{"directory_ids: [9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11]", "directory_ids: []", "people of any Entra tenant"},
		{"directory_ids: [9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11]", "directory_ids: [contoso]", "issuers[1].directory_ids[0]"},
		{"hosted_domains: [contoso.com]", "hosted_domains: [Contoso.com]", "issuers[0].hosted_domains[0]"},
		{"hosted_domains", "hosted_domain", "field hosted_domain not found"},
		{`subject: "1142"`, `subject: ""`, "people[0]: want a subject or an email"},
		{`subject: "1142"`, `subject: "1142", email: a@b.c`, "people[0]: want a subject or an email"},
		{`subject: "1142"`, `email: ada@contoso.com`, "people[1]: the same person"},
		{"Ada@contoso.com", "'Ada <ada@contoso.com>'", "people[1].email"},
		{"issuer: google, email", "issuer: okta, email", "people[1].issuer"},
		{"role: operator", "role: owner", "people[0].role"},
		{"tenants: [contoso, initech]", "tenants: []", "people[2].tenants: a tenant-admin"},
		{"tenants: [contoso, initech]", "tenants: ['*']", "people[2].tenants[0]"},
		{"audience: api://rollcall\n    subject", "subject", "machines[0].audience"},
		{"scopes: [check]", "scopes: [all]", "machines[0].scopes[0]"},
		{"id: other", "id: billing", "machines[1]: the same machine"},
		{"client_id: 77777777", "subject: a\n    client_id: 77777777", "machines[1]: want a subject or a client_id"},
		{"people:", "people: all\nothers:", "line"},
		{"people:\n", "people:\npeople:\n", "already defined"},
		{"role: operator", "role: [operator]", "line"},
		{"machines:", "---\nmachines:", "want one document"},
		{text, "", "empty"},
		{text, "[]", "line 1"},
		{text, "\t", "found"},
		{text, strings.Repeat("#", 1<<20+1), "at most"},
	} {
		if !strings.Contains(text, c.old) {
			t.Fatalf("%q is not there", c.old)
		}
		_, err := accessfile.Parse([]byte(strings.Replace(text, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "@") || strings.Contains(err.Error(), "access.") || strings.Contains(err.Error(), "accessfile") {
			t.Errorf("%s -> %s: %v", c.old, c.new, err)
		}
	}
	_, err := accessfile.Parse([]byte("issuers: [{id: A}]\npeople: [{role: king, mail: ada@contoso.com}, 5]\nmachines: [{}]\n"))
	for _, says := range []string{
		"issuers[0].id", "issuers[0].name", "issuers[0].issuer", "issuers[0].client_id", "issuers[0].client_secret_file", "people[0].role",
		"people[0].issuer", "field mail not found", "cannot unmarshal", "machines[0].id", "machines[0].audience",
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("all at once, %s: %v", says, err)
		}
	}
}

// A machine that is known by tokens of people is none: whoever signs in would be it.
func TestTokensOfPeopleAreNoMachines(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(goodFile(t), "https://login.microsoftonline.com/9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11/v2.0", "https://accounts.google.com")
	text = strings.Replace(text, "audience: api://rollcall", "audience: 123.apps.googleusercontent.com", 1)
	if _, err := accessfile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "machines[0].audience") {
		t.Error(err)
	}
}

// FuzzParse: whatever the file says, nobody comes in who is not in it, and no role that is none.
func FuzzParse(f *testing.F) {
	f.Add(goodFile(f))
	f.Add("people: [{issuer: a, email: a@b.c, role: operator}]")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := accessfile.Parse([]byte(text))
		if err != nil {
			return
		}
		for _, p := range file.People {
			if !slices.Contains(access.Roles, p.Role) || p.Role == access.TenantAdmin && len(p.Tenants) == 0 || (p.Subject == "") == (p.Email == "") {
				t.Errorf("%+v", p)
			}
			if _, ok := file.Issuer(p.Issuer); !ok {
				t.Errorf("%+v", p)
			}
		}
		if _, ok := file.Person(session.Identity{Issuer: "google", Subject: "nobody-at-all"}); ok && !strings.Contains(text, "nobody-at-all") {
			t.Error("somebody is let in who is not there")
		}
	})
}

// TestPrincipals: two people never share an id, and every id may stand in an event.
func TestPrincipals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slug := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?`)
		issuer, subject := slug.Draw(t, "issuer"), rapid.String().Draw(t, "subject")
		other, another := slug.Draw(t, "other"), rapid.String().Draw(t, "another")
		a, b := accessfile.Subject(issuer, subject), accessfile.Subject(other, another)
		if !event.ValidActor(a) || (a == b) != (issuer == other && subject == another) {
			t.Errorf("%s %s", a, b)
		}
	})
}

// The example of the document is a good file.
func TestTheDocumentsExample(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../../../docs/control-center.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(document), "<!-- access -->\n```yaml\n")
	text, _, ended := strings.Cut(text, "```\n<!-- /access -->")
	if !found || !ended {
		t.Fatal("the document has no example")
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	text = strings.NewReplacer("/etc/rollcall/google.secret", secret, "/etc/rollcall/entra.secret", secret).Replace(text)
	if f := parse(t, text); len(f.Issuers) != 2 || len(f.People) != 3 || len(f.Machines) != 1 {
		t.Errorf("%+v", f)
	}
}
