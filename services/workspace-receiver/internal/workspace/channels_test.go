package workspace

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

const channelName = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

func newChannel(resource string) receiver.NewChannel {
	return receiver.NewChannel{
		Name: channelName, Resource: resource, URL: "https://rollcall.example/google/notifications", Secret: "v1.k.initech.c.mac",
		Expires: began.Add(channelLife),
	}
}

func TestCreateChannel(t *testing.T) {
	t.Parallel()
	const granted = `"1795514400000"` // 2026-11-24T10:00:00Z
	for resource, line := range map[string]string{
		"groups_enterprise": "POST /admin/reports/v1/activity/users/all/applications/groups_enterprise/watch",
		"admin":             "POST /admin/reports/v1/activity/users/all/applications/admin/watch",
		"users":             "POST /admin/directory/v1/users/watch",
	} {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, says(200, `{"kind":"api#channel","id":"`+channelName+`","resourceId":"ret08u3rv24htgh289g","expiration":`+granted+`}`))
			got, err := f.connect(t).CreateChannel(t.Context(), newChannel(resource))
			want := receiver.Channel{
				ID: channelName, Resource: resource, ResourceID: "ret08u3rv24htgh289g", URL: "https://rollcall.example/google/notifications",
				Expires: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v, -want +got\n%s", err, diff)
			}
			asked := f.last(t)
			if asked.Line != line || asked.Query.Has("event") || asked.Query.Has("eventName") || resource == "users" && asked.Query.Get("customer") != "my_customer" {
				t.Errorf("asked for %+v", asked)
			}
			var body map[string]any
			if err := json.Unmarshal([]byte(asked.Body), &body); err != nil {
				t.Fatal(err)
			}
			wantBody := map[string]any{
				"id": channelName, "type": "web_hook", "address": "https://rollcall.example/google/notifications",
				"token": "v1.k.initech.c.mac", "payload": true, "expiration": "1795442400000",
			}
			if diff := cmp.Diff(wantBody, body); diff != "" {
				t.Errorf("body: -want +got\n%s", diff)
			}
		})
	}
}

func TestChannelAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   time.Duration // from now; 0: an error
	}{
		"a number":             {says(200, `{"id":"`+channelName+`","resourceId":"r","expiration":1795428000000}`), 2 * time.Hour},
		"less than asked for":  {says(200, `{"id":"`+channelName+`","resourceId":"r","expiration":"1795424400000"}`), time.Hour},
		"seconds of life":      {says(200, `{"id":"`+channelName+`","resourceId":"r","expiration":3600}`), untoldLife},
		"no expiration":        {says(200, `{"id":"`+channelName+`","resourceId":"r"}`), untoldLife},
		"another channel":      {says(200, `{"id":"OTHER","resourceId":"r"}`), 0},
		"nothing":              {says(200, `{}`), 0},
		"not authorized":       {refuses(401, "push.webhookUrlUnauthorized", "Unauthorized WebHook callback channel"), 0},
		"an id that is in use": {refuses(400, "channelIdNotUnique", "Channel id is not unique"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newFake(t, c.answer).connect(t).CreateChannel(t.Context(), newChannel("admin"))
			if (err != nil) != (c.want == 0) || err == nil && !got.Expires.Equal(began.Add(c.want)) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestDeleteChannel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resource, line string
		answer         http.HandlerFunc
		fails          bool
	}{
		"reports":     {"admin", "POST /admin/reports_v1/channels/stop", says(204, ""), false},
		"groups":      {"groups_enterprise", "POST /admin/reports_v1/channels/stop", says(200, ""), false},
		"directory":   {"users", "POST /admin/directory_v1/channels/stop", says(204, ""), false},
		"gone before": {"users", "POST /admin/directory_v1/channels/stop", refuses(404, "notFound", "Channel not found"), false},
		"refused":     {"admin", "POST /admin/reports_v1/channels/stop", refuses(403, "forbidden", "no"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.answer)
			err := f.connect(t).DeleteChannel(t.Context(), receiver.Channel{ID: channelName, Resource: c.resource, ResourceID: "ret1"})
			if asked := f.last(t); (err != nil) != c.fails || asked.Line != c.line {
				t.Errorf("%s: %v", asked.Line, err)
			}
			var body map[string]string
			if err := json.Unmarshal([]byte(f.last(t).Body), &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"id": channelName, "resourceId": "ret1"}, body); diff != "" {
				t.Errorf("body: -want +got\n%s", diff)
			}
		})
	}
}

func TestChannelsThatCannotBe(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(200, `{}`))
	d := f.connect(t)
	if _, err := d.RenewChannel(t.Context(), receiver.Channel{ID: channelName}, began); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("renew: %v", err)
	}
	if _, err := d.ListChannels(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("list: %v", err)
	}
	if err := d.DeleteChannel(t.Context(), receiver.Channel{ID: channelName, Resource: "admin"}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("delete without a resource id: %v", err)
	}
	if _, err := d.CreateChannel(t.Context(), newChannel("groups")); err == nil {
		t.Error("groups have a channel")
	}
	if n := len(f.seen()); n != 0 {
		t.Errorf("%d requests", n)
	}
}
