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
