package pages_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// An operator types the name of a tenant that is disconnected; then the worker hears of it, and a receiver after it.
func TestATenantIsErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso", tenant.SecureShare())
	seen := w.obeyed("contoso", done)
	const path = "/tenants/contoso/erase"
	post := func(key, confirm string) answered { return w.post(path, "key", key, "confirm", confirm) }
	if a := w.get(path); a.status != http.StatusNotFound {
		t.Errorf("the page of one that is connected: %d", a.status)
	}
	if a := post("k", "contoso"); a.status != http.StatusNotFound {
		t.Errorf("of one that is connected: %d", a.status)
	}
	w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = ledger.LicensesEnded })
	if _, err := w.registry.Change(t.Context(), "contoso", tenant.Disconnect); err != nil {
		t.Fatal(err)
	}
	for _, who := range []access.Principal{admin, auditor} {
		w.as(who)
		if a := w.get(path); a.status != http.StatusNotFound {
			t.Errorf("the page, as %s: %d", who.Role, a.status)
		}
		if a := post("k", "contoso"); a.status != http.StatusForbidden {
			t.Errorf("as %s: %d", who.Role, a.status)
		}
		lacks(t, w.page(settingsPath), "Erase contoso")
	}
	w.as(operator)
	has(t, w.page(settingsPath), "Danger", "Erase contoso")
	page := w.page(path)
	has(t, page, "It cannot be taken back", "Type the tenant’s name")
	key := keyOf(t, page, path)
	a := post(key, "Contoso")
	has(t, a.body, "Nothing is erased")
	if a.status != http.StatusUnprocessableEntity || len(seen) > 0 {
		t.Errorf("not confirmed: %d", a.status)
	}
	a = post(key, "contoso")
	has(t, a.body, "none for this kind runs at the moment")
	if a.status != http.StatusConflict || keyOf(t, a.body, path) != key {
		t.Errorf("without a receiver: %d", a.status)
	}
	w.receives(directory.Entra, connect.Shown{})
	if a := post(key, "contoso"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
		t.Errorf("%d %s", a.status, plain(a.body))
	}
	if _, err := w.registry.Get(t.Context(), "contoso"); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	if got, want := <-seen, `erase-requested {"by":"olga"}`; got != want || len(seen) > 0 {
		t.Errorf("the worker was told %s, want %s", got, want)
	}
}
