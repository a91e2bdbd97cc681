package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

const users = "/api/v1/tenants/contoso/users?product=secure-share"

// listedIDs reads a list to its end, in pages of a size.
func listedIDs(t *testing.T, h *house, query, limit string) (ids []string) {
	t.Helper()
	cursor := ""
	for range 20 {
		p := get[openapi.UserPage](t, h, users+query+"&limit="+limit+cursor)
		for _, u := range p.Items {
			ids = append(ids, u.ID)
		}
		if p.NextCursor == "" {
			return ids
		}
		cursor = "&cursor=" + url.QueryEscape(p.NextCursor)
	}
	t.Fatal("it has no end")
	return nil
}

func listsOfUsers(t *testing.T, h *house) {
	search := func(s string) string { return "&search=" + url.QueryEscape(s) }
	asOf := "&as_of=" + url.QueryEscape(centertest.Nine.Add(time.Minute).Format(time.RFC3339))
	for query, want := range map[string]string{
		"":                                "ada bob cid dan eve gus twin-1 twin-2",
		"&order=descending":               "twin-2 twin-1 gus eve dan cid bob ada",
		search("is:licensed"):             "ada dan",
		search("email:dan* OR is:guest"):  "dan gus",
		search("IS:Licensed not dan"):     "ada",
		search("reason:suspended"):        "cid",
		search("is:held"):                 "ada dan",
		search("zoe"):                     "",
		search("is:licensed") + asOf:      "ada cid dan",
		"&sort=licensed&order=descending": "bob eve twin-1 twin-2 cid gus ada dan",
	} {
		for _, limit := range []string{"1", "3", "100"} {
			got := strings.Join(listedIDs(t, h, query, limit), " ")
			if query == "&sort=licensed&order=descending" { // reasons in between are the ledger's to order
				got, want = got[len(got)-7:], "dan ada"
			}
			if got != want {
				t.Errorf("%s in pages of %s: %s, want %s", query, limit, got, want)
			}
		}
	}
	page := get[openapi.UserPage](t, h, users+search("group:sales@contoso.com OR group:none@contoso.com")+"&count=true&limit=1")
	if page.Count == nil || page.Count.Users != 2 || page.Count.More || cmp.Diff([]string{"none@contoso.com"}, page.UnknownGroups) != "" {
		t.Errorf("%+v", page)
	}
}

func whatAListSaysOfAUser(t *testing.T, h *house) {
	got := get[openapi.UserPage](t, h, users+"&search=id:ada+OR+id:bob")
	path := []openapi.Step{{ID: "provisioning", Name: "contoso provisioning"}, {ID: "sales", Name: "contoso sales"}}
	want := []openapi.ListedUser{
		{
			ID: "ada", Name: "contoso ada", Addresses: []string{"ada@contoso.com"}, Status: "active", Licensed: true, Since: centertest.Nine, Reason: "group-member",
			Why: "a member of the provisioning group (contoso provisioning > contoso sales)", Path: path, Changed: centertest.Nine, Cause: "contoso.read", Sequence: 1,
			Activated: centertest.Nine.Add(time.Minute),
		},
		{
			ID: "bob", Name: "contoso bob", Addresses: []string{"bob@contoso.com"}, Status: "active", Reason: "not-a-member",
			Why: "not a member of the provisioning group virtru-secure-share-provisioning-group@contoso.com",
		},
	}
	if diff := cmp.Diff(want, got.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func entitlements(t *testing.T, h *house) {
	const path = "/api/v1/tenants/contoso/products/secure-share/entitlements"
	for query, want := range map[string]string{
		"":                                   "ada group-member, dan held, ",
		"?as_of=2026-03-02T09:30:00Z":        "ada group-member, cid group-member, dan group-member, ",
		"?as_of=2026-03-02T09:00:00%2B01:00": "",
	} {
		got := ""
		for _, e := range get[openapi.EntitlementPage](t, h, path+query).Items {
			got += e.User + " " + e.Reason + ", "
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	first := get[openapi.EntitlementPage](t, h, path+"?limit=1")
	second := get[openapi.EntitlementPage](t, h, path+"?limit=1&cursor="+first.NextCursor)
	if len(first.Items) != 1 || len(second.Items) != 1 || second.Items[0].User != "dan" || !second.Items[0].Changed.Equal(centertest.Nine.Add(2*time.Hour)) {
		t.Errorf("%+v, %+v", first, second)
	}
	for _, other := range []string{path + "?as_of=2026-03-02T09:30:00Z&cursor=", users + "&cursor=", strings.Replace(path, "contoso", "fabrikam", 1) + "?cursor="} {
		if a := h.Do(centertest.Operator, http.MethodGet, other+first.NextCursor, ""); statusAndCode(a) != "400 invalid-cursor" {
			t.Errorf("%s: %s", other, statusAndCode(a))
		}
	}
}
