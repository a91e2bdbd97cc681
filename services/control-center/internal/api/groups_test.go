package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	const groups, address = "/api/v1/tenants/contoso/groups", "virtru-secure-share-provisioning-group@contoso.com"
	none := []string{}
	provisioning := openapi.Group{
		ID: "provisioning", Name: "contoso provisioning", Addresses: []string{address}, Kind: "security",
		Provisions: []string{"secure-share"}, Named: []string{"secure-share"}, Kept: true, Groups: 1, Effective: openapi.UserCount{Users: 2},
	}
	sales := openapi.Group{
		ID: "sales", Name: "contoso sales", Addresses: []string{"sales@contoso.com"}, Kind: "security", Provisions: none, Named: none,
		Kept: true, Direct: openapi.UserCount{Users: 2}, Effective: openapi.UserCount{Users: 2},
	}
	first := get[openapi.GroupPage](t, h, groups+"?limit=1")
	second := get[openapi.GroupPage](t, h, groups+"?limit=1&cursor="+first.NextCursor)
	if diff := cmp.Diff([]openapi.Group{provisioning, sales}, append(first.Items, second.Items...)); diff != "" || second.NextCursor != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := get[openapi.GroupPage](t, h, groups+"?search=SALES").Items; len(got) != 1 || got[0].ID != "sales" {
		t.Errorf("%+v", got)
	}
	for _, named := range []string{"provisioning", address} {
		got := get[openapi.GroupDetail](t, h, groups+"/"+named)
		if got.ID != "provisioning" || got.Cut || len(got.Inside) != 1 || got.Inside[0].ID != "sales" || got.Inside[0].Direct.Users != 2 || len(got.Inside[0].Inside) != 0 {
			t.Errorf("%s: %+v", named, got)
		}
	}
	members := get[openapi.MemberPage](t, h, groups+"/sales/members?limit=1")
	rest := get[openapi.MemberPage](t, h, groups+"/sales/members?limit=1&cursor="+members.NextCursor)
	want := []openapi.Member{
		{ID: "ada", Name: "contoso ada", Addresses: []string{"ada@contoso.com"}, Status: "active"},
		{ID: "cid", Name: "contoso cid", Addresses: []string{"cid@contoso.com"}, Status: "suspended"},
	}
	if diff := cmp.Diff(want, append(members.Items, rest.Items...)); diff != "" || rest.NextCursor != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for path, want := range map[string]string{
		groups + "/nowhere": "404 no-such-group", groups + "/nowhere@contoso.com/members": "404 no-such-group",
		groups + "/provisioning/members?cursor=" + members.NextCursor: "400 invalid-cursor",
		"/api/v1/tenants/initech/groups":                              "503 not-read-yet",
	} {
		if a := h.Do(centertest.Operator, http.MethodGet, path, ""); statusAndCode(a) != want {
			t.Errorf("%s: %+v", path, a)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Write(func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant(centertest.Contoso)
		if err != nil {
			return err
		}
		products, err := tx.Products(tenant.ID)
		if err != nil {
			return err
		}
		p := products[1] // behind Drive
		p.Sequence++
		if err := tx.PutRecord(ledger.Record{
			Product: p.ID, Sequence: p.Sequence, Type: event.TypeSeatsChanged, At: centertest.Nine.Add(3 * time.Hour), Cause: "contoso.seats.k", Data: []byte(`{"by":"grace","purchased":3}`),
		}); err != nil {
			return err
		}
		return tx.SaveProduct(p)
	})
	const path = "/api/v1/tenants/contoso/events"
	var ids []string
	cursor := ""
	for range 9 {
		page := get[openapi.EventPage](t, h, path+"?limit=2"+cursor)
		for _, e := range page.Items {
			ids = append(ids, strings.TrimPrefix(e.Type, "io.rollcall.")+" "+e.ID+" "+e.Decision.User)
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	want := []string{
		"seats.changed.v1 contoso.secure-share.6 ", "license.reason-changed.v1 contoso.secure-share.5 dan", "license.revoked.v1 contoso.secure-share.4 cid",
		"license.granted.v1 contoso.secure-share.3 dan", "license.granted.v1 contoso.secure-share.2 cid", "license.granted.v1 contoso.secure-share.1 ada",
		"license.granted.v1 contoso.drive.1 ada",
	}
	slices.Sort(want) // of one moment, they come in the order in which the ledger came to know the products
	slices.Sort(ids)
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first := get[openapi.EventPage](t, h, path+"?product=secure-share&limit=2").Items
	if first[0].Data["by"] != "grace" || first[0].Cause != "contoso.seats.k" || first[1].Decision.Reason != "held" || first[1].Data != nil {
		t.Errorf("%+v", first)
	}
	for query, want := range map[string]string{"?product=email": "404 no-such-product", "?product=drive" + cursor: "400 invalid-cursor"} {
		if a := h.Do(centertest.Operator, http.MethodGet, path+query, ""); statusAndCode(a) != want {
			t.Errorf("%s: %+v", query, a)
		}
	}
}
