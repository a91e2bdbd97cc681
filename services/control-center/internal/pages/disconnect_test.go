package pages_test

import (
	"net/http"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// stored is what the registry has of a tenant.
func (w *world) stored(id string) tenant.Tenant {
	w.t.Helper()
	one, err := w.registry.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return one
}

// Somebody is asked once more, and told what comes of it; then the worker hears of it, and a receiver after it.
func TestADirectoryIsDisconnected(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	seen := w.obeyed("contoso", done)
	w.as(admin)
	const path = "/tenants/contoso/disconnect"
	has(t, w.page("/tenants/contoso/settings"), "Danger", "Disconnect contoso")
	page := w.page(path)
	has(t, page, "is followed no longer", "a license.", "everybody keeps the license that they have")
	key := keyOf(t, page, path)
	send := func(licenses string) answered { return w.post(path, "key", key, "licenses", licenses) }

	a := send("keep")
	if a.status != http.StatusConflict || w.stored("contoso").Disconnected || keyOf(t, a.body, path) != key {
		t.Errorf("without a receiver: %d %s", a.status, plain(a.body))
	}
	has(t, a.body, "none for this kind runs at the moment", `value="keep" required checked`)
	w.receives(directory.Entra, connect.Shown{})
	for range 2 { // sent again it goes on, and is answered alike
		if a := send("keep"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/tenants/contoso/connections?said=done" || !w.stored("contoso").Disconnected {
			t.Errorf("%d to %s %s", a.status, a.header.Get("Location"), plain(a.body))
		}
	}
	if got, want := <-seen, `disconnect-requested {"licenses":"keep","by":"ada"}`; got != want || len(seen) > 0 {
		t.Errorf("the worker was told %s, want %s", got, want)
	}
	w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = ledger.LicensesKept })
	has(t, w.page("/tenants/contoso/settings"), "Revoke its licenses")
	w.tenant("contoso", func(t *ledger.Tenant) { t.Disconnected = ledger.LicensesEnded })
	lacks(t, w.page("/tenants/contoso/settings"), "Danger")
	if a := w.get(path); a.status != http.StatusNotFound {
		t.Errorf("nothing is left to do: %d", a.status)
	}
}

func TestADirectoryIsNotDisconnected(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.receives(directory.Entra, connect.Shown{})
	w.obey("contoso", func(event.Event) event.Answered {
		return event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeFrozen, Message: "the tenant is frozen: nothing is revoked until it is not"}
	})
	const path = "/tenants/contoso/disconnect"
	w.as(admin)
	a := w.post(path, "key", "k", "licenses", "revoke")
	has(t, a.body, "It was not done", "the tenant is frozen")
	if a.status != http.StatusConflict || keyOf(t, a.body, path) == "k" {
		t.Errorf("refused: %d, and the next try is told the same again", a.status)
	}
	if a := w.post(path, "key", "k2", "licenses", "sell"); a.status != http.StatusBadRequest {
		t.Errorf("%d", a.status)
	}
	if a := w.post(path, "licenses", "keep"); a.status != http.StatusBadRequest {
		t.Errorf("without a key: %d", a.status)
	}
	w.as(auditor)
	if a := w.post(path, "key", "k3", "licenses", "keep"); a.status != http.StatusForbidden {
		t.Errorf("as an auditor: %d", a.status)
	}
	if a := w.get(path); a.status != http.StatusNotFound {
		t.Errorf("the page, as an auditor: %d", a.status)
	}
	lacks(t, w.page("/tenants/contoso/settings"), "Danger")
	if w.stored("contoso").Disconnected {
		t.Error("it is disconnected all the same")
	}
}
