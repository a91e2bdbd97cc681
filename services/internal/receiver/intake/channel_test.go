package intake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/intake"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

// naming is a provider whose channels have our names. Its pushes are single notifications in JSON.
type naming struct{ receivertest.Provider }

func (*naming) Traits() receiver.Traits { return receiver.Traits{NamesChannels: true} }

func (*naming) Parse(_ http.Header, body []byte) ([]receiver.Notification, error) {
	n := make([]receiver.Notification, 1)
	return n, json.Unmarshal(body, &n[0])
}

// known is what the keepers have stored, by our own ids of channels of contoso.
type known map[string]channel.Record

func (k known) Find(tenant, name string) (channel.Record, bool) {
	r, ok := k[name]
	return r, ok && tenant == "contoso"
}

func TestChannelMustBeTheOneThatIsProved(t *testing.T) {
	t.Parallel()
	records := known{
		"live": {ResourceID: "r1"}, "pending": {State: channel.Pending},
		"retired": {ResourceID: "r1", State: channel.Retired}, "ended": {ResourceID: "r1", State: channel.Ended},
	}
	for name, c := range map[string]struct {
		channel, says, resource string
		news                    receiver.News
		result, reason          string
	}{
		"live":                                  {"live", "live", "r1", "", "accepted", ""},
		"live that does not say what it is of":  {"live", "live", "", "", "accepted", ""},
		"live, of another resource":             {"live", "live", "r2", "", "refused", "foreign-resource"},
		"live, by another name":                 {"live", "pending", "r1", "", "refused", "foreign-channel"},
		"live, without a name":                  {"live", "", "r1", "", "refused", "foreign-channel"},
		"just asked for":                        {"pending", "pending", "r1", "", "accepted", ""},
		"never heard of":                        {"unknown", "unknown", "r9", "", "accepted", ""},
		"retired":                               {"retired", "retired", "r1", "", "ignored", "retired"},
		"retired, of another resource":          {"retired", "retired", "r2", "", "refused", "foreign-resource"},
		"ended":                                 {"ended", "ended", "r1", "", "ignored", "retired"},
		"first message":                         {"pending", "pending", "r1", receiver.ChannelOpened, "ignored", "opened"},
		"first message, of another resource":    {"live", "live", "r2", receiver.ChannelOpened, "refused", "foreign-resource"},
		"first message of one never heard of":   {"unknown", "unknown", "r1", receiver.ChannelOpened, "ignored", "opened"},
		"first message through another channel": {"live", "ended", "r1", receiver.ChannelOpened, "refused", "foreign-channel"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{keys: secret.Generate(), store: &kept{}, log: &bytes.Buffer{}, metrics: prometheus.NewRegistry()}
			b.handler = intake.New(intake.Config{}, intake.Deps{
				Provider: &naming{}, Keys: b.keys, Tenants: roster{}, Channels: records, Publisher: b.store,
				Logger: slog.New(slog.NewTextHandler(b.log, nil)), Clock: clock.System(), Metrics: b.metrics,
			})
			proof, err := b.keys.Sign(directory.Entra, secret.Proof{Tenant: "contoso", Channel: c.channel})
			if err != nil {
				t.Fatal(err)
			}
			item := receiver.Notification{ChannelID: c.says, ResourceID: c.resource, Secret: proof, News: c.news}
			if c.news == "" {
				item.Resource, item.ID, item.Change = receiver.ActivityResource, "a1", "add_member"
			}
			body, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			if code := b.post(body); code != http.StatusAccepted {
				t.Errorf("answer %d", code)
			}
			b.counted(t, c.result, c.reason)
			if c.result != "accepted" && c.reason != "opened" {
				if len(b.store.hints) != 0 {
					t.Errorf("%d hints", len(b.store.hints))
				}
				return
			}
			if len(b.store.hints) != 1 {
				t.Fatalf("%d hints", len(b.store.hints))
			}
			eventtest.Validate(t, b.store.hints[0])
			got, err := event.Data[event.NotificationReceived](b.store.hints[0])
			want := event.NotificationReceived{
				Provider: "entra", SubscriptionID: c.says, Channel: c.channel, Resource: "activity", ID: "a1", Change: "add_member",
			}
			if c.news != "" { // which is kept, as it shows that the channel pushes
				want = event.NotificationReceived{Provider: "entra", SubscriptionID: c.says, Channel: c.channel, Lifecycle: "opened"}
			}
			if err != nil || got != want {
				t.Errorf("hint %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

// counted checks what the one item that was pushed is counted as.
func (b *bench) counted(t *testing.T, result, reason string) {
	t.Helper()
	lines := fmt.Sprintf("rollcall_notifications_total{provider=\"entra\",reason=%q,result=%q} 1\n", reason, result)
	if result != "accepted" {
		lines += "rollcall_notifications_total{provider=\"entra\",reason=\"\",result=\"accepted\"} 0\n"
	}
	want := `
		# HELP rollcall_notifications_total Pushed items by result and, where not accepted, the reason.
		# TYPE rollcall_notifications_total counter
	` + lines
	if err := testutil.GatherAndCompare(b.metrics, strings.NewReader(want), "rollcall_notifications_total"); err != nil {
		t.Error(err)
	}
}
