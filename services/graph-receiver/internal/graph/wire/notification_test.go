package wire

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The shapes are those of Microsoft's pages and of samples seen in the wild; the ids are made up.
const (
	groupItem = `{"changeType":"updated","clientState":"s3cret","resource":"Groups/0bc7d487-aa","resourceData":{
		"@odata.type":"#Microsoft.Graph.Group","@odata.id":"Groups/0bc7d487-aa","id":"0bc7d487-aa","organizationId":"7d96d549",
		"members@delta":[{"id":"4d147cc8"},{"id":"4d147cc8","@removed":"deleted"}]},
		"subscriptionExpirationDateTime":"2025-02-02T11:00:00+00:00","subscriptionId":"092ba742","tenantId":"7d96d549"}`
	userItem = `{"changeType":"deleted","clientState":"s3cret","resource":"Users/e2a-1","resourceData":{
		"@odata.type":"#Microsoft.Graph.User","@odata.id":"Users/e2a-1","id":"e2a-1","organizationId":"7d96d549",
		"eventTime":"2022-05-24T22:24:31.3062901Z","sequenceNumber":637890782713062901},
		"subscriptionExpirationDateTime":"2022-05-24T23:21:19.3554403+00:00","subscriptionId":"092ba742","tenantId":"7d96d549"}`
	lifecycleItem = `{"subscriptionId":"092ba742","subscriptionExpirationDateTime":"2019-03-20T11:00:00.0000000Z",
		"tenantId":"7d96d549","clientState":"s3cret","lifecycleEvent":"reauthorizationRequired"}`
)

var (
	groupWant     = Notification{TenantID: "7d96d549", SubscriptionID: "092ba742", ClientState: "s3cret", Resource: "group", ID: "0bc7d487-aa", ChangeType: "updated"}
	userWant      = Notification{TenantID: "7d96d549", SubscriptionID: "092ba742", ClientState: "s3cret", Resource: "user", ID: "e2a-1", ChangeType: "deleted"}
	lifecycleWant = Notification{TenantID: "7d96d549", SubscriptionID: "092ba742", ClientState: "s3cret", LifecycleEvent: "reauthorizationRequired"}
)

// sameFault compares errors by their text.
var sameFault = cmp.Comparer(func(a, b error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
})

func TestNotifications(t *testing.T) {
	t.Parallel()
	fault := func(n Notification, text string) Notification { n.Fault = errors.New(text); return n }
	bare := Notification{SubscriptionID: "s"}
	with := func(set func(*Notification)) Notification { n := bare; set(&n); return n }
	for name, c := range map[string]struct {
		body string
		want []Notification
	}{
		"group membership":       {`{"value":[` + groupItem + `]}`, []Notification{groupWant}},
		"user":                   {`{"value":[` + userItem + `]}`, []Notification{userWant}},
		"lifecycle":              {`{"value":[` + lifecycleItem + `]}`, []Notification{lifecycleWant}},
		"mixed, unknown fields":  {`{"validationTokens":["a.b.c"],"value":[` + groupItem + `,` + lifecycleItem + `,` + userItem + `],"new":{"x":[1.5e3,null]}}`, []Notification{groupWant, lifecycleWant, userWant}},
		"nothing":                {`{"value":[]}`, nil},
		"sequence number string": {`{"value":[{"subscriptionId":"s","resource":"users/u","resourceData":{"sequenceNumber":"12"}}]}`, []Notification{with(func(n *Notification) { n.Resource, n.ID = "user", "u" })}},
		"@removed object":        {`{"value":[{"subscriptionId":"s","resource":"groups/g","resourceData":{"members@delta":[{"id":"m","@removed":{"reason":"deleted"}}]}}]}`, []Notification{with(func(n *Notification) { n.Resource, n.ID = "group", "g" })}},
		"path below a group":     {`{"value":[{"subscriptionId":"s","resource":"/groups/g/members"}]}`, []Notification{with(func(n *Notification) { n.Resource, n.ID = "group", "g" })}},
		"upper case":             {`{"value":[{"subscriptionId":"s","resource":"USERS/u"}]}`, []Notification{with(func(n *Notification) { n.Resource, n.ID = "user", "u" })}},
		"resource only in data":  {`{"value":[{"subscriptionId":"s","resourceData":{"@odata.type":"#microsoft.graph.user","id":"u"}}]}`, []Notification{with(func(n *Notification) { n.Resource, n.ID = "user", "u" })}},
		"other resource":         {`{"value":[{"subscriptionId":"s","resource":"chats/c"}]}`, []Notification{bare}},
		"null client state":      {`{"value":[{"subscriptionId":"s","clientState":null}]}`, []Notification{bare}},
		"data is no object":      {`{"value":[{"subscriptionId":"s","resourceData":"x"}]}`, []Notification{bare}},
		"escapes":                {`{"value":[{"subscriptionId":"\u0073","clientState":"a\"b\/\u00e9"}]}`, []Notification{with(func(n *Notification) { n.ClientState = `a"b/é` })}},

		"no subscription":     {`{"value":[{"tenantId":"t"},` + userItem + `]}`, []Notification{fault(Notification{TenantID: "t"}, "no subscriptionId"), userWant}},
		"nothing is borrowed": {`{"value":[` + userItem + `,{}]}`, []Notification{userWant, fault(Notification{}, "no subscriptionId")}},
		"not an object": {`{"value":[null,7,"x",[{}],` + userItem + `]}`, []Notification{
			fault(Notification{}, "not an object"), fault(Notification{}, "not an object"),
			fault(Notification{}, "not an object"), fault(Notification{}, "not an object"), userWant,
		}},
		"wrong kinds": {`{"value":[{"subscriptionId":7},{"subscriptionId":"s","clientState":{}},` + groupItem + `]}`, []Notification{
			fault(Notification{}, "subscriptionId is not a string"), fault(bare, "clientState is not a string"), groupWant,
		}},
		"id that fits no subject": {`{"value":[{"subscriptionId":"s","resource":"users/a.b>"}]}`, []Notification{
			fault(with(func(n *Notification) { n.Resource, n.ID = "user", "a.b>" }), "the id of the resource is no Entra id"),
		}},
		"long field": {`{"value":[{"subscriptionId":"s","clientState":"` + strings.Repeat("x", 513) + `"}]}`, []Notification{
			fault(with(func(n *Notification) { n.ClientState = strings.Repeat("x", 513) }), "a field is longer than 512 bytes"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Notifications([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, sameFault); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestNotificationsRefusesBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty":        "",
		"no JSON":      "validationToken=s3cret",
		"cut off":      `{"value":[` + userItem,
		"two values":   `{"value":[]}{}`,
		"no value":     `{"validationTokens":["s3cret"]}`,
		"no array":     `{"value":{"clientState":"s3cret"}}`,
		"null":         `{"value":null}`,
		"an array":     `[` + userItem + `]`,
		"deep":         `{"value":[` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `]}`,
		"too many":     `{"value":[` + strings.Repeat("0,", maxItems) + `0]}`,
		"broken item":  `{"value":[{"clientState":"s3cret",}]}`,
		"control char": "{\"value\":[{\"clientState\":\"s3cret\n\"}]}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Notifications([]byte(body))
			if err == nil {
				t.Fatalf("got %v, want an error", got)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error quotes the body: %v", err)
			}
		})
	}
}

// FuzzNotifications holds the scanner to encoding/json: what it accepts is JSON, and what both read is the same.
func FuzzNotifications(f *testing.F) {
	for _, body := range []string{
		`{"value":[` + groupItem + `,` + userItem + `,` + lifecycleItem + `]}`,
		`{"value":[{"subscriptionId":"\ud83d\ude00","clientState":null,"tenantId":-0.5e+7}],"x":[true,false,null,[],{}]}`,
		`{"value":[{"subscriptionId":"s","resource":"users('u')"},null,1]}`, "{\"value\":[{\"subscriptionId\":\"\xff\"}]}", `{"value":[]} `, `{"a":01}`, `[`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := Notifications(body)
		if !json.Valid(body) {
			if err == nil {
				t.Fatal("accepted what is not JSON")
			}
			return
		}
		if err != nil {
			return // valid JSON of another shape: the unit tests say which
		}
		var want struct {
			Value []json.RawMessage `json:"value"`
		}
		if json.Unmarshal(body, &want) != nil || strings.Count(string(body), "value") > 1 || strings.Contains(string(body), `\u`) {
			return // repeated or escaped keys: encoding/json folds them its own way
		}
		if len(got) != len(want.Value) {
			t.Fatalf("%d items, encoding/json has %d", len(got), len(want.Value))
		}
		for i, raw := range want.Value {
			compareWithOracle(t, raw, got[i])
		}
	})
}

func compareWithOracle(t *testing.T, raw []byte, got Notification) {
	t.Helper()
	fields := map[string]any{}
	if json.Unmarshal(raw, &fields) != nil {
		if got.Fault == nil {
			t.Fatalf("%s: want a fault", raw)
		}
		return
	}
	for key, have := range map[string]string{"tenantId": got.TenantID, "subscriptionId": got.SubscriptionID, "clientState": got.ClientState} {
		want, _ := fields[key].(string)
		if strings.Count(string(raw), key) == 1 && want != have {
			t.Fatalf("%s of %s: %q, encoding/json has %q", key, raw, have, want)
		}
	}
}

func BenchmarkNotifications(b *testing.B) {
	for _, items := range []int{1, 10, 100} {
		b.Run(strconv.Itoa(items), func(b *testing.B) {
			body := []byte(`{"value":[` + strings.TrimSuffix(strings.Repeat(userItem+",", items), ",") + `]}`)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := Notifications(body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*items), "ns/item")
		})
	}
}
