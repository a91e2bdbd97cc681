package pages_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// A product that was removed is told of where it is named, and where somebody has had it; nowhere else.
func TestAProductThatWasRemovedIsStillTold(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.decide("contoso", "secure-share", decided{user: "cid", reason: licensing.NotAMember, at: w.origin.Add(time.Hour)})
	w.put("contoso", person("new", "New One"))
	w.product("contoso", "secure-share", func(p *ledger.Product) { p.State = licensing.State{} })
	w.write(func(tx *ledger.Tx) error {
		here, err := tx.Tenant("contoso")
		if err == nil {
			_, err = tx.EnsureProduct(here.ID, "secure-share", "")
		}
		return err
	})
	if _, err := w.registry.Change(t.Context(), "contoso", func(t *tenant.Tenant) error { t.Products = []tenant.Product{tenant.Drive()}; return nil }); err != nil {
		t.Fatal(err)
	}
	users := w.page("/tenants/contoso/users?product=secure-share")
	has(t, users, "secure-share is no longer a product of this tenant", "So it was when contoso still had the product.")
	has(t, w.page("/tenants/contoso/users/ann"), "is licensed for secure-share: so it was when", "No longer a product")
	has(t, w.page("/tenants/contoso/users/cid"), "is not licensed for secure-share: so it was when")
	lacks(t, w.page("/tenants/contoso/users/new"), "secure-share")
	has(t, w.page("/tenants/contoso/settings"), "No longer products", "secure-share: 1 user is licensed", "/tenants/contoso/users?product=secure-share")
	lacks(t, w.page("/tenants/contoso"), "Secure Share", "secure-share")
	if a := w.get("/tenants/contoso/users?product=email"); a.status != 404 {
		t.Errorf("of a product that never was: %d", a.status)
	}
}
