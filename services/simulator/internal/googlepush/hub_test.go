package googlepush_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
)

func TestPushesOfUsers(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	c := r.watch("one", resource)
	raw, err := json.Marshal(c)
	if err != nil || !bytes.Contains(raw, []byte(`"expiration":"`+strconv.FormatInt(start.Add(6*time.Hour).UnixMilli(), 10)+`"`)) {
		t.Errorf("the answer of watch: %s %v", raw, err)
	}
	ann := r.addUser("ann")
	last := 1
	expect := func(state string) push {
		t.Helper()
		p := r.next()
		if got := p.header.Get("X-Goog-Resource-State"); got != state {
			t.Errorf("state %q, want %q", got, state)
		}
		if n := number(t, p); n <= last {
			t.Errorf("message number %d behind %d", n, last)
		} else {
			last = n
		}
		return p
	}
	p := expect("add")
	for name, want := range map[string]string{
		"X-Goog-Channel-ID": "one", "X-Goog-Channel-Token": "token of one", "X-Goog-Resource-ID": c.ResourceID,
		"X-Goog-Resource-URI":       "https://admin.googleapis.com/admin/directory/v1/users?customer=my_customer&alt=json",
		"X-Goog-Channel-Expiration": "Mon, 23 Nov 2026 15:00:00 GMT", "Content-Type": "application/json; utf-8",
	} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var body map[string]string
	if err := json.Unmarshal(p.body, &body); err != nil || body["kind"] != "admin#directory#user" || body["id"] != ann || body["primaryEmail"] != "ann@initech.com" || body["etag"] == "" {
		t.Errorf("body %s: %v", p.body, err)
	}
	r.suspend(ann, true)
	expect("update")
	if _, err := r.store.DeleteUser(customer, ann); err != nil {
		t.Fatal(err)
	}
	expect("delete")
	if _, err := r.store.RestoreUser(customer, ann); err != nil {
		t.Fatal(err)
	}
	expect("undelete")
}

func TestWatchIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.watch("taken", resource)
	long := make([]byte, 257)
	for name, c := range map[string]struct {
		spoil  func(*googlepush.Channel)
		reason string
	}{
		"no id":       {func(c *googlepush.Channel) { c.ID = "" }, "required"},
		"long id":     {func(c *googlepush.Channel) { c.ID = string(long[:65]) }, "channelIdInvalid"},
		"taken":       {func(c *googlepush.Channel) { c.ID = "taken" }, "channelIdNotUnique"},
		"no type":     {func(c *googlepush.Channel) { c.Type = "" }, "required"},
		"type":        {func(c *googlepush.Channel) { c.Type = "pubsub" }, "unknownChannelType"},
		"no address":  {func(c *googlepush.Channel) { c.Address = "" }, "required"},
		"http":        {func(c *googlepush.Channel) { c.Address = "http://initech.com/hook" }, "push.webhookUrlNotHttps"},
		"no host":     {func(c *googlepush.Channel) { c.Address = "https:///hook" }, "invalidAddress"},
		"long token":  {func(c *googlepush.Channel) { c.Token = string(long) }, "channelTokenTooLong"},
		"in the past": {func(c *googlepush.Channel) { c.Expiration = 3600 }, "expirationInPast"},
		"ttl":         {func(c *googlepush.Channel) { c.Params = map[string]string{"ttl": "soon"} }, "invalidTtl"},
	} {
		asked := r.asked("other")
		c.spoil(&asked)
		if _, err := r.hub.Watch(t.Context(), r.owner(), resource, asked); reason(err) != c.reason {
			t.Errorf("%s: %v, want %s", name, err, c.reason)
		}
	}
	if channels := r.hub.Channels(customer); len(channels) != 1 || channels[0].ClientState != "" {
		t.Errorf("channels: %+v", channels)
	}
}

func TestLifeIsTheShortest(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	for name, c := range map[string]struct {
		expiration time.Duration
		ttl        string
		want       time.Duration
	}{
		"nothing": {0, "", 6 * time.Hour}, "expiration": {time.Hour, "", time.Hour}, "ttl": {0, "60", time.Minute},
		"both": {time.Hour, "60", time.Minute}, "too long": {48 * time.Hour, "999999", 6 * time.Hour},
		"endless": {0, "9223372036854775807", 6 * time.Hour},
	} {
		body := map[string]any{"id": name, "type": "web_hook", "address": r.url, "params": map[string]string{}}
		if c.expiration != 0 {
			body["expiration"] = strconv.FormatInt(start.Add(c.expiration).UnixMilli(), 10)
		}
		if c.ttl != "" {
			body["params"] = map[string]string{"ttl": c.ttl}
		}
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := googlepush.ReadChannel(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.hub.Watch(t.Context(), r.owner(), resource, asked)
		if err != nil || int64(got.Expiration) != start.Add(c.want).UnixMilli() {
			t.Errorf("%s: %v %v, want %s", name, got.Expiration, err, c.want)
		}
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	for status, again := range map[int]bool{
		200: false, 201: false, 204: false, 400: false, 404: false, 429: false, 501: false,
		500: true, 502: true, 503: true, 504: true,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "")
			r.watch("one", resource)
			r.status <- status
			ann := r.addUser("ann")
			first := r.next()
			if again {
				r.clock.BlockUntil(1)
				r.clock.Advance(time.Second)
			} else {
				r.suspend(ann, true)
			}
			second := r.next()
			if same := number(t, first) == number(t, second); same != again {
				t.Errorf("%d was tried again: %v, want %v", status, same, again)
			}
		})
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	c := r.watch("one", resource)
	stop := func(o googlepush.Owner, api, id, resourceID string) error {
		return r.hub.Stop(o, api, googlepush.Channel{ID: id, ResourceID: resourceID})
	}
	other, elsewhere := r.owner(), r.owner()
	other.Subject, elsewhere.Client = "100000000000000000002", "2"
	for name, err := range map[string]error{
		"another user":     stop(other, api, "one", c.ResourceID),
		"another client":   stop(elsewhere, api, "one", c.ResourceID),
		"another API":      stop(r.owner(), "admin/reports", "one", c.ResourceID),
		"another resource": stop(r.owner(), api, "one", "x"),
		"another channel":  stop(r.owner(), api, "two", c.ResourceID),
	} {
		if reason(err) != "notFound" {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.hub.Set(control.Push{Mode: control.PushOn, AfterStop: time.Minute})
	for range 2 {
		if err := stop(r.owner(), api, "one", c.ResourceID); err != nil {
			t.Fatal(err)
		}
	}
	ann := r.addUser("ann")
	if p := r.next(); p.header.Get("X-Goog-Resource-State") != "add" {
		t.Errorf("pushes should go on: %v", p.header)
	}
	r.clock.Advance(time.Minute)
	if err := stop(r.owner(), api, "one", c.ResourceID); reason(err) != "notFound" {
		t.Errorf("stopped long ago: %v", err)
	}
	r.suspend(ann, true)
	if got := r.all(); len(got) != 0 {
		t.Errorf("pushes went on: %v", got)
	}
	if _, err := r.hub.Watch(t.Context(), r.owner(), resource, r.asked("one")); reason(err) != "channelIdNotUnique" {
		t.Errorf("an id is never used again: %v", err)
	}
}

func TestServiceAccountsChannelIsStoppedByAnyoneOfTheClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	owner := r.owner()
	owner.Subject = ""
	c, err := r.hub.Watch(t.Context(), owner, resource, r.asked("one"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.hub.Stop(r.owner(), api, googlepush.Channel{ID: "one", ResourceID: c.ResourceID}); err != nil {
		t.Error(err)
	}
}

func TestChannelsDieAndOthersLive(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.watch("old", resource)
	r.clock.Advance(3 * time.Hour)
	r.watch("new", resource)
	r.clock.Advance(3 * time.Hour)
	r.addUser("ann")
	if p := r.next(); p.header.Get("X-Goog-Channel-ID") != "new" {
		t.Errorf("%v", p.header)
	}
	if channels := r.hub.Channels(customer); len(channels) != 1 || channels[0].ID != "new" {
		t.Errorf("%+v", channels)
	}
}

func TestEventsAndDomains(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.watch("deletions", googlepush.UsersPath+"?customer=my_customer&event=delete")
	r.watch("elsewhere", googlepush.UsersPath+"?domain=initech.net")
	ann := r.addUser("ann")
	if _, err := r.store.DeleteUser(customer, ann); err != nil {
		t.Fatal(err)
	}
	if p := r.next(); p.header.Get("X-Goog-Channel-ID") != "deletions" || p.header.Get("X-Goog-Resource-State") != "delete" {
		t.Errorf("%v", p.header)
	}
	r.none()
}
