package licensing_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	shipped := licensing.Guard{Share: 20, Least: 5}
	for name, c := range map[string]struct {
		guard               licensing.Guard
		n, others, licensed int
		want                bool
	}{
		"four of five":                      {shipped, 4, 0, 5, false},
		"five of five":                      {shipped, 5, 0, 5, true},
		"exactly a fifth":                   {shipped, 20, 0, 100, false},
		"one more":                          {shipped, 21, 0, 100, true},
		"with those of the hour":            {shipped, 1, 20, 80, true},
		"which count as licensed before":    {shipped, 1, 19, 81, false},
		"one of many":                       {shipped, 1, 0, 100_000, false},
		"nothing, however many there were":  {shipped, 0, 99, 1, false},
		"the last one of a small product":   {shipped, 1, 0, 1, false},
		"five singles of a small product":   {shipped, 1, 4, 6, true},
		"never":                             {licensing.Guard{Least: 1}, 99, 0, 99, false},
		"the least thing":                   {licensing.Guard{Share: 1, Least: 1}, 1, 0, 99, true},
		"a share that nothing can pass":     {licensing.Guard{Share: 100, Least: 1}, 99, 0, 99, false},
		"fewer than the least are no bulk":  {licensing.Guard{Share: 1, Least: 50}, 49, 0, 49, false},
		"as many as the least may be a one": {licensing.Guard{Share: 1, Least: 50}, 50, 0, 99, true},
	} {
		if got := c.guard.Bulk(c.n, c.others, c.licensed); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOnlyWhatTheProviderSaysOfOneUserGoesOnAlone(t *testing.T) {
	t.Parallel()
	for reason, want := range map[licensing.Reason]bool{
		licensing.Suspended: true, licensing.Deleted: true, licensing.NotAMember: false, licensing.Guest: false, licensing.OverSeatLimit: false,
	} {
		if reason.Alone() != want {
			t.Errorf("%s: %v", reason, reason.Alone())
		}
	}
}
