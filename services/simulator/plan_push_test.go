package simulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// watched is a tenant whose users are watched, under a clock that stands still.
type watched struct {
	*sim
	fake  *clock.Fake
	told  chan string // ids of users, as pushes come in
	made  int
	watch func(url string)
	url   string
}

// listen serves the address that pushes of either provider come to.
func (w *watched) listen() {
	w.told = make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, req *http.Request) {
		if token := req.URL.Query().Get("validationToken"); token != "" {
			res.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(res, token)
			return
		}
		var body struct {
			ID    string
			Value []struct{ Resource string }
		}
		_ = json.NewDecoder(req.Body).Decode(&body) // a sync message has none
		if body.ID != "" {
			w.told <- body.ID
		}
		for _, v := range body.Value {
			w.told <- strings.TrimPrefix(v.Resource, "Users/")
		}
		res.WriteHeader(http.StatusAccepted)
	}))
	w.t.Cleanup(server.Close)
	w.url = server.URL
	w.watch(w.url)
}

// change makes a user, which is worth a push.
func (w *watched) change() string {
	w.t.Helper()
	w.made++
	address := fmt.Sprintf("user%d@%s", w.made, w.tenant.Domains[0])
	return must(w.control.AddUser(w.t.Context(), w.tenant.ID, control.NewUser{Address: address}))(w.t).ID
}

func (w *watched) changes(n int) []string {
	w.t.Helper()
	var out []string
	for range n {
		out = append(out, w.change())
	}
	return out
}

// plan puts a plan in force, and sets its counts to zero.
func (w *watched) plan(rates map[control.FaultKind]float64) {
	w.t.Helper()
	if err := w.control.ResetCounters(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	p := control.Plan{Seed: 4, Tenant: w.tenant.ID, Rates: rates, PushDelay: time.Minute}
	if err := w.control.PutPlan(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) endPlan() {
	w.t.Helper()
	if err := w.control.EndPlan(w.t.Context(), ""); err != nil {
		w.t.Fatal(err)
	}
}

// until asks again what was dealt until that is what was to come.
func (w *watched) until(is func(dealt map[control.FaultKind]int) bool) map[control.FaultKind]int {
	w.t.Helper()
	for late := time.Now().Add(20 * time.Second); ; {
		dealt := must(w.control.Dealt(w.t.Context(), w.tenant.ID))(w.t)
		if is(dealt) {
			return dealt
		}
		if time.Now().After(late) {
			w.t.Fatalf("dealt %v", dealt)
		}
	}
}

func (w *watched) untilDealt(kind control.FaultKind, n int) {
	w.t.Helper()
	w.until(func(dealt map[control.FaultKind]int) bool { return dealt[kind] == n })
}

func (w *watched) next() string {
	w.t.Helper()
	select {
	case id := <-w.told:
		return id
	case <-time.After(20 * time.Second):
		w.t.Fatal("no push came")
		return ""
	}
}

// none holds that nothing has come so far.
func (w *watched) none() {
	w.t.Helper()
	select {
	case id := <-w.told:
		w.t.Errorf("a push came of %s", id)
	default:
	}
}

// count takes pushes and counts them by user.
func (w *watched) count(n int) map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for range n {
		out[w.next()]++
	}
	return out
}

func each(ids []string, n int) map[string]int {
	out := map[string]int{}
	for _, id := range ids {
		out[id] = n
	}
	return out
}

func (w *watched) equal(what string, want, got map[string]int) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// holdKinds tries each kind by itself.
func (w *watched) holdKinds() {
	w.t.Helper()
	type rates = map[control.FaultKind]float64
	w.plan(rates{control.PushLost: 1})
	w.changes(3)
	w.untilDealt(control.PushLost, 3)
	w.plan(rates{control.PushRepeated: 1})
	ids := w.changes(3)
	w.equal("at once", each(ids, 1), w.count(3)) // and nothing of what was lost
	w.untilDealt(control.PushRepeated, 3)
	w.none()
	w.fake.Advance(time.Minute)
	w.equal("again", each(ids, 1), w.count(3))

	w.plan(rates{control.PushDelayed: 1})
	ids = w.changes(3)
	w.untilDealt(control.PushDelayed, 3)
	w.none()
	w.fake.Advance(time.Minute)
	w.equal("delayed", each(ids, 1), w.count(3))

	w.plan(rates{control.PushReordered: 1, control.PushRepeated: 1})
	first := w.change()
	w.untilDealt(control.PushRepeated, 1)
	w.endPlan()
	second := w.change()
	if a, b := w.next(), w.next(); a != second || b != first {
		w.t.Errorf("%s came before %s", a, b)
	}
	w.fake.Advance(time.Minute)
	w.equal("again", each([]string{first}, 1), w.count(1))
	w.plan(rates{control.PushReordered: 1, control.PushRepeated: 1})
	ids = w.changes(1)
	w.untilDealt(control.PushRepeated, 1)
	w.fake.Advance(time.Minute)
	w.equal("overtaken by nothing", each(ids, 2), w.count(2))
	w.until(func(d map[control.FaultKind]int) bool {
		return d[control.PushDelayed] == 1 && d[control.PushReordered] == 0
	})

	w.plan(rates{control.SubscriptionLost: 1})
	w.changes(2)
	w.untilDealt(control.SubscriptionLost, 1)
	w.endPlan()
	for len(must(w.control.Subscriptions(w.t.Context(), w.tenant.ID))(w.t)) > 0 {
		w.fake.Advance(0) // it goes within moments
	}
	w.watch(w.url)
	ids = w.changes(1)
	w.equal("of a new subscription", each(ids, 1), w.count(1))
	w.none()
}

// holdMix deals all kinds at once, and holds what was counted against what came. It returns how often each change was told.
func (w *watched) holdMix() (told []int) {
	w.t.Helper()
	w.plan(map[control.FaultKind]float64{
		control.PushLost: 0.2, control.PushRepeated: 0.3, control.PushDelayed: 0.2, control.PushReordered: 0.2,
	})
	ids := w.changes(40)
	came := map[string]int{}
	total := 0
	dealt := w.until(func(dealt map[control.FaultKind]int) bool {
		w.fake.Advance(time.Second)
		for len(w.told) > 0 {
			came[<-w.told]++
			total++
		}
		return total == len(ids)-dealt[control.PushLost]+dealt[control.PushRepeated]
	})
	lost, repeated := 0, 0
	for _, id := range ids {
		n := came[id]
		told = append(told, n)
		if n == 0 {
			lost++
		} else {
			repeated += n - 1
		}
	}
	if lost != dealt[control.PushLost] || repeated != dealt[control.PushRepeated] || lost == 0 || repeated == 0 || dealt[control.PushDelayed] == 0 {
		w.t.Errorf("%d were lost and %d repeated, counted are %v", lost, repeated, dealt)
	}
	return told
}

// watchGraph starts a simulator with a tenant of Graph whose users are watched.
func watchGraph(t *testing.T) *watched {
	t.Helper()
	fake := clock.NewFake(time.Now())
	w := &watched{sim: start(t, simulator.Config{AllowLoopbackHTTP: true}, fake), fake: fake}
	w.putTenant()
	w.watch = func(url string) {
		if status, out := w.subscribe("/users", url); status != http.StatusCreated {
			t.Fatal(status, out)
		}
	}
	w.listen()
	return w
}

func TestPlannedPushesOfGraph(t *testing.T) {
	t.Parallel()
	w := watchGraph(t)
	told := w.holdMix()
	w.holdKinds()
	if again := watchGraph(t).holdMix(); !slices.Equal(told, again) {
		t.Errorf("the same seed told %v, then %v", told, again)
	}
}

// watchWorkspace is watchGraph for a customer of Workspace.
func watchWorkspace(t *testing.T) *watched {
	t.Helper()
	fake := clock.NewFake(time.Now())
	c := initech(t, simulator.Config{AllowLoopbackHTTP: true}, fake)
	channel := 0
	w := &watched{sim: c.sim, fake: fake, watch: func(url string) {
		channel++
		body := object{"id": fmt.Sprint("channel", channel), "type": "web_hook", "address": url}
		if status, out := c.admin(http.MethodPost, "directory/v1/users/watch?customer=my_customer", body); status != http.StatusOK {
			t.Fatal(status, out)
		}
	}}
	w.listen()
	return w
}

func TestPlannedPushesOfWorkspace(t *testing.T) {
	t.Parallel()
	w := watchWorkspace(t)
	told := w.holdMix()
	w.holdKinds()
	if again := watchWorkspace(t).holdMix(); !slices.Equal(told, again) {
		t.Errorf("the same seed told %v, then %v", told, again)
	}
}
