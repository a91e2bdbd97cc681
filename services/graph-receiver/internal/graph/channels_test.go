package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

const subscription = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity","id":"s1","resource":"users",
	"applicationId":"app","changeType":"updated,deleted","clientState":null,"notificationUrl":"https://r.example/graph","notificationQueryOptions":null,
	"lifecycleNotificationUrl":"https://r.example/graph","expirationDateTime":"2026-12-20T10:00:00.1234567Z","creatorId":"x","includeResourceData":null,
	"latestSupportedTlsVersion":"v1_2","encryptionCertificate":null,"encryptionCertificateId":null,"notificationUrlAppId":null}`

var granted = receiver.Channel{ID: "s1", Resource: "users", URL: "https://r.example/graph", Expires: time.Date(2026, 12, 20, 10, 0, 0, 123456700, time.UTC)}

func TestCreateAndRenewChannel(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	var sent []map[string]any
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fields := map[string]any{}
		if err != nil || json.Unmarshal(body, &fields) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		sent = append(sent, fields)
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = io.WriteString(w, subscription)
	}
	d := f.connect(t)
	expires := time.Date(2026, 12, 20, 11, 0, 0, 0, time.FixedZone("", 3600))
	made, err := d.CreateChannel(t.Context(), receiver.NewChannel{Resource: "users", URL: "https://r.example/graph", Secret: "proof", Expires: expires})
	if diff := cmp.Diff(granted, made); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	renewed, err := d.RenewChannel(t.Context(), receiver.Channel{ID: "s1"}, expires)
	if diff := cmp.Diff(granted, renewed); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	want := []map[string]any{
		{
			"changeType": "updated,deleted", "clientState": "proof", "resource": "users", "latestSupportedTlsVersion": "v1_2", "expirationDateTime": "2026-12-20T10:00:00Z",
			"notificationUrl": "https://r.example/graph", "lifecycleNotificationUrl": "https://r.example/graph",
		},
		{"expirationDateTime": "2026-12-20T10:00:00Z"},
	}
	ignoreType := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["@odata.type"]` }, cmp.Ignore())
	if diff := cmp.Diff(want, sent, ignoreType); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"POST /v1.0/subscriptions", "PATCH /v1.0/subscriptions/s1"}, f.seen()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestChannelThatIsGone(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(http.StatusNotFound, odata("ResourceNotFound")))
	d := f.connect(t)
	if _, err := d.RenewChannel(t.Context(), receiver.Channel{ID: "s1"}, time.Now()); !errors.Is(err, receiver.ErrChannelGone) {
		t.Errorf("%v, want ErrChannelGone", err)
	}
	if err := d.DeleteChannel(t.Context(), receiver.Channel{ID: "s1"}); err != nil {
		t.Errorf("%v, want none", err)
	}
	f.answer = says(http.StatusNoContent, "")
	if err := d.DeleteChannel(t.Context(), receiver.Channel{ID: "s1"}); err != nil {
		t.Errorf("%v, want none", err)
	}
	if _, err := d.RenewChannel(t.Context(), receiver.Channel{ID: "s1"}, time.Now()); err == nil {
		t.Error("a renewal without an answer is taken for one")
	}
	f.answer = says(http.StatusForbidden, odata("ExtensionError"))
	if err := d.DeleteChannel(t.Context(), receiver.Channel{ID: "s1"}); err == nil {
		t.Error("a refused deletion is taken for one")
	}
	_, renew := d.RenewChannel(t.Context(), receiver.Channel{ID: ""}, time.Now())
	if err := d.DeleteChannel(t.Context(), receiver.Channel{ID: ""}); err == nil || renew == nil {
		t.Error("an empty id is sent")
	}
}

func TestListChannels(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	next := f.server.URL + "/v1.0/subscriptions?$skiptoken=a"
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":%q}`, subscription, next)
			return
		}
		fmt.Fprint(w, `{"value":[{"id":"s2","resource":"/groups","notificationUrl":"https://other.example/","expirationDateTime":"2026-12-20T10:00:00.1234567Z"}]}`)
	}
	d := f.connect(t)
	got, err := d.ListChannels(t.Context())
	want := []receiver.Channel{granted, {ID: "s2", Resource: "groups", URL: "https://other.example/", Expires: granted.Expires}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	for name, body := range map[string]string{
		"a foreign link": `{"value":[],"@odata.nextLink":"https://evil.example/"}`, "no end": `{"value":[],"@odata.nextLink":"` + next + `"}`,
		"no id": `{"value":[{"resource":"users"}]}`, "no JSON": `x`,
	} {
		f.answer = says(http.StatusOK, body)
		if got, err := d.ListChannels(t.Context()); err == nil {
			t.Errorf("%s: %v, want an error", name, got)
		}
	}
}

func TestChannelTerms(t *testing.T) {
	t.Parallel()
	d := newFake(t, nil).connect(t)
	if diff := cmp.Diff([]string{"users", "groups"}, d.Resources()); diff != "" {
		t.Error(diff)
	}
	if most := 41_760 * time.Minute; d.ChannelLife() >= most || d.ChannelLife() < most-25*time.Hour {
		t.Errorf("a life of %v, want a day under %v", d.ChannelLife(), most)
	}
}
