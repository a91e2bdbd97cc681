package pages_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

var shown = regexp.MustCompile(`(?s)<pre><code>(.*?)</code></pre>`)

// lines are what a page says to run or to put into a file.
func (w *world) lines(path string) (all []string) {
	w.t.Helper()
	for _, m := range shown.FindAllStringSubmatch(w.page(path), -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	return all
}

// What is in the registry cannot be changed here: the page has the command line that does it, and the file that it reads.
func TestSettingsTellHowProductsChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := tenant.Product{ID: "vault", Name: `Vault: "Gold" #1`, Group: "acme-vault", Licensed: []string{"vault.open"}, Active: []string{"vault.read"}}
	w.house("contoso", tenant.SecureShare(), own)
	w.as(admin)
	lines := w.lines("/tenants/contoso/settings")
	var commands []string
	var files []tenant.Product
	for _, line := range lines {
		if strings.HasPrefix(line, "rollcall ") {
			commands = append(commands, line)
			continue
		}
		read, err := tenant.ReadProducts([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		files = append(files, read...)
	}
	if diff := cmp.Diff([]tenant.Product{tenant.SecureShare(), own}, files); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const products = "rollcall tenants products contoso "
	want := []string{
		products + "--products-file products.yaml", products + "--remove secure-share", products + "--products-file products.yaml", products + "--remove vault",
		products + "--add drive", products + "--add email", products + "--products-file products.yaml",
	}
	if diff := cmp.Diff(want, commands); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.house("fabrikam", tenant.SecureShare())
	w.as(operator)
	has(t, w.page("/tenants/fabrikam/settings"), "It is the only product")
	w.as(auditor)
	if lines := w.lines("/tenants/contoso/settings"); len(lines) > 0 {
		t.Errorf("who may only look is told %q", lines)
	}
}

func TestConnectionsTellHowTheyEnd(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	const disconnect = "rollcall tenants disconnect contoso --licenses "
	path := "/tenants/contoso/connections"
	if diff := cmp.Diff([]string{disconnect + "keep", disconnect + "revoke"}, w.lines(path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	has(t, w.page(path), "Refresh the domain")
	for kept, want := range map[ledger.Disconnection][]string{ledger.LicensesKept: {disconnect + "revoke"}, ledger.LicensesEnded: nil} {
		w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = kept })
		stored, err := w.registry.Change(t.Context(), "contoso", func(t *tenant.Tenant) error { t.Disconnected = true; return nil })
		if err != nil {
			t.Fatal(err)
		}
		add := "rollcall tenants add contoso --provider entra --directory-id " + stored.DirectoryID + " --connected-by …"
		want = append(append([]string{add}, want...), "rollcall tenants erase contoso")
		if diff := cmp.Diff(want, w.lines(path)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", kept, diff)
		}
		lacks(t, w.page(path), "Refresh the domain")
	}
	w.as(auditor)
	if lines := w.lines(path); len(lines) > 0 {
		t.Errorf("who may only look is told %q", lines)
	}
}
