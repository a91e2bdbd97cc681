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
	path := "/tenants/contoso/connections"
	has(t, w.page(path), "Refresh the domain", "Disconnect it in the settings")
	if lines := w.lines(path); len(lines) > 0 {
		t.Errorf("of one that is connected: %q", lines)
	}
	for kept, revokes := range map[ledger.Disconnection]bool{ledger.LicensesKept: true, ledger.LicensesEnded: false} {
		w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = kept })
		if _, err := w.registry.Change(t.Context(), "contoso", tenant.Disconnect); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"rollcall tenants erase contoso"}, w.lines(path)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", kept, diff)
		}
		page := w.page(path)
		has(t, page, "Connect it again")
		lacks(t, page, "Refresh the domain")
		if strings.Contains(page, "Revoke them") != revokes {
			t.Errorf("%v: %s", kept, plain(page))
		}
	}
	w.as(auditor)
	lacks(t, w.page(path), "Connect it again", "Forgotten")
}
