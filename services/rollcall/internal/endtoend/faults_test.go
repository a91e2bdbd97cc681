package endtoend

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// troubles befall all that a receiver asks for and all that it is pushed. Every kind but forbidden ones, after which a nested
// group may rest until the next full read.
var troubles = map[control.FaultKind]float64{
	control.Throttled: 0.03, control.Failed: 0.05, control.Expired: 0.03, control.Cut: 0.05, control.HalfPage: 0.05, control.ShortPage: 0.2, control.StaleRead: 0.1,
	control.Slow: 0.1, control.PushLost: 0.3, control.PushDelayed: 0.2, control.PushReordered: 0.1, control.SubscriptionLost: 0.02,
	control.PushRepeated: 0.3,
}

// TestTroubleRevokesNobody: while everything goes wrong now and then, nobody loses a license for a reason more often than the
// directory gave that reason, and when the trouble is over, all is as it should be.
func TestTroubleRevokesNobody(t *testing.T) {
	t.Parallel()
	for _, kind := range []directory.Provider{directory.Entra, directory.GoogleWorkspace} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := open(t, plan{poll: 200 * time.Millisecond, doubt: 4 * time.Second})
			if kind == directory.GoogleWorkspace {
				trouble(t, h.foundWorkspace(t, "initech"))
			} else {
				trouble(t, h.found(t, "contoso"))
			}
		})
	}
}

func trouble(t *testing.T, c *company) {
	t.Helper()
	admin, users := c.house.control, c.hire(t, 12)
	group := must(t)(admin.AddGroup(t.Context(), c.id, control.NewGroup{Address: c.group(), Kind: c.groupKind()})).ID
	must(t)(admin.AddMembers(t.Context(), c.id, group, users...))
	c.connect(t)
	c.approveAll(t)
	if err := admin.PutPlan(t.Context(), control.Plan{
		Seed: 7, Tenant: c.id, Rates: troubles, RetryAfter: 1, Delay: 50 * time.Millisecond, PushDelay: 300 * time.Millisecond, Stale: 2 * time.Second,
	}); err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(7, 7))
	is, given := map[string]bool{}, map[string]int{} // by user and reason; that a user is active and no member comes in either order
	for range 60 {
		user := users[dice.IntN(len(users))]
		reason, act, undo := user+" not-a-member", admin.RemoveMembers, admin.AddMembers
		if dice.IntN(3) == 0 {
			reason, act, undo = user+" suspended", ofUser(admin.Suspend), ofUser(admin.Unsuspend)
		}
		if is[reason] = !is[reason]; is[reason] {
			given[reason]++
		} else {
			act = undo
		}
		change := must(t)(act(t.Context(), c.id, group, user))
		if dice.IntN(4) == 0 {
			c.awaitRound(t, change)
		}
	}
	dealt, err := admin.Dealt(t.Context(), c.id)
	if err := errors.Join(err, admin.EndPlan(t.Context(), c.id)); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s has met %v", c.id, dealt)
	c.verify(t)
	events, _ := c.licenses.since(0)
	for _, e := range events {
		if e.Entitlement == nil || e.Entitlement.Licensed || e.Entitlement.Previous == nil || !e.Entitlement.Previous.Licensed {
			continue
		}
		reason := e.User + " " + e.Entitlement.Reason
		if given[reason]--; given[reason] < 0 {
			t.Errorf("the directory did not say so as often: %s at %s", reason, e.at)
		}
	}
}

// ofUser is an act on a user as one on a member of a group.
func ofUser(act func(context.Context, string, string) (control.Change, error)) func(context.Context, string, string, ...string) (control.Change, error) {
	return func(ctx context.Context, tenant, _ string, users ...string) (control.Change, error) {
		return act(ctx, tenant, users[0])
	}
}
