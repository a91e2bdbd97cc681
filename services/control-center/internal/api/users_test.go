package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

func oneUser(t *testing.T, h *house) {
	share, drive := "virtru-secure-share-provisioning-group@contoso.com", "virtru-drive-provisioning-group@contoso.com"
	path := []openapi.Step{{ID: "provisioning", Name: "contoso provisioning"}, {ID: "sales", Name: "contoso sales"}}
	expires := centertest.Nine.AddDate(0, 0, 7)
	parked := openapi.ParkedBy{Held: centertest.Held, Kind: openapi.HeldKindRevocations, WouldBeReason: "not-a-member", Expires: expires}
	for user, want := range map[string][]openapi.Decision{
		"ada": {
			{
				Product: "drive", Licensed: true, Reason: "domain-default", Mode: openapi.AllUsers, GroupAddress: drive, Since: centertest.Nine,
				Why: "contoso ada is licensed for drive: every active user of contoso is, because no group " + drive + " is in force.",
			},
			{
				Product: "secure-share", Licensed: true, Reason: "group-member", Mode: openapi.GroupMembers, GroupAddress: share, Since: centertest.Nine, Path: path,
				Activated: centertest.Nine.Add(time.Minute),
				Why:       "contoso ada is licensed for secure-share: a member of the provisioning group (contoso provisioning > contoso sales).",
				Parked:    openapi.Parked{Held: []openapi.ParkedBy{parked}},
			},
		},
		"eve@contoso.com": {
			{
				Product: "drive", Reason: "over-seat-limit", Mode: openapi.AllUsers, GroupAddress: drive,
				Why:    "contoso eve is not licensed for drive: no seat was free, and this user is the next to get one (place 1).",
				Parked: openapi.Parked{Waiting: openapi.InLine{Place: 1, InLine: 1}},
			},
			{
				Product: "secure-share", Reason: "not-a-member", Mode: openapi.GroupMembers, GroupAddress: share,
				Why: "contoso eve is not licensed for secure-share: not a member of the provisioning group " + share + ".",
			},
		},
		"dan": {
			{
				Product: "drive", Reason: "not-decided-yet", Mode: openapi.AllUsers, GroupAddress: drive,
				Why: "contoso dan is not licensed for drive: nobody has decided about this user yet.",
			},
			{
				Product: "secure-share", Licensed: true, Reason: "held", Mode: openapi.GroupMembers, GroupAddress: share, Since: centertest.Nine,
				Why:    "contoso dan is licensed for secure-share: a revocation is parked in revocations-2, though the user is not a member of the provisioning group.",
				Parked: openapi.Parked{Held: []openapi.ParkedBy{parked}, Against: "not-a-member"},
			},
		},
	} {
		got := get[openapi.UserDetail](t, h, "/api/v1/tenants/contoso/users/"+user)
		if diff := cmp.Diff(want, got.Decisions); diff != "" {
			t.Errorf("%s (-want +got):\n%s", user, diff)
		}
		if got.Name != "contoso "+got.ID || got.Addresses[0] != got.ID+"@contoso.com" || !got.AsOf.Equal(centertest.Nine.Add(time.Hour)) || len(got.Standing.Held) != 1 {
			t.Errorf("%+v", got)
		}
	}
}

func usersThatAreNotOne(t *testing.T, h *house) {
	for path, want := range map[string]string{
		"/contoso/users/zoe":                         "404 no-such-user",
		"/contoso/users/zoe@contoso.com":             "404 no-such-user",
		"/contoso/users/ada@fabrikam.com":            "404 no-such-user",
		"/contoso/users/twin@contoso.com":            "409 several-users",
		"/contoso/users/zoe/history":                 "404 no-such-user",
		"/contoso/users/ada/history?product=email":   "404 no-such-product",
		"/contoso/users/%00%ff":                      "404 no-such-user",
		"/initech/users/ada":                         "503 not-read-yet",
		"/contoso/users/ada/history?cursor=AAAA":     "400 invalid-cursor",
		"/contoso/users/ada/elsewhere":               "404 not-found",
		"/contoso/users/ada/history?product=&cursor": "400 invalid-request",
	} {
		a := h.Do(centertest.Operator, http.MethodGet, "/api/v1/tenants"+path, "")
		if got := http.StatusText(a.Status); got == "" || want != statusAndCode(a) {
			t.Errorf("%s: %s, want %s", path, statusAndCode(a), want)
		}
		if a.Header.Get("ETag") != "" {
			t.Errorf("%s: a problem has a tag", path)
		}
	}
}

func history(t *testing.T, h *house) {
	all := get[openapi.PeriodPage](t, h, "/api/v1/tenants/contoso/users/dan/history")
	path := []openapi.Step{{ID: "provisioning", Name: "contoso provisioning"}, {ID: "sales", Name: "contoso sales"}}
	later := centertest.Nine.Add(2 * time.Hour)
	want := []openapi.Period{
		{Product: "secure-share", Licensed: true, Reason: "held", From: later, Cause: "contoso.left", Sequence: 5},
		{Product: "secure-share", Licensed: true, Reason: "group-member", Path: path, From: centertest.Nine, To: later, Cause: "contoso.read", Sequence: 3},
	}
	if diff := cmp.Diff(want, all.Items); diff != "" || all.NextCursor != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	both := get[openapi.PeriodPage](t, h, "/api/v1/tenants/contoso/users/ada/history")
	if len(both.Items) != 2 || both.Items[0].Product != "drive" || both.Items[1].Product != "secure-share" {
		t.Errorf("%+v", both)
	}
	first := get[openapi.PeriodPage](t, h, "/api/v1/tenants/contoso/users/ada/history?limit=1")
	second := get[openapi.PeriodPage](t, h, "/api/v1/tenants/contoso/users/ada/history?limit=1&cursor="+first.NextCursor)
	if diff := cmp.Diff(both.Items, append(first.Items, second.Items...)); diff != "" || second.NextCursor != "" {
		t.Errorf("in pages (-want +got):\n%s", diff)
	}
	if got := get[openapi.PeriodPage](t, h, "/api/v1/tenants/contoso/users/ada/history?product=drive"); len(got.Items) != 1 {
		t.Errorf("%+v", got)
	}
	for _, other := range []string{"users/dan/history", "users/ada/history?product=drive", "held", "refreshes"} {
		sep := "?"
		if other == "users/ada/history?product=drive" {
			sep = "&"
		}
		a := h.Do(centertest.Operator, http.MethodGet, "/api/v1/tenants/contoso/"+other+sep+"cursor="+first.NextCursor, "")
		if statusAndCode(a) != "400 invalid-cursor" {
			t.Errorf("a cursor of another list at %s: %s", other, statusAndCode(a))
		}
	}
}
