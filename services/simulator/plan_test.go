package simulator_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// impatient is a client of the APIs that asks once only. Over HTTP/1.1 it never uses a connection twice: net/http tries
// again, by itself, what was cut on a connection that it had used before.
func (s *sim) impatient(http2 bool) *http.Client {
	s.t.Helper()
	transport := s.http.Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives, transport.ForceAttemptHTTP2 = !http2, http2
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// suffered is the kind of fault that a client can tell from what came of a request; "" for none.
func (s *sim) suffered(client *http.Client, link string) control.FaultKind {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, link, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := client.Do(req)
	if err != nil {
		return control.Cut
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		if len(raw) == 0 || json.Valid(raw) {
			s.t.Errorf("%q is not half of an answer", raw)
		}
		return control.HalfPage
	}
	quota := strings.Contains(string(raw), "userRateLimitExceeded")
	switch res.StatusCode {
	case http.StatusOK:
		return ""
	case http.StatusTooManyRequests:
		return control.Throttled
	case http.StatusForbidden:
		if !quota {
			return control.Forbidden
		}
		return control.Throttled
	case http.StatusGone:
		if res.Header.Get("Location") == "" {
			s.t.Error("nothing says where to start over")
		}
		return control.Expired
	case http.StatusBadRequest:
		return control.Expired
	case http.StatusServiceUnavailable:
		if quota {
			return control.Throttled
		}
	}
	if res.StatusCode < 500 {
		s.t.Errorf("%s: %d %s", link, res.StatusCode, raw)
	}
	return control.Failed
}

// suffer sends requests for a link and holds what was counted against what they came to.
func (s *sim) suffer(client *http.Client, link string, requests int) map[control.FaultKind]int {
	s.t.Helper()
	if err := s.control.ResetCounters(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	seen := map[control.FaultKind]int{}
	for range requests {
		if kind := s.suffered(client, link); kind != "" {
			seen[kind]++
		}
	}
	dealt := must(s.control.Dealt(s.t.Context(), s.tenant.ID))(s.t)
	if diff := cmp.Diff(seen, dealt); diff != "" {
		s.t.Errorf("%s (-seen +dealt):\n%s", link, diff)
	}
	var failed, counted int
	for _, n := range seen {
		failed += n
	}
	for _, c := range must(s.control.Counters(s.t.Context(), s.tenant.ID))(s.t) {
		counted += c.Failed + c.Throttled
	}
	if failed != counted {
		s.t.Errorf("%s: %d requests failed, %d were counted", link, failed, counted)
	}
	return seen
}

// answering are the kinds that change an answer.
func answering() []control.FaultKind {
	return []control.FaultKind{control.Throttled, control.Failed, control.Forbidden, control.Expired, control.Cut, control.HalfPage}
}

// holdPlans tries each kind by itself, and then all of them together, with the pages behind some cursors.
func (s *sim) holdPlans(client *http.Client, links ...string) {
	s.t.Helper()
	put := func(p control.Plan) {
		s.t.Helper()
		if err := s.control.PutPlan(s.t.Context(), p); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, link := range links {
		for _, kind := range answering() {
			put(control.Plan{Seed: 5, Tenant: s.tenant.ID, Rates: map[control.FaultKind]float64{kind: 0.5}})
			if seen := s.suffer(client, link, 20); len(seen) != 1 || seen[kind] < 3 || seen[kind] > 17 {
				s.t.Errorf("%s of %s: %v", kind, link, seen)
			}
		}
		mix := control.Plan{Seed: 6, Rates: map[control.FaultKind]float64{}}
		for _, kind := range answering() {
			mix.Rates[kind] = 0.13
		}
		put(control.Plan{Tenant: s.tenant.ID}) // goes before the other one
		put(mix)
		if seen := s.suffer(client, link, 10); len(seen) != 0 {
			s.t.Errorf("a tenant with a plan of its own suffers %v", seen)
		}
		if err := s.control.EndPlan(s.t.Context(), s.tenant.ID); err != nil {
			s.t.Fatal(err)
		}
		seen := s.suffer(client, link, 60)
		if len(seen) != len(answering()) {
			s.t.Errorf("of all kinds came %v", slices.Sorted(maps.Keys(seen)))
		}
		put(mix)
		if diff := cmp.Diff(seen, s.suffer(client, link, 60)); diff != "" {
			s.t.Errorf("the same seed again:\n%s", diff)
		}
		if err := s.control.EndPlan(s.t.Context(), ""); err != nil {
			s.t.Fatal(err)
		}
	}
	if plans := must(s.control.Plans(s.t.Context()))(s.t); len(plans) != 0 {
		s.t.Errorf("left: %+v", plans)
	}
}

func TestPlanOfGraph(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	s.user("ann")
	_, delta, _ := s.pages("/users/delta")
	s.holdPlans(s.impatient(false), delta)
}

func TestPlanOfWorkspace(t *testing.T) {
	t.Parallel()
	s := initech(t, simulator.Config{PageSize: 1}, nil)
	s.person("ann")
	users := "/directory/v1/users?customer=my_customer"
	activities := "/reports/v1/activity/users/all/applications/admin?maxResults=1"
	s.person("bob")
	var links []string
	for _, path := range []string{users, activities} {
		_, out := s.admin(http.MethodGet, path[1:], nil)
		next, _ := out["nextPageToken"].(string)
		links = append(links, s.server.URL()+"/admin"+path+"&pageToken="+url.QueryEscape(next))
	}
	s.holdPlans(s.impatient(true), links...)
}

// TestSignInIsPlannedToo cuts and fails the token endpoints.
func TestSignInIsPlannedToo(t *testing.T) {
	t.Parallel()
	google := initech(t, simulator.Config{}, nil)
	graph := &sim{t: t, server: google.server, control: google.control, http: google.http}
	graph.putTenant()
	rates := map[control.FaultKind]float64{control.Failed: 0.5, control.Cut: 0.5, control.Slow: 1}
	if err := google.control.PutPlan(t.Context(), control.Plan{Seed: 1, Rates: rates, Delay: time.Microsecond}); err != nil {
		t.Fatal(err)
	}
	client := google.impatient(false)
	for tenant, sign := range map[string]func() (*http.Response, error){
		"initech": func() (*http.Response, error) {
			return client.PostForm(google.server.URL()+"/token", url.Values{
				"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {google.assertion(nil)},
			})
		},
		"contoso": func() (*http.Response, error) {
			return client.PostForm(google.server.URL()+"/contoso.com/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}})
		},
	} {
		seen := map[control.FaultKind]int{control.Slow: 20}
		for range 20 {
			res, err := sign()
			if err != nil {
				seen[control.Cut]++
				continue
			}
			if _ = res.Body.Close(); res.StatusCode >= 500 {
				seen[control.Failed]++
			}
		}
		if diff := cmp.Diff(seen, must(google.control.Dealt(t.Context(), tenant))(t)); diff != "" || seen[control.Failed] == 0 || seen[control.Cut] == 0 {
			t.Errorf("%s: %v (-seen +dealt):\n%s", tenant, seen, diff)
		}
	}
}

// TestCutRequestsMayHaveBeenCarriedOut makes subscriptions, and loses every answer.
func TestCutRequestsMayHaveBeenCarriedOut(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{AllowLoopbackHTTP: true})
	h := newHook(t)
	if err := s.control.PutSettings(t.Context(), control.Settings{AllowDuplicateSubscriptions: true}); err != nil {
		t.Fatal(err)
	}
	s.signIn()
	if err := s.control.PutPlan(t.Context(), control.Plan{Seed: 2, Rates: map[control.FaultKind]float64{control.Cut: 1}}); err != nil {
		t.Fatal(err)
	}
	client := s.impatient(true)
	for range 20 {
		body := `{"changeType":"updated","notificationUrl":"` + h.URL + `","resource":"users","expirationDateTime":"` +
			time.Now().Add(time.Hour).Format(time.RFC3339) + `"}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL()+"/v1.0/subscriptions", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		if res, err := client.Do(req); err == nil {
			t.Errorf("answered %s", res.Status)
			_ = res.Body.Close()
		}
	}
	if made := must(s.control.Subscriptions(t.Context(), "contoso"))(t); len(made) < 3 || len(made) > 17 {
		t.Errorf("%d of 20 were made", len(made))
	}
}

func TestSlowAnswersOfEitherProvider(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	google := initech(t, simulator.Config{}, fake)
	graph := &sim{t: t, server: google.server, control: google.control, http: google.http}
	graph.putTenant()
	graph.signIn()
	google.signInAs(initechAdmin)
	slow := control.Plan{Rates: map[control.FaultKind]float64{control.Slow: 1}, Delay: time.Second}
	if err := google.control.PutPlan(t.Context(), slow); err != nil {
		t.Fatal(err)
	}
	for tenant, get := range map[string]func(){
		"initech": func() { google.read("users?customer=my_customer") },
		"contoso": func() { graph.get("/users") },
	} {
		var answered atomic.Bool
		var asking sync.WaitGroup
		asking.Go(func() { get(); answered.Store(true) })
		for !answered.Load() {
			fake.Advance(time.Second) // more than once, since it may come before the request begins to wait
			must(google.control.Plans(t.Context()))(t)
		}
		asking.Wait()
		if dealt := must(google.control.Dealt(t.Context(), tenant))(t); dealt[control.Slow] != 1 {
			t.Errorf("%s: %v", tenant, dealt)
		}
	}
}

func TestUselessPlansAreRefused(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	for _, p := range []control.Plan{
		{Tenant: "nobody"}, {Rates: map[control.FaultKind]float64{"none": 0.5}}, {Rates: map[control.FaultKind]float64{control.Cut: 2}},
	} {
		if err := s.control.PutPlan(t.Context(), p); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
	if _, err := s.control.Dealt(t.Context(), "nobody"); err == nil {
		t.Error("a tenant that is not there was counted")
	}
}
