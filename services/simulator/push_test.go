package simulator_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// hook is a notification endpoint that answers handshakes and hands every other body to the test.
type hook struct {
	*httptest.Server
	bodies chan object
	status chan int // answers to give first; then 202
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{bodies: make(chan object, 1000), status: make(chan int, 100)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.URL.Query().Get("validationToken"); token != "" {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, token)
			return
		}
		var body object
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("notification: %v", err)
		}
		status := http.StatusAccepted
		select {
		case status = <-h.status:
		default:
		}
		w.WriteHeader(status)
		h.bodies <- body
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) next(t *testing.T) []object {
	t.Helper()
	select {
	case body := <-h.bodies:
		var out []object
		for _, v := range body["value"].([]any) {
			out = append(out, v.(object))
		}
		return out
	case <-time.After(10 * time.Second):
		t.Fatal("no notification came")
		return nil
	}
}

func (s *sim) subscribe(resource, url string, headers ...string) (int, object) {
	s.t.Helper()
	status, out, _ := s.call(http.MethodPost, "/subscriptions", object{
		"changeType": "updated,deleted", "notificationUrl": url, "lifecycleNotificationUrl": url, "resource": resource,
		"expirationDateTime": time.Now().Add(48 * time.Hour).Format(time.RFC3339Nano), "clientState": "state",
	}, headers...)
	return status, out
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{AllowLoopbackHTTP: true})
	ctx, h := t.Context(), newHook(t)
	ann, bob := s.user("ann"), s.user("bob")
	group := s.group(control.NewGroup{Name: "g", Kind: directory.Security})
	status, users := s.subscribe("/users", h.URL)
	if status != http.StatusCreated || users["clientState"] != "state" {
		t.Fatalf("subscribe: %d %v", status, users)
	}
	if status, out := s.subscribe("groups", h.URL); status != http.StatusCreated {
		t.Fatalf("subscribe: %d %v", status, out)
	}

	changed := must(s.control.Suspend(ctx, "contoso", ann))(t)
	got := h.next(t)
	data, _ := got[0]["resourceData"].(object)
	if data["eventTime"] == "" || data["sequenceNumber"].(float64) < 1e17 {
		t.Errorf("data: %v", data)
	}
	delete(data, "eventTime")
	delete(data, "sequenceNumber")
	expires, _ := time.Parse(time.RFC3339, users["expirationDateTime"].(string))
	want := []object{{
		"changeType": "updated", "clientState": "state", "resource": "Users/" + ann, "tenantId": s.tenant.DirectoryID,
		"subscriptionId": users["id"], "subscriptionExpirationDateTime": expires.Format("2006-01-02T15:04:05.0000000+00:00"),
		"resourceData": object{
			"@odata.type": "#Microsoft.Graph.User", "@odata.id": "Users/" + ann, "id": ann, "organizationId": s.tenant.DirectoryID,
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	must(s.control.AddMembers(ctx, "contoso", group, ann, bob))(t)
	got = h.next(t)
	links := got[0]["resourceData"].(object)["members@delta"]
	if got[0]["resource"] != "Groups/"+group || !cmp.Equal(links, []any{object{"id": ann}, object{"id": bob}}) {
		t.Errorf("added: %v", got)
	}
	must(s.control.PurgeUser(ctx, "contoso", bob))(t)
	if got = h.next(t); len(got) != 1 || got[0]["changeType"] != "deleted" || got[0]["resource"] != "Users/"+bob {
		t.Errorf("purged: %v", got)
	}
	var deliveries []control.Delivery
	soon, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for len(deliveries) < 3 { // a POST is noted once it has been answered
		deliveries = must(s.control.Deliveries(soon, "contoso", changed.Version-1))(t)
	}
	slices.SortFunc(deliveries, func(a, b control.Delivery) int { return int(a.Version - b.Version) })
	if len(deliveries) != 3 || deliveries[0].Version != changed.Version || deliveries[0].At.Before(changed.At) || deliveries[0].Status != 202 {
		t.Errorf("deliveries: %+v", deliveries)
	}
}

func TestHeldNotificationsShareOneRequest(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{AllowLoopbackHTTP: true})
	ctx, h := t.Context(), newHook(t)
	ann := s.user("ann")
	group := s.group(control.NewGroup{Name: "g", Kind: directory.Security})
	s.subscribe("/users", h.URL)
	s.subscribe("/groups/"+group, h.URL)
	if err := s.control.SetPush(ctx, control.Push{Mode: control.PushHold, Duplicates: 1}); err != nil {
		t.Fatal(err)
	}
	must(s.control.Suspend(ctx, "contoso", ann))(t)
	if err := s.control.SetPush(ctx, control.Push{Mode: control.PushHold}); err != nil {
		t.Fatal(err)
	}
	must(s.control.AddMembers(ctx, "contoso", group, ann))(t)
	must(s.control.RemoveMembers(ctx, "contoso", group, ann))(t)
	if err := s.control.SetPush(ctx, control.Push{Mode: control.PushOn}); err != nil {
		t.Fatal(err)
	}
	got := h.next(t)
	if len(got) != 3 {
		t.Errorf("%d items in the request, want the user's twice and the group's: %v", len(got), got)
	}
	if last := got[len(got)-1]; !cmp.Equal(last["resourceData"].(object)["members@delta"], []any{
		object{"id": ann}, object{"id": ann, "@removed": "deleted"},
	}) {
		t.Errorf("the member should be there twice: %v", last)
	}
	if err := s.control.SetPush(ctx, control.Push{Mode: control.PushOff}); err != nil {
		t.Fatal(err)
	}
	must(s.control.Unsuspend(ctx, "contoso", ann))(t)
	if err := s.control.SetPush(ctx, control.Push{Mode: control.PushOn}); err != nil {
		t.Fatal(err)
	}
	must(s.control.PurgeUser(ctx, "contoso", ann))(t)
	if got := h.next(t); got[0]["changeType"] != "deleted" {
		t.Errorf("what changed while push was off came: %v", got)
	}
}

func TestRefusedNotificationComesAgain(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{AllowLoopbackHTTP: true, RetryBase: time.Millisecond})
	h := newHook(t)
	s.subscribe("/users", h.URL)
	h.status <- http.StatusServiceUnavailable
	h.status <- http.StatusServiceUnavailable
	ann := s.user("ann")
	for range 3 {
		if got := h.next(t); got[0]["resource"] != "Users/"+ann {
			t.Errorf("got %v", got)
		}
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{AllowLoopbackHTTP: true})
	echo := func(w http.ResponseWriter, r *http.Request, f func(string) string) {
		_, _ = io.WriteString(w, f(r.URL.Query().Get("validationToken")))
	}
	plain := func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain; charset=utf-8") }
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		message string
	}{
		"not found": {http.NotFound, "must respond with 200 OK"},
		"accepted":  {func(w http.ResponseWriter, _ *http.Request) { plain(w); w.WriteHeader(http.StatusAccepted) }, "must respond with 200 OK"},
		"other type": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			echo(w, r, strings.Clone)
		}, "text/plain"},
		"other token": {func(w http.ResponseWriter, r *http.Request) { plain(w); echo(w, r, strings.ToUpper) }, "exactly match"},
		"token and more": {func(w http.ResponseWriter, r *http.Request) {
			plain(w)
			echo(w, r, func(s string) string { return s + "\n" })
		}, "exactly match"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			status, out := s.subscribe("/users", server.URL)
			message, _ := out["error"].(object)["message"].(string)
			if status != http.StatusBadRequest || code(out) != "ValidationError" || !strings.Contains(message, c.message) {
				t.Errorf("%d %v", status, out)
			}
		})
	}
	if list := s.get("/subscriptions")["value"].([]any); len(list) != 0 {
		t.Errorf("a subscription was made: %v", list)
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now().UTC().Truncate(time.Second))
	s := start(t, simulator.Config{AllowLoopbackHTTP: true}, fake)
	s.putTenant()
	h := newHook(t)
	post := func(resource string, life time.Duration) (int, object) {
		status, out, _ := s.call(http.MethodPost, "/subscriptions", object{
			"changeType": "updated", "notificationUrl": h.URL, "lifecycleNotificationUrl": h.URL, "resource": resource,
			"expirationDateTime": fake.Now().Add(life).Format(time.RFC3339), "clientState": "state",
		})
		return status, out
	}
	for name, c := range map[string]struct {
		resource string
		life     time.Duration
		code     string
	}{
		"too long": {"users", 41761 * time.Minute, "InvalidRequest"},
		"past":     {"users", -time.Minute, "InvalidRequest"},
		"resource": {"me/messages", time.Hour, "InvalidRequest"},
		"no group": {"groups/" + clientID, time.Hour, "Request_ResourceNotFound"},
	} {
		if status, out := post(c.resource, c.life); status/100 != 4 || code(out) != c.code {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	status, sub := post("/users", time.Minute)
	if want := fake.Now().Add(45 * time.Minute).Format(time.RFC3339); status != http.StatusCreated || sub["expirationDateTime"] != want {
		t.Fatalf("%d %v, want it to expire at %s", status, sub, want)
	}
	if status, out := post("users", time.Hour); status != http.StatusConflict {
		t.Errorf("duplicate: %d %v", status, out)
	}
	if err := s.control.PutSettings(t.Context(), control.Settings{SubscriptionQuota: 1, AllowDuplicateSubscriptions: true}); err != nil {
		t.Fatal(err)
	}
	if status, out := post("groups", time.Hour); status != http.StatusForbidden {
		t.Errorf("over quota: %d %v", status, out)
	}
	path := "/subscriptions/" + sub["id"].(string)
	if got := s.get(path); got["clientState"] != nil || got["resource"] != "/users" {
		t.Errorf("read: %v", got)
	}
	if status, _, _ := s.call(http.MethodPost, path+"/reauthorize", nil); status != http.StatusNoContent {
		t.Errorf("reauthorize: %d", status)
	}
	fake.BlockUntil(1)
	fake.Advance(time.Minute) // the sweep sees a subscription in its last hour
	if got := h.next(t); got[0]["lifecycleEvent"] != "reauthorizationRequired" || got[0]["clientState"] != "state" || got[0]["resource"] != nil {
		t.Errorf("lifecycle: %v", got)
	}
	renewed := fake.Now().Add(50 * time.Minute).Format(time.RFC3339)
	if status, out, _ := s.call(http.MethodPatch, path, object{"expirationDateTime": renewed}); status != http.StatusOK || out["expirationDateTime"] != renewed {
		t.Errorf("renew: %d %v", status, out)
	}
	fake.Advance(51 * time.Minute)
	if status, out, _ := s.call(http.MethodPatch, path, object{"expirationDateTime": renewed}); status != http.StatusNotFound || code(out) != "ResourceNotFound" {
		t.Errorf("expired: %d %v", status, out)
	}
	_, sub = post("users", time.Hour)
	path = "/subscriptions/" + sub["id"].(string)
	if status, _, _ := s.call(http.MethodDelete, path, nil); status != http.StatusNoContent {
		t.Errorf("delete: %d", status)
	}
	if status, _, _ := s.call(http.MethodDelete, path, nil); status != http.StatusNotFound {
		t.Errorf("delete again: %d", status)
	}
}

func TestPlainHTTPIsRefused(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	if status, out := s.subscribe("/users", newHook(t).URL); status != http.StatusBadRequest || code(out) != "InvalidRequest" {
		t.Errorf("%d %v", status, out)
	}
}
