package control

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultKind is something that goes wrong by a plan.
type FaultKind string

// The kinds of faults that befall requests. One of the first eight at most befalls a request; it can be slow besides.
const (
	Throttled FaultKind = "throttled"  // 429; Google's APIs answer 403 and 503 too when a quota is spent
	Failed    FaultKind = "failed"     // 500, 502, 503 or 504
	Forbidden FaultKind = "forbidden"  // 403 for this request only, as while a permission spreads
	Expired   FaultKind = "expired"    // a delta link answers 410; of Google, a page token 400
	Cut       FaultKind = "cut"        // the connection ends without an answer, before or after the request was carried out
	HalfPage  FaultKind = "half-page"  // the connection ends within the answer
	ShortPage FaultKind = "short-page" // fewer entries than asked for, and more behind them
	StaleRead FaultKind = "stale-read" // users, groups and members as they were a moment ago
	Slow      FaultKind = "slow"       // the answer takes a while
)

// The kinds of faults that befall pushes of changes: one of the first four at most, and it can be repeated besides.
const (
	PushLost         FaultKind = "push-lost"
	PushDelayed      FaultKind = "push-delayed"
	PushReordered    FaultKind = "push-reordered" // a later one of the same subscription is sent before it
	SubscriptionLost FaultKind = "subscription-lost"
	PushRepeated     FaultKind = "push-repeated"
)

// FaultKinds lists all kinds.
func FaultKinds() []FaultKind {
	return append(slices.Concat(exclusive...), Slow, PushRepeated)
}

// exclusive are the sets of kinds of which one at most befalls a request or a push.
var exclusive = [][]FaultKind{
	{Throttled, Failed, Forbidden, Expired, Cut, HalfPage, StaleRead, ShortPage}, {PushLost, PushDelayed, PushReordered, SubscriptionLost},
}

// Plan lets faults happen by dice, each kind at a rate of its own, to those requests and pushes that the kind can befall.
// The same seed does the same to the n-th request of a tenant and route, and to its n-th push of a resource, whatever comes
// in between. The README says what each kind stands for. A Fault, and what Push says, go before a plan, and a tenant's own
// plan before the one for all.
type Plan struct {
	Seed   uint64                `json:"seed"`
	Tenant string                `json:"tenant,omitempty"` // id or directory id; empty is for all that have no plan of their own
	Rates  map[FaultKind]float64 `json:"rates"`            // from 0 to 1; those that exclude each other add up to 1 at most
	// RetryAfter is what answers to throttled requests name, in seconds; 0 sends no such header.
	RetryAfter int `json:"retry_after,omitempty"`
	// Delay is the longest that a slow answer waits, in nanoseconds; 0 means DefaultDelay.
	Delay time.Duration `json:"delay,omitempty"`
	// PushDelay is the longest that a push waits, to be late, to be overtaken or to come again; 0 means the same as Delay.
	PushDelay time.Duration `json:"push_delay,omitempty"`
	// Stale is the longest that a stale read is behind, in nanoseconds; 0 means DefaultStale.
	Stale time.Duration `json:"stale,omitempty"`
	// From and Until bound the time in which faults happen; zero means no bound.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// The Delay and Stale of a plan that names none.
const (
	DefaultDelay = 5 * time.Second
	DefaultStale = 10 * time.Second
)

// Check reports what is wrong with a plan.
func (p Plan) Check() error {
	known := FaultKinds()
	for _, kind := range slices.Sorted(maps.Keys(p.Rates)) {
		if rate := p.Rates[kind]; !slices.Contains(known, kind) {
			return fmt.Errorf("fault %q: want one of %s", kind, names(known))
		} else if math.IsNaN(rate) || rate < 0 || rate > 1 {
			return fmt.Errorf("rate of %s: want 0 to 1", kind)
		}
	}
	for _, set := range exclusive {
		sum := 0.0
		for _, kind := range set {
			sum += p.Rates[kind]
		}
		if sum > 1+1e-9 { // ten tenths are a little more than one
			return fmt.Errorf("the rates of %s exclude each other and add up to more than 1", names(set))
		}
	}
	switch {
	case p.RetryAfter < 0 || p.Delay < 0 || p.PushDelay < 0 || p.Stale < 0:
		return fmt.Errorf("plan: a time is below 0")
	case !p.Until.IsZero() && !p.Until.After(p.From):
		return fmt.Errorf("plan: it ends before it begins")
	}
	return nil
}

// ParseRates reads rates as KIND=RATE, e.g. throttled=0.1. The kind "all" stands for those that are not named.
func ParseRates(args []string) (map[FaultKind]float64, error) {
	out := map[FaultKind]float64{}
	for _, arg := range args {
		name, text, _ := strings.Cut(arg, "=")
		rate, err := strconv.ParseFloat(text, 64)
		kind := FaultKind(name)
		switch {
		case err != nil || !(rate >= 0 && rate <= 1):
			return nil, fmt.Errorf("%q: want KIND=RATE, the rate from 0 to 1", arg)
		case kind != all && !slices.Contains(FaultKinds(), kind):
			return nil, fmt.Errorf("%q: want one of %s, or all", name, names(FaultKinds()))
		}
		if _, twice := out[kind]; twice {
			return nil, fmt.Errorf("%q: %s is named twice", arg, kind)
		}
		out[kind] = rate
	}
	rest, given := out[all]
	delete(out, all)
	for _, kind := range FaultKinds() {
		if _, named := out[kind]; given && !named {
			out[kind] = rest
		}
	}
	return out, nil
}

const all FaultKind = "all"

func names(kinds []FaultKind) string {
	out := make([]string, len(kinds))
	for i, kind := range kinds {
		out[i] = string(kind)
	}
	return strings.Join(out, ", ")
}

// PutPlan puts a plan in force, in place of the one for the same tenant, and begins its story at the first request.
func (c *Client) PutPlan(ctx context.Context, p Plan) error {
	return c.do(ctx, http.MethodPut, path("plan"), p, nil)
}

// Plans lists the plans in force, the one for all first.
func (c *Client) Plans(ctx context.Context) ([]Plan, error) {
	var out []Plan
	err := c.do(ctx, http.MethodGet, path("plan"), nil, &out)
	return out, err
}

// EndPlan ends a tenant's plan; an empty tenant ends all plans. What was dealt stays counted.
func (c *Client) EndPlan(ctx context.Context, tenant string) error {
	return c.do(ctx, http.MethodDelete, path("plan")+"?tenant="+url.QueryEscape(tenant), nil, nil)
}

// Dealt counts the faults that happened by plans to a tenant, or to all when tenant is empty, since counters were reset.
func (c *Client) Dealt(ctx context.Context, tenant string) (map[FaultKind]int, error) {
	out := map[FaultKind]int{}
	err := c.do(ctx, http.MethodGet, path("plan", "dealt")+"?tenant="+url.QueryEscape(tenant), nil, &out)
	return out, err
}
