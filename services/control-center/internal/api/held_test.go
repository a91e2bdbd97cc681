package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

func TestHeldChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	three := 3
	nine, group := centertest.Nine, openapi.Step{ID: "provisioning", Name: "contoso provisioning"}
	open := openapi.HeldChange{
		Product: "secure-share", Held: centertest.Held, Kind: openapi.HeldKindRevocations, State: openapi.HeldStateOpen, Revision: 4, Revocations: 2, Licensed: 2,
		Seats: openapi.SeatsSet{Purchased: &three}, InForce: openapi.Policy{Mode: openapi.GroupMembers, Group: group},
		OpenedAt: nine.Add(2 * time.Hour), ExpiresAt: nine.AddDate(0, 0, 7), Cause: "contoso.left",
	}
	closed := openapi.HeldChange{
		Product: "secure-share", Held: "flip-1", Kind: openapi.HeldKindFlip, State: openapi.HeldStateRejected, Revision: 1, Grants: 1, Licensed: 2,
		Seats: openapi.SeatsSet{Purchased: &three}, InForce: openapi.Policy{Mode: openapi.GroupMembers, Group: group},
		Proposed: openapi.Policy{Mode: openapi.GroupMembers, Group: openapi.Step{ID: "sales", Name: "contoso sales"}},
		OpenedAt: nine, ExpiresAt: nine.AddDate(0, 0, 7), ClosedAt: nine.Add(time.Minute), ClosedBy: "grace",
	}
	if diff := cmp.Diff([]openapi.HeldChange{open}, get[openapi.HeldChangePage](t, h, "/api/v1/tenants/contoso/held").Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all := get[openapi.HeldChangePage](t, h, "/api/v1/tenants/contoso/held?state=all&limit=1")
	rest := get[openapi.HeldChangePage](t, h, "/api/v1/tenants/contoso/held?state=all&limit=1&cursor="+all.NextCursor)
	if diff := cmp.Diff([]openapi.HeldChange{closed, open}, append(all.Items, rest.Items...)); diff != "" || rest.NextCursor != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	const one = "/api/v1/tenants/contoso/products/secure-share/held/"
	if diff := cmp.Diff(open, get[openapi.HeldChange](t, h, one+centertest.Held)); diff != "" {
		t.Errorf("one (-want +got):\n%s", diff)
	}
	for path, want := range map[string]string{
		one + "flip-9": "404 no-such-held-change", one + "flip-9/lines": "404 no-such-held-change",
		"/api/v1/tenants/contoso/products/drive/held/" + centertest.Held: "404 no-such-held-change",
		"/api/v1/tenants/contoso/products/email/held/" + centertest.Held: "404 no-such-product",
		"/api/v1/tenants/initech/held":                                   "503 not-read-yet",
	} {
		if a := h.Do(centertest.Operator, http.MethodGet, path, ""); statusAndCode(a) != want {
			t.Errorf("%s: %+v", path, a)
		}
	}
}

func TestListsOfHeldChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	const path = "/api/v1/tenants/contoso/products/secure-share/held/revocations-2/lines?limit=1"
	first := get[openapi.HeldLinePage](t, h, path)
	second := get[openapi.HeldLinePage](t, h, path+"&cursor="+first.NextCursor)
	want := []openapi.HeldLine{
		{User: "ada", Name: "contoso ada", Addresses: []string{"ada@contoso.com"}, Status: "active", Revision: 3, WouldBeReason: "not-a-member", Licensed: true, Reason: "group-member", Since: centertest.Nine},
		{User: "dan", Name: "contoso dan", Addresses: []string{"dan@contoso.com"}, Status: "active", Revision: 4, WouldBeReason: "not-a-member", Licensed: true, Reason: "held", Since: centertest.Nine},
	}
	if diff := cmp.Diff(want, append(first.Items, second.Items...)); diff != "" || first.Revision != 4 || second.NextCursor != "" {
		t.Errorf("%+v (-want +got):\n%s", second, diff)
	}
}

// TestHowFarAHeldChangeIs: one that is approved says how many users are decided, of how many.
func TestHowFarAHeldChangeIs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(centertest.Contoso)
		if err != nil {
			return err
		}
		products, err := tx.Products(t.ID)
		if err != nil {
			return err
		}
		held, _, err := tx.HeldByRef(products[1].ID, centertest.Held) // behind Drive
		if err != nil {
			return err
		}
		held.State, held.Applied = ledger.HeldApproved, 1
		return tx.SaveHeld(held)
	})
	for _, product := range get[openapi.HeldChangePage](t, h, "/api/v1/tenants/contoso/held").Items {
		if product.State != openapi.HeldStateApproved || product.Progress != (openapi.HeldProgress{Users: 1, Of: 2}) {
			t.Errorf("%+v", product)
		}
	}
}

func TestSeats(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	one := 1
	want := openapi.Seats{Purchased: &one, Enforce: true, Used: 1, Waiting: 1}
	if diff := cmp.Diff(want, get[openapi.Seats](t, h, "/api/v1/tenants/contoso/products/drive/seats")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	line := get[openapi.LinePage](t, h, "/api/v1/tenants/contoso/products/drive/seats/line")
	if diff := cmp.Diff([]openapi.LinePlace{{Place: 1, User: "eve", Name: "contoso eve", Addresses: []string{"eve@contoso.com"}}}, line.Items); diff != "" || line.Waiting != 1 {
		t.Errorf("%d (-want +got):\n%s", line.Waiting, diff)
	}
	days := get[openapi.SeatsDays](t, h, "/api/v1/tenants/contoso/products/secure-share/seats/days?from=2026-03-01&to=2026-03-05")
	if len(days.Days) != 3 || days.Peak != 3 || days.Days[0].Used != 0 || days.Days[1].Used != 2 || days.Days[1].Peak != 3 || days.Days[2].Date.String() != "2026-03-03" {
		t.Errorf("%+v", days)
	}
	if got := get[openapi.SeatsDays](t, h, "/api/v1/tenants/contoso/products/secure-share/seats/days"); len(got.Days) != 30 {
		t.Errorf("%d days", len(got.Days))
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	const path = "/api/v1/tenants/contoso/products/secure-share/usage"
	got := get[openapi.Usage](t, h, path+"?from=2026-03-02T08:30:00Z&to=2026-03-02T10:30:00Z&points=5")
	want := []openapi.UsagePoint{
		{At: centertest.Nine.Add(-30 * time.Minute)},
		{At: centertest.Nine, Licensed: 3},
		{At: centertest.Nine.Add(30 * time.Minute), Licensed: 3},
		{At: centertest.Nine.Add(time.Hour), Licensed: 2},
		{At: centertest.Nine.Add(90 * time.Minute), Licensed: 2},
	}
	if diff := cmp.Diff(want, got.Points); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if all := get[openapi.Usage](t, h, path).Points; len(all) != 100 || !all[99].At.Equal(h.Clock.Now()) || all[99].Licensed != 2 {
		t.Errorf("%d points, %+v", len(all), all)
	}
	if a := h.Do(centertest.Operator, http.MethodGet, path+"?from=2026-03-02T08:30:00Z&to=2026-03-02T08:30:00Z", ""); statusAndCode(a) != "400 invalid-request" {
		t.Errorf("%+v", a)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	want := openapi.Settings{Hold: openapi.HoldSettings{Flips: openapi.Hold, Share: 20, Least: 5, ExpirySeconds: 604800}}
	if diff := cmp.Diff(want, get[openapi.Settings](t, h, "/api/v1/tenants/contoso/settings")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
