package cli_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestSimulatedFaults puts plans in force by command, and ends them.
func TestSimulatedFaults(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	for _, c := range []struct{ line, says string }{
		{"faults", "no faults are in force"},
		{"faults throttled=0.3 all=0.1 --seed 7 --retry-after 2s --for 1h --push-delay 1m", "faults throttled=0.3 all=0.1: done"},
		{"faults --tenant contoso failed=1 --stale 1s", "faults failed=1 in contoso: done"},
	} {
		if out := h.must(t, append([]string{"simulate"}, strings.Fields(c.line)...)...); !strings.Contains(out, c.says) {
			t.Errorf("simulate %s: %s", c.line, out)
		}
	}
	plans, err := h.client.Plans(t.Context())
	if err != nil || len(plans) != 2 {
		t.Fatalf("%+v %v", plans, err)
	}
	if p := plans[0]; p.Seed != 7 || p.Rates[control.Throttled] != 0.3 || p.Rates[control.PushLost] != 0.1 || p.RetryAfter != 2 ||
		p.PushDelay != time.Minute || time.Until(p.Until) > time.Hour || p.Until.IsZero() {
		t.Errorf("%+v", p)
	}
	if p := plans[1]; p.Tenant != "contoso" || len(p.Rates) != 1 || p.Stale != time.Second || !p.Until.IsZero() {
		t.Errorf("%+v", p)
	}
	if out := h.must(t, "simulate", "faults"); !strings.Contains(out, "failed=1") || !strings.Contains(out, "seed 7 for all tenants") {
		t.Errorf("%s", out)
	}
	h.must(t, "simulate", "faults", "off", "--tenant", "contoso")
	if plans, err := h.client.Plans(t.Context()); err != nil || len(plans) != 1 {
		t.Errorf("%+v %v", plans, err)
	}
	h.must(t, "simulate", "faults", "off")
	if out := h.must(t, "simulate", "faults", "--output", "json"); !strings.Contains(out, `"plans": []`) {
		t.Errorf("%s", out)
	}
}

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
