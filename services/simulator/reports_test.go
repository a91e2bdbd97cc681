package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	reports "google.golang.org/api/admin/reports/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// bearer puts the tenant's token on each request of an SDK.
type bearer struct{ c *customer }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.c.token == "" {
		b.c.signInAs(initechAdmin)
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.c.token)
	return b.c.http.Transport.RoundTrip(r)
}

// audit is the Reports API through Google's SDK.
func (c *customer) audit() *reports.Service {
	c.t.Helper()
	return must(reports.NewService(c.t.Context(),
		option.WithHTTPClient(&http.Client{Transport: bearer{c}}), option.WithEndpoint(c.server.URL()+"/")))(c.t)
}

// activities lists everything that an application has logged, the newest first.
func (c *customer) activities(app string) []*reports.Activity {
	c.t.Helper()
	var out []*reports.Activity
	err := c.audit().Activities.List("all", app).Pages(c.t.Context(), func(page *reports.Activities) error {
		out = append(out, page.Items...)
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// told writes an activity's events as text: "actor: event parameter=value …; event …".
func told(a *reports.Activity) string {
	var events []string
	for _, e := range a.Events {
		text := e.Name
		for _, p := range e.Parameters {
			value := p.Value
			if p.IntValue != 0 || value == "" && strings.HasSuffix(p.Name, "NUMBER") {
				value = fmt.Sprint(p.IntValue)
			}
			text += " " + p.Name + "=" + value
		}
		events = append(events, text)
	}
	actor := a.Actor.Email
	if actor == "" {
		actor = a.Actor.Key
	}
	return actor + ": " + strings.Join(events, "; ")
}

// fakeInitech is initech on a clock that stands still, and moves with every change.
func fakeInitech(t *testing.T, cfg simulator.Config) (*customer, *clock.Fake) {
	t.Helper()
	fake := clock.NewFake(time.Now().UTC().Truncate(time.Second))
	cfg.AllowLoopbackHTTP = true
	return initech(t, cfg, fake), fake
}

func TestActivitiesAreTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, fake := fakeInitech(t, simulator.Config{DataDir: dir})
	ctx := t.Context()
	ann, bob, team := c.person("ann"), c.person("bob"), c.team("team")
	must(c.control.AddMembers(ctx, "initech", team, ann, bob))(t)
	must(c.control.RenameUser(ctx, "initech", ann, control.Rename{Address: "anna@initech.com"}))(t)
	must(c.control.PurgeUser(ctx, "initech", bob))(t)
	fake.Advance(time.Minute)
	before := append(c.activities("admin"), c.activities("groups_enterprise")...)
	if !slices.ContainsFunc(before, func(a *reports.Activity) bool { return len(a.Events) == 2 }) {
		t.Error("members that were added at once should share an activity")
	}
	c.stop()
	again := &customer{sim: start(t, simulator.Config{DataDir: dir, AllowLoopbackHTTP: true}, fake), key: c.key, now: fake.Now}
	again.tenant = c.tenant
	after := append(again.activities("admin"), again.activities("groups_enterprise")...)
	show := func(all []*reports.Activity) string {
		raw, err := json.MarshalIndent(all, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if diff := cmp.Diff(show(before), show(after)); diff != "" {
		t.Errorf("before (-) and after (+):\n%s", diff)
	}
}

func TestActivitiesAreBackfilled(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	c.person("early")
	if err := c.control.PutSettings(t.Context(), control.Settings{ActivityLag: map[string]time.Duration{"admin": time.Hour}}); err != nil {
		t.Fatal(err)
	}
	fake.Advance(time.Minute)
	at := fake.Now()
	c.person("late")
	fake.Advance(58*time.Minute + 59*time.Second)
	if got := c.activities("admin"); len(got) != 0 {
		t.Errorf("%d are listed too early", len(got))
	}
	fake.Advance(time.Minute + time.Second)
	c.token = "" // an hour is the life of a token
	got := c.activities("admin")
	if len(got) == 0 || told(got[0]) != "admin@initech.com: CREATE_USER USER_EMAIL=late@initech.com" || got[0].Id.Time != at.Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("%+v", got)
	}
	if err := c.control.PutSettings(t.Context(), control.Settings{ActivityLagJitter: time.Hour}); err != nil {
		t.Fatal(err)
	}
	all := len(got)
	var order []int
	for range 40 {
		c.person(fmt.Sprintf("user%d", len(order)))
		order = append(order, 0)
	}
	fake.Advance(30 * time.Minute)
	if got := len(c.activities("admin")) - all; got < 8 || got > 32 {
		t.Errorf("half of the time has shown %d of 40", got)
	}
}

func TestActivityPages(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	for i := range 25 {
		c.person(fmt.Sprintf("user%d", i))
		if i%3 == 0 {
			fake.Advance(time.Second)
		}
	}
	fake.Advance(time.Second)
	want := c.activities("admin")
	var got []*reports.Activity
	pages := 0
	err := c.audit().Activities.List("all", "admin").MaxResults(4).Pages(t.Context(), func(page *reports.Activities) error {
		got = append(got, page.Items...)
		pages++
		c.person(fmt.Sprintf("meanwhile%d", pages))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || pages != (len(want)+3)/4 {
		t.Errorf("%d pages of %d (-want +got):\n%s", pages, len(want), diff)
	}
	if !slices.IsSortedFunc(got, func(a, b *reports.Activity) int { return strings.Compare(b.Id.Time, a.Id.Time) }) {
		t.Error("the newest is not first")
	}
}

func TestActivityFilters(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	ann, team := c.person("ann"), c.team("team")
	must(c.control.Via("groups-ui-join").AddMembers(ctx, "initech", team, ann))(t)
	must(c.control.Suspend(ctx, "initech", ann))(t)
	fake.Advance(time.Second)
	list := c.audit().Activities
	for name, call := range map[string]struct {
		call *reports.ActivitiesListCall
		want int
	}{
		"event":         {list.List("all", "admin").EventName("SUSPEND_USER"), 1},
		"another event": {list.List("all", "admin").EventName("DELETE_USER"), 0},
		"parameter":     {list.List("all", "admin").EventName("CREATE_USER").Filters("USER_EMAIL==ann@initech.com"), 1},
		"not":           {list.List("all", "admin").EventName("SUSPEND_USER").Filters("USER_EMAIL<>ann@initech.com"), 0},
		"last counts":   {list.List("all", "admin").EventName("SUSPEND_USER").Filters("USER_EMAIL==x,USER_EMAIL==ann@initech.com"), 1},
		"no such":       {list.List("all", "admin").EventName("SUSPEND_USER").Filters("GROUP_EMAIL==x"), 0},
		"actor":         {list.List(ann, "groups_enterprise"), 1},
		"actor by mail": {list.List("ann@initech.com", "groups_enterprise"), 1},
		"address":       {list.List("all", "groups_enterprise").ActorIpAddress("192.0.2.77"), 0},
		"dead filters":  {list.List("all", "groups_enterprise").OrgUnitID("id:abc").GroupIdFilter("id:abc").EventName("join"), 1},
	} {
		if page, err := call.call.Do(); err != nil || len(page.Items) != call.want {
			t.Errorf("%s: %v, %+v, want %d", name, err, page, call.want)
		}
	}
}

func TestActivityRequestsAreRefused(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	must(c.control.RemoveUser(t.Context(), "initech", c.person("gone")))(t)
	hour := func(n int) string { return fake.Now().Add(time.Duration(n) * time.Hour).Format(time.RFC3339) }
	const all = "reports/v1/activity/users/all/applications/"
	for path, want := range map[string]string{
		all + "admin?startTime=" + hour(1):                                "400 invalid: Start time",
		all + "admin?startTime=" + hour(-1) + "&endTime=" + hour(-2):      "400 invalid: Start time",
		all + "admin?startTime=yesterday":                                 "400 invalidParameter:",
		all + "admin?startTime=2026-11-22T09:00Z":                         "400 invalidParameter:",
		all + "admin?maxResults=0":                                        "400 invalidParameter:",
		all + "admin?maxResults=1001":                                     "400 invalidParameter:",
		all + "admin?pageToken=x":                                         "400 invalidParameter:",
		all + "admin?filters=x":                                           "400 invalidParameter:",
		all + "admin?orgUnitID=x":                                         "400 invalidParameter:",
		all + "admin?customerId=C00000000":                                "403 forbidden: Not Authorized",
		all + "admin?includeSensitiveData=true":                           "403 forbidden: Not Authorized",
		all + "abacus":                                                    "400 invalidParameter:",
		all + "gmail":                                                     "400 invalid: startTime",
		"reports/v1/activity/users/gone@initech.com/applications/admin":   "404 notFound: Resource Not Found: userKey",
		"reports/v1/activity/users/nobody@initech.com/applications/admin": "404 notFound: Resource Not Found: userKey",
		"reports/v1/usage/users/all":                                      "404 notFound:",
	} {
		status, out := c.admin(http.MethodGet, strings.ReplaceAll(path, "+", "%2B"), nil)
		if got := fmt.Sprint(status, " ", refused(out)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if status, _ := c.admin(http.MethodGet, all+"vault?customerId=my_customer&startTime="+hour(-24*400), nil); status != http.StatusOK {
		t.Errorf("an application that has nothing to tell: %d", status)
	}
	c.signInAs(initechAdmin, control.ScopeUsers)
	if status, out := c.admin(http.MethodGet, all+"admin", nil); status != http.StatusForbidden || !strings.HasPrefix(refused(out), "insufficientPermissions") {
		t.Errorf("without the scope: %d %s", status, refused(out))
	}
	c.token = "stolen"
	if status, out := c.admin(http.MethodGet, all+"admin", nil); status != http.StatusUnauthorized || !strings.HasPrefix(refused(out), "authError") {
		t.Errorf("without a token: %d %s", status, refused(out))
	}
	c.signInAs(initechAdmin)
	if err := c.control.SetAdmins(t.Context(), "initech", []control.Admin{{Address: initechAdmin, Privileges: []string{control.PrivilegeUsers}}}); err != nil {
		t.Fatal(err)
	}
	if status, out := c.admin(http.MethodGet, all+"admin", nil); status != http.StatusUnauthorized || !strings.HasPrefix(refused(out), "authError: Access denied") {
		t.Errorf("without the privilege: %d %s", status, refused(out))
	}
}

func TestReportsQuota(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	if err := c.control.PutSettings(t.Context(), control.Settings{QuotaPerMinute: 5, FilterQuotaPerMinute: 2}); err != nil {
		t.Fatal(err)
	}
	ask := func(event string) int {
		call := c.audit().Activities.List("all", "admin")
		if event != "" {
			call.EventName(event)
		}
		_, err := call.Do()
		var refused *googleapi.Error
		if errors.As(err, &refused) {
			return refused.Code
		}
		return http.StatusOK
	}
	var got []int
	for _, event := range []string{"X", "X", "X", "", "", ""} {
		got = append(got, ask(event))
	}
	if diff := cmp.Diff([]int{200, 200, 503, 200, 200, 503}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	fake.Advance(time.Minute)
	if got := ask("X"); got != http.StatusOK {
		t.Errorf("a minute later: %d", got)
	}
	counters := must(c.control.Counters(t.Context(), "initech"))(t)
	if got := counters["GET admin/activities/admin"]; got.Requests != 7 || got.Throttled != 2 {
		t.Errorf("counted: %+v", got)
	}
	if err := c.control.AddFault(t.Context(), control.Fault{Route: "GET admin/activities", Status: 429, RetryAfter: 3, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if got := ask(""); got != http.StatusTooManyRequests {
		t.Errorf("on demand: %d", got)
	}
}
