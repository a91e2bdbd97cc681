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
		n, others, licensed int // licensed: before the n are revoked
		want                bool
	}{
		"a fifth is none":                     {shipped, 20, 0, 100, false},
		"more than a fifth is":                {shipped, 21, 0, 100, true},
		"few are none, whatever their share":  {shipped, 4, 0, 4, false},
		"five of five are":                    {shipped, 5, 0, 5, true},
		"with those of the hour":              {shipped, 11, 10, 90, true},
		"measured against what it began with": {shipped, 10, 10, 90, false},
		"one more is enough":                  {shipped, 1, 20, 80, true},
		"nobody is nothing":                   {shipped, 0, 50, 50, false},
		"never":                               {licensing.Guard{Share: 0, Least: 1}, 100, 0, 100, false},
		"only all of them":                    {licensing.Guard{Share: 99, Least: 1}, 99, 0, 100, false},
		"all of them":                         {licensing.Guard{Share: 99, Least: 1}, 100, 0, 100, true},
		"not even all":                        {licensing.Guard{Share: 100, Least: 1}, 100, 0, 100, false},
	} {
		if got := c.guard.Bulk(c.n, c.others, c.licensed); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatIsNeverHeldAlone(t *testing.T) {
	t.Parallel()
	for reason, want := range map[licensing.Reason]bool{
		licensing.Suspended: true, licensing.Deleted: true, licensing.NotAMember: false, licensing.Guest: false,
		licensing.Disconnected: false, licensing.OverSeatLimit: false,
	} {
		if reason.Alone() != want {
			t.Errorf("%s: %v", reason, !want)
		}
	}
}
