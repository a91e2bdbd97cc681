package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	reports "google.golang.org/api/admin/reports/v1"
	"google.golang.org/api/googleapi"

	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// pushed is one push of Google's as it came.
type pushed struct {
	header http.Header
	body   []byte
}

func (p pushed) state() string { return p.header.Get("X-Goog-Resource-State") }

// listen opens an address for pushes that are all acknowledged.
func listen(t *testing.T) (string, chan pushed) {
	t.Helper()
	pushes := make(chan pushed, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("push: %v", err)
		}
		w.WriteHeader(http.StatusNoContent)
		pushes <- pushed{r.Header, body}
	}))
	t.Cleanup(server.Close)
	return server.URL, pushes
}

func receive(t *testing.T, pushes chan pushed) pushed {
	t.Helper()
	select {
	case p := <-pushes:
		return p
	case <-time.After(20 * time.Second):
		t.Fatal("no push came")
		return pushed{}
	}
}

func TestPushesOfActivities(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	url, pushes := listen(t)
	ann, team := c.person("ann"), c.team("team")
	if err := c.control.PutSettings(ctx, control.Settings{ActivityLag: map[string]time.Duration{"groups_enterprise": time.Hour}}); err != nil {
		t.Fatal(err)
	}
	asked := &reports.Channel{Id: "channel", Type: "web_hook", Address: url, Token: "token", Payload: true, Params: map[string]string{"ttl": "7200"}}
	channel := must(c.audit().Activities.Watch("all", "groups_enterprise", asked).Do())(t)
	want := &reports.Channel{
		Kind: "api#channel", Id: "channel", Token: "token", Expiration: fake.Now().Add(2 * time.Hour).UnixMilli(), ResourceId: channel.ResourceId,
		ResourceUri:    "https://admin.googleapis.com/admin/reports/v1/activity/users/all/applications/groups_enterprise?alt=json",
		ServerResponse: channel.ServerResponse,
	}
	if diff := cmp.Diff(want, channel); diff != "" || channel.ResourceId == "" {
		t.Errorf("the answer of watch (-want +got):\n%s", diff)
	}
	select {
	case p := <-pushes: // it came before the answer
		if p.state() != "sync" || len(p.body) != 0 || p.header.Get("X-Goog-Message-Number") != "1" {
			t.Errorf("the first message: %v %s", p.header, p.body)
		}
	default:
		t.Fatal("the sync message did not come before the answer")
	}
	must(c.control.AddMembers(ctx, "initech", team, ann))(t)
	fake.Advance(59 * time.Minute)
	if len(pushes) != 0 {
		t.Error("a push came before the activity is listed")
	}
	fake.Advance(time.Minute)
	p := receive(t, pushes)
	for p.state() == "create_group" { // it is late too if the setting came before its push was made
		p = receive(t, pushes)
	}
	var got reports.Activity
	if err := json.Unmarshal(p.body, &got); err != nil || p.state() != "add_member" || p.header.Get("Content-Type") != "application/json; utf-8" {
		t.Fatalf("%v %s: %v", p.header, p.body, err)
	}
	c.token = "" // an hour is the life of a token
	if diff := cmp.Diff(c.activities("groups_enterprise")[0], &got); diff != "" {
		t.Errorf("listed (-) and pushed (+):\n%s", diff)
	}
	if err := c.audit().Channels.Stop(&reports.Channel{Id: "channel", ResourceId: channel.ResourceId}).Do(); err != nil {
		t.Error(err)
	}
	err := c.audit().Channels.Stop(&reports.Channel{Id: "channel", ResourceId: channel.ResourceId}).Do()
	var refused *googleapi.Error
	if !errors.As(err, &refused) || refused.Code != http.StatusNotFound {
		t.Errorf("stopped again: %v", err)
	}
}

func TestPushesAreFiltered(t *testing.T) {
	t.Parallel()
	c, _ := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	url, pushes := listen(t)
	watch := func(id, user, event, filters string) {
		t.Helper()
		call := c.audit().Activities.Watch(user, "admin", &reports.Channel{Id: id, Type: "web_hook", Address: url})
		if event != "" {
			call.EventName(event)
		}
		if filters != "" {
			call.Filters(filters)
		}
		must(call.Do())(t)
		receive(t, pushes)
	}
	ann, bob := c.person("ann"), c.person("bob")
	watch("wanted", "all", "SUSPEND_USER", "USER_EMAIL==bob@initech.com")
	watch("another event", "all", "DELETE_USER", "")
	watch("another actor", ann, "", "")
	must(c.control.Suspend(ctx, "initech", ann))(t)
	must(c.control.Suspend(ctx, "initech", bob))(t)
	p := receive(t, pushes)
	if p.header.Get("X-Goog-Channel-ID") != "wanted" || p.state() != "SUSPEND_USER" || len(p.body) != 0 {
		t.Errorf("%v %s", p.header, p.body)
	}
	if len(pushes) != 0 {
		t.Errorf("another push came: %v", (<-pushes).header)
	}
	var deliveries []control.Delivery
	soon, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for len(deliveries) == 0 { // a POST is noted once it has been answered
		deliveries = must(c.control.Deliveries(soon, "initech", 1))(t)
	}
	if len(deliveries) != 1 || deliveries[0].Status != http.StatusNoContent || !cmp.Equal(deliveries[0].Resources, []string{"admin/SUSPEND_USER"}) {
		t.Errorf("%+v", deliveries)
	}
	if live := must(c.control.Subscriptions(ctx, "initech"))(t); len(live) != 3 || live[0].NotificationURL != url {
		t.Errorf("%+v", live)
	}
	for _, app := range []string{"vault", "directory_sync"} {
		if _, err := c.audit().Activities.Watch("all", app, &reports.Channel{Id: app, Type: "web_hook", Address: url}).Do(); err == nil {
			t.Errorf("%s can be watched", app)
		}
	}
}

func TestGoogleChannelsLastOverARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, fake := fakeInitech(t, simulator.Config{DataDir: dir})
	url, pushes := listen(t)
	asked := &reports.Channel{Id: "channel", Type: "web_hook", Address: url, Payload: true}
	must(c.audit().Activities.Watch("all", "admin", asked).Do())(t)
	receive(t, pushes)
	c.stop()
	again := &customer{sim: start(t, simulator.Config{DataDir: dir, AllowLoopbackHTTP: true}, fake), key: c.key, now: fake.Now}
	again.tenant = c.tenant
	again.person("ann")
	if p := receive(t, pushes); p.header.Get("X-Goog-Channel-ID") != "channel" || p.state() != "CREATE_USER" || len(p.body) == 0 {
		t.Errorf("%v %s", p.header, p.body)
	}
}
