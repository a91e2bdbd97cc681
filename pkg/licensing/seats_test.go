package licensing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

func TestSeats(t *testing.T) {
	t.Parallel()
	yes := licensing.Decision{Licensed: true, Reason: licensing.DomainDefault}
	no := licensing.Decision{Reason: licensing.OverSeatLimit}
	limit := func(n int) licensing.Seats { return licensing.Seats{Purchased: n, Enforce: true} }
	for name, c := range map[string]struct {
		seats       licensing.Seats
		holds       bool
		used, ahead int
		want        licensing.Decision
	}{
		"one is free":                   {limit(3), false, 2, 0, yes},
		"none is free":                  {limit(3), false, 3, 0, no},
		"fewer than none":               {limit(3), false, 5, 0, no},
		"it is somebody else's turn":    {limit(3), false, 2, 1, no},
		"there are enough for both":     {limit(4), false, 2, 1, yes},
		"who holds one keeps it":        {limit(3), true, 5, 2, yes},
		"nobody counts":                 {licensing.Seats{Purchased: 3}, false, 9, 9, yes},
		"nobody knows how many":         {limit(licensing.Unlimited), false, 9, 9, yes},
		"none were bought":              {limit(0), false, 0, 0, no},
		"none were bought, not a limit": {licensing.Seats{}, false, 0, 0, yes},
	} {
		if diff := cmp.Diff(c.want, c.seats.Seat(yes, c.holds, c.used, c.ahead)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		denied := licensing.Decision{Reason: licensing.Suspended}
		if diff := cmp.Diff(denied, c.seats.Seat(denied, c.holds, c.used, c.ahead)); diff != "" {
			t.Errorf("%s, without a right to one (-want +got):\n%s", name, diff)
		}
	}
}

func TestExceeded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		purchased, used int
		want            bool
	}{{3, 3, false}, {3, 4, true}, {0, 0, false}, {0, 1, true}, {licensing.Unlimited, 9, false}} {
		for _, enforce := range []bool{false, true} {
			if got := (licensing.Seats{Purchased: c.purchased, Enforce: enforce}).Exceeded(c.used); got != c.want {
				t.Errorf("%d of %d, enforced %v: %v", c.used, c.purchased, enforce, got)
			}
		}
	}
}
