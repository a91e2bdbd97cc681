package cli_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestSimulateChangesTheDirectoryThatIsMeant has a Workspace tenant beside the house's own, which commands change when an
// address or a flag says so.
func TestSimulateChangesTheDirectoryThatIsMeant(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	_, err := h.client.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"},
		App: control.App{ServiceAccount: "rollcall@vendor.iam.gserviceaccount.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const peter, group = "peter@initech.com", "virtru-secure-share-provisioning-group@initech.com"
	for _, c := range []struct{ line, says string }{
		{"add-user " + peter + " Peter", "add-user in initech: done"},
		{"archive " + peter, "archive in initech: done"},
		{"unarchive " + peter, "unarchive in initech: done"},
		{"unarchive " + peter, "it was so already"},
		{"add-group --tenant initech", "add-group in initech: done"},
		{"add-member --via bulk-upload " + peter, "add-member in initech: done"},
		{"add-member milton@elsewhere.com --tenant initech", "add-member in initech: done"},
		{"add-member customer --tenant initech", "add-member in initech: done"},
		{"suspend " + h.someone(t), "suspend in contoso: done"},
		{"add-group", "add-group in contoso: done"},
		{"lag 2h", "lag 2h: done"},
		{"add-group sales@initech.com", "add-group in initech: done"},
		{"add-member sales@initech.com", "add-member in initech: done"},
		{"add-member --group sales@initech.com " + peter, "add-member in initech: done"},
		{"remove-member sales@initech.com", "remove-member in initech: done"},
		{"add-member sales@initech.com", "add-member in initech: done"},
		{"remove-group", "remove-group in contoso: done"},
		{"add-group --kind mail-enabled-security", "add-group in contoso: done"},
		{"add-group sales@contoso.com --kind mail-enabled-security", "add-group in contoso: done"},
		{"add-member sales@contoso.com", "add-member in contoso: done"},
		{"add-group m365@contoso.com", "add-group in contoso: done"},
	} {
		if out := h.must(t, append([]string{"simulate"}, strings.Fields(c.line)...)...); !strings.Contains(out, c.says) {
			t.Errorf("simulate %s: %s", c.line, out)
		}
	}
	listed, err := h.client.Members(t.Context(), "initech", group)
	if err != nil || len(listed) != 4 {
		t.Errorf("members %+v, %v", listed, err)
	}
	for tenant, group := range map[string]string{"initech": group, "contoso": "virtru-secure-share-provisioning-group@contoso.com"} {
		listed, err := h.client.Members(t.Context(), tenant, group)
		if err != nil || !slices.ContainsFunc(listed, func(m control.Member) bool { return m.Kind == directory.GroupMember }) {
			t.Errorf("no group in that of %s: %+v, %v", tenant, listed, err)
		}
	}
	if s, err := h.client.Settings(t.Context()); err != nil || s.ActivityLag["admin"] != 2*time.Hour || s.ActivityLag["groups_enterprise"] != 2*time.Hour {
		t.Errorf("settings %+v, %v", s, err)
	}
	for line, says := range map[string]string{
		"archive " + h.someone(t): "archive",
		"add-member virtru-secure-share-provisioning-group@initech.com --group sales@initech.com": "a group of kind",
		"add-member sales@contoso.com --group m365@contoso.com":                                   "a group of kind",
		"restore-group 00abcdefghijklm --tenant initech":                                          "only entra has that",
		"suspend " + peter + " --tenant x":                                                        `no tenant "x"`,
		"suspend --via api " + h.someone(t):                                                       "--via is for google-workspace",
	} {
		if _, stderr, code := h.run(t, append([]string{"simulate"}, strings.Fields(line)...)...); code != 1 || !strings.Contains(stderr, says) {
			t.Errorf("simulate %s: %d %s", line, code, stderr)
		}
	}
	if _, stderr, code := h.run(t, "simulate", "suspend", "--via", "fax", peter); code != 2 || !strings.Contains(stderr, `--via "fax"`) {
		t.Errorf("simulate --via fax: %d %s", code, stderr)
	}
	if _, err := h.client.Archive(t.Context(), "contoso", h.someone(t)); err == nil {
		t.Error("a user of Entra ID was archived")
	}
}
