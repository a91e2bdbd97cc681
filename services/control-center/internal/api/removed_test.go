package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

// TestAProductThatWasRemoved is told of by whoever names it: what was decided for it stands. Nothing is ordered for it.
func TestAProductThatWasRemoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Work(done)
	h.Remove(centertest.Contoso, centertest.Share)
	const contoso = "/api/v1/tenants/contoso"
	tenant := get[openapi.Tenant](t, h, contoso)
	if diff := cmp.Diff([]openapi.FormerProduct{{ID: "secure-share", Licensed: 2, Seats: openapi.SeatsSet{Purchased: new(3)}}}, tenant.FormerProducts); diff != "" || len(tenant.Products) != 1 {
		t.Errorf("%d products (-want +former):\n%s", len(tenant.Products), diff)
	}
	decisions := func(user string) (told []string) {
		for _, d := range get[openapi.UserDetail](t, h, contoso+"/users/"+user).Decisions {
			if d.Removed {
				told = append(told, d.Why)
			}
		}
		return told
	}
	const so = "for secure-share: so it was when contoso still had the product."
	for user, want := range map[string][]string{
		"ada": {"contoso ada is licensed " + so}, "cid": {"contoso cid is not licensed " + so}, "eve": {"contoso eve is not licensed " + so},
	} {
		if diff := cmp.Diff(want, decisions(user)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", user, diff)
		}
	}
	if page := get[openapi.UserPage](t, h, contoso+"/users?product=secure-share&search=id:ada"); page.Items[0].Why != "so it was when contoso still had the product" {
		t.Errorf("%+v", page.Items)
	}
	if page := get[openapi.UserPage](t, h, contoso+"/users?search=is:licensed"); len(page.Items) != 1 || page.Items[0].Reason != "domain-default" {
		t.Errorf("where none is named, of the one that there is: %+v", page.Items)
	}
	for id, r := range rows {
		if !strings.Contains(r.path+r.body, "secure-share") || id == "getCommand" {
			continue
		}
		method, want := http.MethodGet, http.StatusOK
		switch {
		case strings.HasPrefix(id, "put"):
			method, want = http.MethodPut, http.StatusNotFound
		case !strings.HasPrefix(id, "get") && !strings.HasPrefix(id, "list"):
			method, want = http.MethodPost, http.StatusNotFound
		}
		if a := h.Do(centertest.Operator, method, r.path, r.body); a.Status != want {
			t.Errorf("%s: %d, want %d: %s", id, a.Status, want, a.Body)
		}
	}
	for _, path := range []string{"/users/ada/history?product=secure-share", "/events?product=secure-share", "/products/secure-share/entitlements", "/products/secure-share/seats/line"} {
		if a := h.Do(centertest.Operator, http.MethodGet, contoso+path, ""); a.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
}
