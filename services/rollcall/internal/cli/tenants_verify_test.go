package cli_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

// customer adds a simulated Workspace customer with its group to the house, and connects it with a key file.
func (h *house) customer(t *testing.T) *workspacetest.Account {
	t.Helper()
	account := workspacetest.New(t)
	made, err := h.client.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"}, App: account.App(),
	})
	fatal(t, err)
	_, err = h.client.AddGroup(t.Context(), "initech", control.NewGroup{Address: "virtru-secure-share-provisioning-group@initech.com"})
	fatal(t, err)
	h.must(t, "tenants", "add", "initech", "--provider", "google-workspace", "--directory-id", made.DirectoryID, "--connected-by", "admin@initech.com",
		"--credential", "google-key-file", "--key-file", account.KeyFile,
		"--api", h.simulator.URL(), "--authority", h.simulator.URL(), "--ca-file", h.simulator.CAFile())
	return account
}

type report struct {
	OK       bool
	Findings []receiver.Finding
}

// verify runs the command, and holds its exit code to what it found.
func (h *house) verify(t *testing.T, tenant string) report {
	t.Helper()
	stdout, stderr, code := h.run(t, "tenants", "verify", tenant, "-o", "json")
	var r report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	if r.OK != (code == 0) || stderr != "" {
		t.Errorf("exit code %d, OK %v, stderr %q", code, r.OK, stderr)
	}
	return r
}

func (r report) in(s receiver.FindingState) []receiver.Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f receiver.Finding) bool { return f.State != s })
}

// TestVerifyBothProviders has nothing missing.
func TestVerifyBothProviders(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	h.customer(t)
	for tenant, blind := range map[string]string{"contoso": "dynamic-distribution-group", "initech": "external-groups"} {
		r := h.verify(t, tenant)
		if !r.OK || len(r.in(receiver.Failed)) > 0 || len(r.in(receiver.Passed)) < 6 {
			t.Errorf("%s: %+v", tenant, r.Findings)
		}
		if unseen := r.in(receiver.Blind); len(unseen) == 0 || unseen[0].Check != blind {
			t.Errorf("%s: blind %+v, want %s first", tenant, unseen, blind)
		}
		table := h.must(t, "tenants", "verify", tenant)
		if !strings.HasPrefix(table, "STATE") || !strings.Contains(table, "ok       sign-in") || !strings.Contains(table, "Nothing keeps "+tenant+" from being read.") {
			t.Errorf("table:\n%s", table)
		}
	}
	if shown := h.must(t, "tenants", "show", "initech"); !strings.Contains(shown, "google-key-file") || !strings.Contains(shown, "in the name of     admin@initech.com") {
		t.Errorf("tenants show:\n%s", shown)
	}
	if _, stderr, code := h.run(t, "tenants", "verify", "nobody"); code != 1 || !strings.Contains(stderr, "nobody") {
		t.Errorf("an unknown tenant: %d %s", code, stderr)
	}
}

// missing is one thing that is taken away, and what fails by it.
type missing struct {
	tenant      string
	take, give  func(t *testing.T)
	check, says string
}

// TestVerifyNamesWhatIsMissing takes one thing away at a time: exactly one check fails, and its words name the thing.
func TestVerifyNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	h.must(t, "simulate", "add-group")
	for name, m := range h.missing(t, h.customer(t)) {
		m.take(t)
		r := h.verify(t, m.tenant)
		failed := r.in(receiver.Failed)
		if r.OK || len(failed) != 1 || failed[0].Check != m.check || !strings.Contains(failed[0].Detail+failed[0].Action, m.says) {
			t.Errorf("without %s: %+v\nwant %s alone to fail, and to say %q", name, failed, m.check, m.says)
		}
		if table, _, code := h.run(t, "tenants", "verify", m.tenant); code != 1 || strings.Count(table, "FAILED ") != 1 || strings.Contains(table, "PRIVATE") {
			t.Errorf("without %s: exit code %d\n%s", name, code, table)
		}
		m.give(t)
		if r := h.verify(t, m.tenant); !r.OK {
			t.Errorf("with %s again: %+v", name, r.in(receiver.Failed))
		}
	}
}

func (h *house) missing(t *testing.T, account *workspacetest.Account) map[string]missing {
	t.Helper()
	all := h.credentials(t, account)
	for right, check := range map[string]string{"User.Read.All": "read-users", "Group.Read.All": "read-groups"} {
		all["the permission "+right] = missing{
			"contoso",
			func(t *testing.T) { h.permit(t, without(control.DefaultPermissions(), right)) },
			func(t *testing.T) { h.permit(t, control.DefaultPermissions()) },
			check, right,
		}
	}
	all["consent"] = missing{
		"contoso", func(t *testing.T) { h.permit(t, nil) }, func(t *testing.T) { h.permit(t, control.DefaultPermissions()) }, "consent", "Grant admin consent",
	}
	for _, scope := range control.DefaultScopes() {
		all["the scope "+scope] = missing{
			"initech",
			func(t *testing.T) { h.delegate(t, without(control.DefaultScopes(), scope)) },
			func(t *testing.T) { h.delegate(t, control.DefaultScopes()) },
			"delegation", scope,
		}
	}
	rights := []string{control.PrivilegeUsers, control.PrivilegeGroups, control.PrivilegeReports}
	for privilege, c := range map[string][2]string{
		control.PrivilegeUsers: {"read-users", "Users > Read"}, control.PrivilegeGroups: {"read-groups", "Groups > Read"}, control.PrivilegeReports: {"read-reports", "Reports"},
	} {
		all["the privilege "+privilege] = missing{
			"initech", func(t *testing.T) { h.empower(t, without(rights, privilege)) }, func(t *testing.T) { h.empower(t, rights) }, c[0], c[1],
		}
	}
	return all
}

// credentials are what proves us to the customer, and the admin in whose name we read.
func (h *house) credentials(t *testing.T, account *workspacetest.Account) map[string]missing {
	t.Helper()
	kept, err := os.ReadFile(account.KeyFile)
	fatal(t, err)
	restore := func(t *testing.T) { fatal(t, os.WriteFile(account.KeyFile, kept, 0o600)) }
	return map[string]missing{
		"the admin": {
			"initech",
			func(t *testing.T) {
				_, err := h.client.Suspend(t.Context(), "initech", "admin@initech.com")
				fatal(t, err)
			},
			func(t *testing.T) {
				_, err := h.client.Unsuspend(t.Context(), "initech", "admin@initech.com")
				fatal(t, err)
			},
			"sign-in", "not suspended",
		},
		"the key":      {"initech", func(t *testing.T) { account.Replace(t) }, restore, "sign-in", "new key"},
		"the key file": {"initech", func(t *testing.T) { fatal(t, os.Remove(account.KeyFile)) }, restore, "sign-in", "no such file"},
	}
}

func (h *house) permit(t *testing.T, permissions []string) {
	t.Helper()
	fatal(t, h.client.SetPermissions(t.Context(), "contoso", slices.Concat([]string{}, permissions)))
}

func (h *house) delegate(t *testing.T, scopes []string) {
	t.Helper()
	fatal(t, h.client.SetScopes(t.Context(), "initech", scopes))
}

func (h *house) empower(t *testing.T, privileges []string) {
	t.Helper()
	fatal(t, h.client.SetAdmins(t.Context(), "initech", []control.Admin{{Address: "admin@initech.com", Privileges: privileges}}))
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
