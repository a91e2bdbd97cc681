package torture

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// stale is how far behind a replica is at most, by the scaled clock.
const stale = 20 * time.Second

// plan is what goes wrong: so often that each kind happens many times in a minute, and so seldom that the lanes get on.
func plan(cfg Config) control.Plan {
	rates := map[control.FaultKind]float64{
		control.Throttled: 0.01, control.Failed: 0.03, control.Forbidden: 0.01, control.Cut: 0.02, control.HalfPage: 0.02,
		control.ShortPage: 0.1, control.StaleRead: 0.02, control.Slow: 0.05,
		control.PushLost: 0.1, control.PushDelayed: 0.1, control.PushReordered: 0.1, control.PushRepeated: 0.1,
		control.SubscriptionLost: 0.0005, // it stays lost for the rest of the run
	}
	if cfg.FullReads() {
		rates[control.Expired] = 0.005 // a full read follows, which the other half of the runs does without
	}
	return control.Plan{
		Seed: cfg.Seed, Rates: rates, RetryAfter: 1, Delay: 2 * time.Second, PushDelay: 20 * time.Second, Stale: stale,
	}
}

// settings are what is so all the time: pages that a directory of this size needs several of, and logs that tell of a change a
// moment later, now and then in another order.
func settings() control.Settings {
	return control.Settings{
		PageSize:    25,
		ActivityLag: map[string]time.Duration{"admin": 2 * time.Second, "groups_enterprise": 2 * time.Second}, ActivityLagJitter: 5 * time.Second,
	}
}

// endFaults ends the plan, and returns what it did to the providers that were read.
func endFaults(ctx context.Context, client *control.Client) (map[control.FaultKind]int, error) {
	if err := client.EndPlan(ctx, ""); err != nil {
		return nil, fmt.Errorf("end the plan of faults: %w", err)
	}
	dealt, err := client.Dealt(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("count the faults: %w", err)
	}
	return dealt, nil
}
