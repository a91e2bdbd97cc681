package pages_test

import (
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestConnectionsTellHowTheyEnd(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	path := "/tenants/contoso/connections"
	has(t, w.page(path), "Refresh the domain", "Disconnect it in the settings")
	for kept, revokes := range map[ledger.Disconnection]bool{ledger.LicensesKept: true, ledger.LicensesEnded: false} {
		w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = kept })
		if _, err := w.registry.Change(t.Context(), "contoso", tenant.Disconnect); err != nil {
			t.Fatal(err)
		}
		page := w.page(path)
		has(t, page, "Connect it again", "Erase it")
		lacks(t, page, "Refresh the domain")
		if strings.Contains(page, "Revoke them") != revokes {
			t.Errorf("%v: %s", kept, plain(page))
		}
	}
	w.as(auditor)
	lacks(t, w.page(path), "Connect it again", "Erase it", "erase it")
}
