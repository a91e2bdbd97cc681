package pages_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// erasable is contoso disconnected, with nobody who holds a license.
func erasable(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.house("contoso", tenant.SecureShare())
	w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = ledger.LicensesEnded })
	if _, err := w.registry.Change(t.Context(), "contoso", tenant.Disconnect); err != nil {
		t.Fatal(err)
	}
	return w
}

// erased reports whether contoso is.
func (w *world) erased() bool {
	w.t.Helper()
	_, err := w.registry.Get(w.t.Context(), "contoso")
	if err != nil && !errors.Is(err, tenant.ErrNotFound) {
		w.t.Fatal(err)
	}
	return err != nil
}

// What takes longer than a page waits is followed by the page, which presses the button itself until all of it is done.
func TestAnErasingIsFollowed(t *testing.T) {
	t.Parallel()
	w := erasable(t)
	const path = "/tenants/contoso/erase"
	form := url.Values{"key": {"k"}, "confirm": {"contoso"}}
	itself := func() answered { return w.do(http.MethodPost, path, form, "HX-Request", "true") }
	w.deps.Patience = time.Millisecond
	w.begin()
	a := w.do(http.MethodPost, path, form)
	has(t, a.body, "It is being erased", `hx-post="/tenants/contoso/erase" hx-trigger="load delay:1s, again"`)
	lacks(t, a.body, "Type the tenant", "Press the button")
	if a.status != http.StatusAccepted || keyOf(t, a.body, path) != "k" {
		t.Fatalf("%d\n%s", a.status, plain(a.body))
	}
	if a := itself(); a.status != http.StatusOK || !strings.Contains(a.body, "It is being erased") || w.erased() {
		t.Fatalf("%d\n%s", a.status, plain(a.body))
	}
	seen := w.obeyed("contoso", done)
	w.deps.Patience = patience
	w.begin()
	a = itself()
	has(t, a.body, "none for this kind runs at the moment", "Type the tenant")
	if a.status != http.StatusOK || keyOf(t, a.body, path) != "k" {
		t.Errorf("without a receiver: %d", a.status)
	}
	w.receives(directory.Entra, connect.Shown{})
	if a := itself(); a.status != http.StatusNoContent || a.header.Get("HX-Redirect") != "/" || !w.erased() {
		t.Fatalf("%d to %q", a.status, a.header.Get("HX-Redirect"))
	}
	if got, want := <-seen, `erase-requested {"by":"olga"}`; got != want || len(seen) > 0 {
		t.Errorf("the worker was told %s, want %s", got, want)
	}
}

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
	if !w.erased() {
		t.Error("it is there")
	}
	if got, want := <-seen, `erase-requested {"by":"olga"}`; got != want || len(seen) > 0 {
		t.Errorf("the worker was told %s, want %s", got, want)
	}
}
