package traffic_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

var start = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// faults are those of one plan. They never wait: a canceled context ends what a slow answer would wait for.
func faults(t *testing.T, plans ...control.Plan) *traffic.Faults {
	t.Helper()
	f := traffic.NewFaults(clock.NewFake(start))
	for _, p := range plans {
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		f.PutPlan(p)
	}
	return f
}

func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func deal(t *testing.T, f *traffic.Faults, r traffic.Request) traffic.Spoil {
	t.Helper()
	s, err := f.Deal(canceled(t), r)
	if err != nil && s.Delay == 0 {
		t.Fatal(err)
	}
	return s
}

func list(tenant string) traffic.Request {
	return traffic.Request{Tenant: tenant, Route: "GET /users/delta token", Cursor: true}
}

func TestRatesAreKept(t *testing.T) {
	t.Parallel()
	const rolls = 10_000
	rates := map[control.FaultKind]float64{
		control.Throttled: 0.3, control.Failed: 0.1, control.Forbidden: 0.05, control.Expired: 0.02, control.Cut: 0.1,
		control.HalfPage: 0.2, control.StaleRead: 0.1, control.ShortPage: 0.1, control.Slow: 0.5,
	}
	f := faults(t, control.Plan{Seed: 1, Rates: rates})
	seen := map[control.FaultKind]int{}
	for range rolls {
		s := deal(t, f, list("a"))
		if s.Kind != "" {
			seen[s.Kind]++
		}
		if s.Delay > 0 {
			seen[control.Slow]++
		}
		if s.Kind == control.StaleRead || s.Kind == control.ShortPage {
			f.Count("a", s.Kind) // as who shows it does
		}
		if s.Delay < 0 || s.Delay > control.DefaultDelay || (s.Age > 0) != (s.Kind == control.StaleRead) || s.Age > control.DefaultStale {
			t.Fatalf("%+v", s)
		}
	}
	for kind, rate := range rates {
		expected, sigma := rate*rolls, math.Sqrt(rolls*rate*(1-rate))
		if math.Abs(float64(seen[kind])-expected) > 3*sigma {
			t.Errorf("%s: %d of %d, want %.0f", kind, seen[kind], rolls, expected)
		}
	}
	if diff := cmp.Diff(seen, f.Dealt("a")); diff != "" {
		t.Errorf("counted (-seen +dealt):\n%s", diff)
	}
	if f.Reset(); len(f.Dealt("")) != 0 {
		t.Errorf("after a reset: %v", f.Dealt(""))
	}
}

// story is what befalls the first 50 requests of tenants and routes that take turns in an order of their own.
func story(t *testing.T, p control.Plan, order uint64) map[string]string {
	t.Helper()
	f := faults(t, p)
	turns := rand.New(rand.NewPCG(order, 0))
	out := map[string]string{}
	all := []traffic.Request{list("a"), list("b"), {Tenant: "a", Route: "GET /users/{id}"}, {Tenant: "b", Route: "POST /subscriptions"}}
	for left := slices.Repeat(all, 50); len(left) > 0; {
		i := turns.IntN(len(left))
		r := left[i]
		left = slices.Delete(left, i, i+1)
		s := deal(t, f, r)
		out[r.Tenant+" "+r.Route] += fmt.Sprintf("%s/%d/%s/%d ", s.Kind, s.Status, s.Delay, s.Choice)
	}
	return out
}

func TestSameSeedSameStory(t *testing.T) {
	t.Parallel()
	p := control.Plan{Seed: 7, Rates: map[control.FaultKind]float64{control.Failed: 0.2, control.Cut: 0.2, control.Slow: 0.2}}
	first := story(t, p, 1)
	for order := range uint64(5) {
		if diff := cmp.Diff(first, story(t, p, order)); diff != "" {
			t.Errorf("order %d:\n%s", order, diff)
		}
	}
	p.Seed = 8
	for route, told := range story(t, p, 1) {
		if told == first[route] {
			t.Errorf("%s: another seed tells the same", route)
		}
	}
	if first["a GET /users/delta token"] == first["b GET /users/delta token"] {
		t.Error("two tenants have the same story")
	}
}

func TestAChangedRateLeavesOtherKindsAlone(t *testing.T) {
	t.Parallel()
	kinds := func(slow float64) (out []control.FaultKind) {
		f := faults(t, control.Plan{Seed: 3, Rates: map[control.FaultKind]float64{control.Failed: 0.3, control.Slow: slow}})
		for range 100 {
			out = append(out, deal(t, f, list("a")).Kind)
		}
		return out
	}
	if diff := cmp.Diff(kinds(0), kinds(0.9)); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsGoBeforePlans(t *testing.T) {
	t.Parallel()
	f := faults(t, control.Plan{Rates: map[control.FaultKind]float64{control.Cut: 1}}, control.Plan{Tenant: "b", Rates: nil})
	f.Add(control.Fault{Route: "GET /users", Status: 418, Count: 1})
	if s := deal(t, f, list("a")); s.Status != 418 || s.Kind != "" || f.Dealt("")[control.Cut] != 0 {
		t.Errorf("the first: %+v", s)
	}
	if s := deal(t, f, list("a")); s.Kind != control.Cut || !s.Tears() {
		t.Errorf("the second: %+v", s)
	}
	if s := deal(t, f, list("b")); s.Kind != "" {
		t.Errorf("with a plan of its own: %+v", s)
	}
	if s := deal(t, f, list("")); s.Kind != "" {
		t.Errorf("of no tenant: %+v", s)
	}
	if plans := f.Plans(); len(plans) != 2 || plans[0].Tenant != "" || plans[1].Tenant != "b" {
		t.Errorf("plans: %+v", plans)
	}
	f.EndPlan("b")
	if s := deal(t, f, list("b")); s.Kind != control.Cut {
		t.Errorf("without the plan of its own: %+v", s)
	}
	f.EndPlan("")
	if s := deal(t, f, list("a")); s.Kind != "" || f.Dealt("")[control.Cut] != 2 {
		t.Errorf("after the end: %+v, %v", s, f.Dealt(""))
	}
}

func TestKindsBefallWhatTheyCan(t *testing.T) {
	t.Parallel()
	for kind, befalls := range map[control.FaultKind]string{
		control.Expired:   "GET /users/delta token",
		control.Forbidden: "GET /users/delta token,GET /users,POST /subscriptions",
		control.HalfPage:  "GET /users/delta token,GET /users",
		control.StaleRead: "GET /users/delta token,GET /users",
		control.ShortPage: "GET /users/delta token,GET /users",
		control.Cut:       "GET /users/delta token,GET /users,POST /subscriptions,POST /token",
	} {
		f := faults(t, control.Plan{Rates: map[control.FaultKind]float64{kind: 1}})
		var got []string
		for _, r := range []traffic.Request{
			list("a"), {Tenant: "a", Route: "GET /users"}, {Tenant: "a", Route: "POST /subscriptions"}, {Tenant: "a", Route: traffic.TokenRoute},
		} {
			if deal(t, f, r).Kind == kind {
				got = append(got, r.Route)
			}
		}
		if strings.Join(got, ",") != befalls {
			t.Errorf("%s befalls %v", kind, got)
		}
	}
}

func TestPlansHaveATime(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	f := traffic.NewFaults(c)
	f.PutPlan(control.Plan{Rates: map[control.FaultKind]float64{control.Failed: 1}, From: start.Add(time.Minute), Until: start.Add(time.Hour)})
	for _, step := range []struct {
		wait  time.Duration
		fails bool
	}{{0, false}, {time.Minute, true}, {58 * time.Minute, true}, {time.Minute, false}} {
		c.Advance(step.wait)
		if s := deal(t, f, list("a")); (s.Kind == control.Failed) != step.fails {
			t.Errorf("at %s: %+v", c.Now(), s)
		}
	}
}

func TestSlowAnswersWaitByTheClock(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	f := traffic.NewFaults(c)
	f.PutPlan(control.Plan{Rates: map[control.FaultKind]float64{control.Slow: 1}, Delay: time.Hour})
	done := make(chan traffic.Spoil)
	go func() {
		s, err := f.Deal(t.Context(), list("a"))
		if err != nil {
			t.Error(err)
		}
		done <- s
	}()
	c.BlockUntil(1)
	c.Advance(time.Hour)
	if s := <-done; s.Delay <= 0 || s.Delay > time.Hour {
		t.Errorf("waited %s", s.Delay)
	}
}

func TestPushesAreDealt(t *testing.T) {
	t.Parallel()
	const pushes = 10_000
	rates := map[control.FaultKind]float64{
		control.PushLost: 0.3, control.PushDelayed: 0.2, control.PushReordered: 0.1, control.SubscriptionLost: 0.01, control.PushRepeated: 0.1,
	}
	told := func(seed uint64) (all []traffic.PushSpoil, dealt map[control.FaultKind]int) {
		f := faults(t, control.Plan{Seed: seed, Rates: rates, PushDelay: time.Hour})
		for i := range pushes {
			s := f.DealPush("a", "users")
			if all = append(all, s); s.Kind == control.PushReordered {
				f.Count("a", s.Kind)
			}
			if i%3 == 0 { // what goes on elsewhere changes nothing
				f.DealPush("a", "groups")
			}
			if s.Wait < 0 || s.Wait > time.Hour || s.Again < 0 || s.Again > time.Hour {
				t.Fatalf("%+v", s)
			}
		}
		return all, f.Dealt("a")
	}
	all, dealt := told(1)
	again, _ := told(1)
	other, _ := told(2)
	if !slices.Equal(all, again) || slices.Equal(all, other) {
		t.Error("a seed does not tell one story")
	}
	left := 1 - rates[control.PushLost] - rates[control.SubscriptionLost]
	rates[control.PushRepeated] *= left // what is lost is not repeated
	total := float64(pushes + (pushes+2)/3)
	for kind, rate := range rates {
		of := total
		if kind == control.PushReordered {
			of = pushes // those of the other resource were not counted
		}
		expected, sigma := rate*of, math.Sqrt(of*rate*(1-rate))
		if math.Abs(float64(dealt[kind])-expected) > 3*sigma {
			t.Errorf("%s: %d, want %.0f", kind, dealt[kind], expected)
		}
	}
}
