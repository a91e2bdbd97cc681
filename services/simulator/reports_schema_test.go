package simulator_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator"
)

func TestReportsAnswersKeepTheDiscoveryDocument(t *testing.T) {
	t.Parallel()
	d := readDiscovery(t, "admin/reports/v1/admin-api.json")
	c, fake := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	ann, team := c.person("ann"), c.team("team")
	must(c.control.Via("api").AddMembers(ctx, "initech", team, ann))(t)
	must(c.control.Via("groups-ui-leave").RemoveMembers(ctx, "initech", team, ann))(t)
	must(c.control.Via("bulk-upload").AddMembers(ctx, "initech", team, ann))(t)
	must(c.control.Via("google").Suspend(ctx, "initech", ann))(t)
	fake.Advance(time.Second)
	url, pushes := listen(t)
	check := func(what, name string, v any) {
		t.Helper()
		for _, fault := range d.check(what, &property{Ref: name}, v) {
			t.Error(fault)
		}
	}
	for _, app := range []string{"admin", "groups_enterprise", "groups", "login", "vault"} {
		status, out := c.admin(http.MethodGet, "reports/v1/activity/users/all/applications/"+app+"?maxResults=2", nil)
		if status != http.StatusOK || out["kind"] != "admin#reports#activities" || (out["items"] == nil) != (app == "vault") {
			t.Fatalf("%s: %d %v", app, status, out)
		}
		check(app, "Activities", any(out))
	}
	status, out := c.admin(http.MethodPost, "reports/v1/activity/users/all/applications/admin/watch", object{
		"id": "channel", "type": "web_hook", "address": url, "payload": true, "expiration": fake.Now().Add(time.Hour).UnixMilli(),
	})
	if status != http.StatusOK {
		t.Fatalf("watch: %d %v", status, out)
	}
	check("channel", "Channel", any(out))
	receive(t, pushes)
	c.person("bob")
	var body any
	if err := json.Unmarshal(receive(t, pushes).body, &body); err != nil {
		t.Fatal(err)
	}
	check("push", "Activity", body)
	for _, bad := range []string{`{"items":[{"id":{"uniqueQualifier":1}}]}`, `{"nothing":1}`, `{"items":{}}`, `{"items":[{"id":{"time":"now"}}]}`} {
		if err := json.Unmarshal([]byte(bad), &body); err != nil || len(d.check("bad", &property{Ref: "Activities"}, body)) != 1 {
			t.Errorf("%s passes", bad)
		}
	}
}
