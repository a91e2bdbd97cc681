package api_test

import (
	"net/http"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// While the first complete read goes on, the ledger has a part of the directory: nothing is said of it, least of all that somebody
// is not there or not licensed.
func TestNothingIsSaidBeforeTheFirstReadEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Write(func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant(centertest.Initech)
		if err != nil {
			return err
		}
		if err := tx.SaveTenant(tenant); err != nil {
			return err
		}
		_, err = tx.EnsureProduct(tenant.ID, centertest.Share, "virtru-secure-share-provisioning-group@initech.com")
		return err
	})
	for _, path := range []string{
		"/users?product=secure-share", "/users?product=secure-share&count=true", "/users/ada", "/users/ada/history", "/products/secure-share/entitlements",
	} {
		a := h.Do(centertest.Operator, http.MethodGet, "/api/v1/tenants/initech"+path, "")
		if got := statusAndCode(a); got != "503 not-read-yet" {
			t.Errorf("%s: %s", path, got)
		}
	}
}
