package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
)

// get reads what there is, as an operator.
func get[T any](t *testing.T, h *house, path string) (got T) {
	t.Helper()
	a := h.Do(centertest.Operator, http.MethodGet, path, "")
	if a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
	a.JSON(t, &got)
	return got
}

func whoOneIs(t *testing.T, h *house) {
	for who, want := range map[*access.Principal]string{
		centertest.Operator: `{"id":"olga","name":"Olga","role":"operator","tenants":null}`,
		centertest.Admin:    `{"id":"ada.admin","name":"Ada","role":"tenant-admin","tenants":["contoso"]}`,
	} {
		if a := h.Do(who, http.MethodGet, "/api/v1/me", ""); strings.TrimSpace(a.Body) != want {
			t.Errorf("%s, want %s", a.Body, want)
		}
	}
}

func tenants(t *testing.T, h *house) {
	ids := func(p openapi.TenantPage) (all []string) {
		for _, one := range p.Items {
			all = append(all, one.ID)
		}
		return all
	}
	all := get[openapi.TenantPage](t, h, "/api/v1/tenants")
	if diff := cmp.Diff([]string{"contoso", "fabrikam", "initech"}, ids(all)); diff != "" || all.NextCursor != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first := all.Items[0]
	if !first.ReadCompletely || !first.AsOf.Equal(centertest.Nine.Add(time.Hour)) || len(first.Standing.Held) != 1 || first.Standing.Held[0].Held != centertest.Held ||
		!slices.Equal(first.Products, []string{"secure-share", "drive"}) || first.Domain != "contoso.com" || first.Provider != openapi.Entra {
		t.Errorf("%+v", first)
	}
	if last := all.Items[2]; last.ReadCompletely || !last.AsOf.IsZero() || last.Standing.Held == nil {
		t.Errorf("%+v", last)
	}
	var paged []string
	cursor := ""
	for range 4 {
		p := get[openapi.TenantPage](t, h, "/api/v1/tenants?limit=1"+cursor)
		paged = append(paged, ids(p)...)
		if p.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + p.NextCursor
	}
	if diff := cmp.Diff(ids(all), paged); diff != "" {
		t.Errorf("in pages (-want +got):\n%s", diff)
	}
	var own openapi.TenantPage
	h.Do(centertest.OtherAdmin, http.MethodGet, "/api/v1/tenants", "").JSON(t, &own)
	if diff := cmp.Diff([]string{"fabrikam"}, ids(own)); diff != "" {
		t.Errorf("of fabrikam's admin (-want +got):\n%s", diff)
	}
}

func oneTenant(t *testing.T, h *house) {
	got := get[openapi.Tenant](t, h, "/api/v1/tenants/contoso")
	if got.Users != 8 || got.Groups != 2 || got.DirectoryID != "contoso-directory" || !got.RoundBegan.Equal(centertest.Nine.Add(time.Hour)) || !got.SnapshotAt.Equal(centertest.Nine) {
		t.Errorf("%+v", got)
	}
	three, one := 3, 1
	want := []openapi.Product{
		{
			ID: "secure-share", Name: "Secure Share", GroupAddress: "virtru-secure-share-provisioning-group@contoso.com", Mode: openapi.GroupMembers,
			Group: openapi.Step{ID: "provisioning", Name: "contoso provisioning"}, Licensed: 2, Seats: openapi.SeatsSet{Purchased: &three},
			LicensedActions: []string{"share.initiate", "request.initiate"}, ActiveActions: []string{"share.receive", "request.respond"},
		},
		{
			ID: "drive", Name: "Drive", GroupAddress: "virtru-drive-provisioning-group@contoso.com", Mode: openapi.AllUsers,
			Licensed: 1, Seats: openapi.SeatsSet{Purchased: &one, Enforce: true},
			LicensedActions: []string{"drive.initiate", "drive.invite"}, ActiveActions: []string{"drive.receive", "drive.respond"},
		},
	}
	if diff := cmp.Diff(want, got.Products); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := get[openapi.Tenant](t, h, "/api/v1/tenants/initech"); got.ReadCompletely || len(got.Products) != 2 || got.Products[0].Mode != "" {
		t.Errorf("%+v", got)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	kv, err := h.Bus.KeyValue(t.Context(), bus.BucketChannels)
	if err != nil {
		t.Fatal(err)
	}
	for key, r := range map[string]channel.Record{
		"contoso.A":  {Name: "A", ID: "secret-a", Resource: "users", URL: "https://x", Key: "k1", Created: centertest.Nine, Renewed: centertest.Nine, Expires: centertest.Nine.AddDate(0, 0, 2)},
		"contoso.B":  {Name: "B", Resource: "groups", State: channel.Pending, Created: centertest.Nine},
		"fabrikam.C": {Name: "C", Resource: "others"},
	} {
		body, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Put(t.Context(), key, body); err != nil {
			t.Fatal(err)
		}
	}
	a := h.Do(centertest.Operator, http.MethodGet, "/api/v1/tenants/contoso/connection", "")
	var got openapi.Connection
	a.JSON(t, &got)
	want := []openapi.Channel{
		{Resource: "users", State: openapi.ChannelStateLive, Created: centertest.Nine, Renewed: centertest.Nine, Expires: centertest.Nine.AddDate(0, 0, 2)},
		{Resource: "groups", State: openapi.ChannelStatePending, Created: centertest.Nine},
	}
	if diff := cmp.Diff(want, got.Channels); diff != "" || got.State != openapi.ConnectionStateWorking {
		t.Errorf("%s (-want +got):\n%s", got.State, diff)
	}
	if strings.Contains(a.Body, "secret-a") || strings.Contains(a.Body, "k1") {
		t.Errorf("it tells what proves a push: %s", a.Body)
	}
	if got := get[openapi.Connection](t, h, "/api/v1/tenants/initech/connection"); len(got.Channels) != 0 {
		t.Errorf("%+v", got)
	}
	h.Write(func(tx *ledger.Tx) error {
		return tx.PutConnection(ledger.Connection{Product: 1, Class: event.ClassConsent, Check: "consent", Detail: "it is not allowed", Action: "allow it", Since: centertest.Nine})
	})
	got = get[openapi.Connection](t, h, "/api/v1/tenants/contoso/connection")
	if !got.Credential.Expires.IsZero() {
		t.Errorf("nobody knows when its credential ends: %+v", got.Credential)
	}
	if got.State != openapi.ConnectionStateDegraded || got.Degraded.Action != "allow it" || got.Degraded.Class != event.ClassConsent {
		t.Errorf("%+v", got)
	}
}

func TestWhenTheCredentialEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	end := centertest.Nine.AddDate(0, 1, 0)
	for _, c := range []ledger.Credential{
		{Product: 1, Stamp: directory.Stamp{Epoch: 1, Counter: 1}, Expires: end},
		{Product: 1, Stamp: directory.Stamp{Epoch: 1, Counter: 2}, Expires: end, Days: 30, Detail: "it ends", Action: "make another"},
	} {
		h.Write(func(tx *ledger.Tx) error { return tx.PutCredential(c) })
		want := openapi.Credential{Expires: end, Detail: c.Detail, Action: c.Action}
		connection := get[openapi.Connection](t, h, "/api/v1/tenants/contoso/connection")
		if diff := cmp.Diff(want, connection.Credential); diff != "" || connection.State != openapi.ConnectionStateWorking {
			t.Errorf("%s (-want +got):\n%s", connection.State, diff)
		}
		if diff := cmp.Diff(want, get[openapi.Tenant](t, h, "/api/v1/tenants/contoso").Standing.Credential); diff != "" {
			t.Errorf("standing (-want +got):\n%s", diff)
		}
	}
}
