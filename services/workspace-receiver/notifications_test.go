package workspacereceiver_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service/servicetest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	workspacereceiver "github.com/rollcall-hq/rollcall/services/workspace-receiver"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	initechID = "C03az79cb"
	hooliID   = "C01b2c3d4"
	piperID   = "C05e6f7a8" // disconnected
	// Our ids of initech's channels, by what is known of them.
	live, retired, ended, unknown = "LIVE", "RETIRED", "ENDED", "UNKNOWN"
	resource                      = "ret987df98743md8g"
)

// intake takes Google's pushes, for tenants whose directories do not answer.
type intake struct{ *servicetest.Intake }

func start(t testing.TB) intake {
	t.Helper()
	var tenants []tenant.Tenant
	for id, directoryID := range map[string]string{"initech": initechID, "hooli": hooliID, "piper": piperID} {
		tenants = append(tenants, tenant.Tenant{
			ID: id, Provider: directory.GoogleWorkspace, DirectoryID: directoryID, Domain: id + ".com",
			Products: []tenant.Product{tenant.SecureShare()},
			Credential: tenant.Credential{
				Kind: tenant.GoogleKeyFile, ClientID: "104000000000000000000", File: "/no/such/key.json",
				ServiceAccount: "rollcall@rollcall.iam.gserviceaccount.com", Subject: "admin@" + id + ".com",
			},
			Endpoints: tenant.Endpoints{API: "https://127.0.0.1:1", Authority: "https://127.0.0.1:1"}, Disconnected: id == "piper",
		})
	}
	in := intake{servicetest.Start(t, workspacereceiver.New, workspacereceiver.NotificationPath, tenants...)}
	for name, state := range map[string]channel.State{live: channel.Live, retired: channel.Retired, ended: channel.Ended} {
		in.Channel("initech", channel.Record{
			Name: name, ID: name, Resource: "admin", ResourceID: resource, State: state, Expires: time.Now().Add(time.Hour),
		})
	}
	return in
}

// push is one of Google's; its fields are what the tests spoil.
type push struct {
	header http.Header
	body   string
}

// of is a good push of an application through one of initech's channels.
func (in intake) of(application, name string) push {
	p := push{http.Header{}, fmt.Sprintf(`{"kind":"admin#reports#activity","id":{"time":"2026-11-23T09:15:02.481Z","uniqueQualifier":"-0987654321",`+
		`"applicationName":%q,"customerId":%q},"actor":{"callerType":"USER","email":"admin@initech.com","profileId":"103489789123456789012"},`+
		`"events":[{"type":"moderator_action","name":"add_member","parameters":[{"name":"group_id","value":"sales@initech.com"},`+
		`{"name":"member_id","value":"ada@initech.com"}]}]}`, application, initechID)}
	for key, value := range map[string]string{
		"X-Goog-Channel-ID": name, "X-Goog-Channel-Token": in.Secret(directory.GoogleWorkspace, "initech", name),
		"X-Goog-Message-Number": "23", "X-Goog-Resource-ID": resource, "X-Goog-Resource-State": "add_member",
		"X-Goog-Resource-URI":       "https://admin.googleapis.com/admin/reports/v1/activity/users/all/applications/" + application + "?alt=json",
		"X-Goog-Channel-Expiration": "Mon, 23 Nov 2026 15:02:00 GMT", "Content-Type": "application/json; utf-8", "User-Agent": "APIs-Google",
	} {
		p.header.Set(key, value)
	}
	return p
}

// user is a good push of a change of a user, whose id is JSON.
func (in intake) user(id string) push {
	p := in.of("admin", live).with("X-Goog-Resource-State", "update").
		with("X-Goog-Resource-URI", "https://admin.googleapis.com/admin/directory/v1/users?customer=my_customer&alt=json")
	p.body = fmt.Sprintf(`{"kind":"admin#directory#user","id":%s,"etag":"\"x\"","primaryEmail":"ada@initech.com"}`, id)
	return p
}

// first is the first message on a channel.
func (in intake) first(name string) push {
	p := in.of("admin", name).with("X-Goog-Resource-State", "sync").with("X-Goog-Message-Number", "1").without("Content-Type")
	p.body = ""
	return p
}

func (p push) with(key, value string) push {
	p.header = maps.Clone(p.header)
	p.header.Set(key, value)
	return p
}

func (p push) without(key string) push {
	p.header = maps.Clone(p.header)
	p.header.Del(key)
	return p
}

func (p push) saying(old, instead string) push {
	p.body = strings.Replace(p.body, old, instead, 1)
	return p
}

func (in intake) send(p push) int {
	in.T.Helper()
	return in.Do(http.MethodPost, in.URL, p.header, p.body)
}

// cases are the rows of the table, by their names. They run in the order of the table, on one service.
func (in intake) cases() map[string]func() int {
	const forged = "v1.k1.initech.LIVE.AAAAAAAAAAAAAAAAAAAAAAAAAAA"
	good := in.of("groups_enterprise", live)
	send := func(p push) func() int { return func() int { return in.send(p) } }
	nobody := in.Secret(directory.GoogleWorkspace, "nobody", live)
	return map[string]func() int{
		"first message of a channel":                    send(in.first(live)),
		"first message before its channel is on record": send(in.first(unknown)),
		"activity of admin":                             send(in.of("admin", live)),
		"activity of groups_enterprise":                 send(good),
		"activity of several events":                    send(good.saying(`"events":[`, `"events":[{"type":"moderator_action","name":"create_group"},`)),
		"user changed":                                  send(in.user(`"103489789123456789012"`)),
		"the same activity again":                       send(good),
		"forged token":                                  send(good.with("X-Goog-Channel-Token", forged)),
		"no token":                                      send(good.without("X-Goog-Channel-Token")),
		"channel id that is not the token's":            send(good.with("X-Goog-Channel-ID", unknown)),
		"no channel id":                                 send(good.without("X-Goog-Channel-ID")),
		"foreign resource id":                           send(good.with("X-Goog-Resource-ID", "another")),
		"no resource id":                                send(good.without("X-Goog-Resource-ID")),
		"retired channel":                               send(in.of("admin", retired)),
		"ended channel":                                 send(in.of("admin", ended)),
		"unknown channel, token proved":                 send(in.of("admin", unknown)),
		"unknown channel, token not proved":             send(in.of("admin", unknown).with("X-Goog-Channel-Token", forged)),
		"token of another tenant":                       send(in.user(`"1"`).with("X-Goog-Channel-Token", in.Secret(directory.GoogleWorkspace, "hooli", unknown))),
		"activity of another customer":                  send(good.saying(initechID, hooliID)),
		"tenant that is not connected":                  send(good.with("X-Goog-Channel-Token", nobody)),
		"tenant that is disconnected":                   send(good.saying(initechID, piperID).with("X-Goog-Channel-Token", in.Secret(directory.GoogleWorkspace, "piper", live))),
		"malformed content type":                        send(good.with("Content-Type", "application/json; utf-8; =")),
		"no content type":                               send(good.without("Content-Type")),
		"number where a string is documented":           send(in.user(`103489789123456789012`)),
		"empty body":                                    send(good.saying(good.body, "")),
		"broken JSON":                                   send(good.saying(`"}]}]}`, "")),
		"body that is neither an activity nor a user":   send(good.saying(good.body, `{"kind":"calendar#events"}`)),
		"no headers of Google's":                        send(push{http.Header{}, good.body}),
		"5 MB":                                          send(good.saying(`{`, `{`+strings.Repeat(" ", 5_000_000))),
		"slow body":                                     in.Slow,
		"not POST":                                      func() int { return in.Do(http.MethodGet, in.URL, good.header, "") },
		"another path":                                  func() int { return in.Do(http.MethodPost, in.URL+"/more", good.header, good.body) },
		"tenants not known yet": func() int {
			early := start(in.T)
			return early.send(early.of("admin", live))
		},
		"NATS away":                      send(good),
		"sent again after NATS was away": send(good),
	}
}

func TestEveryCaseOfTheTable(t *testing.T) {
	t.Parallel()
	in := start(t)
	in.Run()
	in.Play("Pushes of Google Workspace", in.cases())
	for _, hint := range in.Hints() {
		if strings.Contains(hint.ID, "@") || hint.Resource != "activity" && hint.Resource != "user" && hint.Lifecycle != "opened" {
			t.Errorf("hint %+v", hint)
		}
	}
	for _, hidden := range []string{"ada@", "admin@", "sales@", in.Secret(directory.GoogleWorkspace, "initech", live)} {
		if strings.Contains(in.Log.String(), hidden) {
			t.Errorf("the log shows %q", hidden)
		}
	}
}
