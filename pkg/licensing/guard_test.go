package licensing_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

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
		"four of five are too few":            {shipped, 4, 0, 5, false},
		"few are none, whatever their share":  {shipped, 4, 0, 4, false},
		"the fewest that are a bulk, a fifth": {shipped, 5, 0, 25, false},
		"and just above it":                   {shipped, 5, 0, 24, true},
		"those of the hour make it a bulk":    {shipped, 1, 4, 1, true},
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

// In exact numbers: of those who were licensed when the hour began, more than the share lose it, and enough of them.
func TestGuardCountsExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := licensing.Guard{Share: rapid.IntRange(0, 100).Draw(t, "share"), Least: rapid.IntRange(1, 9).Draw(t, "least")}
		before := rapid.IntRange(1, 120).Draw(t, "licensed when the hour began")
		others := rapid.IntRange(0, before-1).Draw(t, "revoked since")
		n := rapid.IntRange(1, before-others).Draw(t, "to be revoked")
		lost := big.NewRat(int64(others+n), int64(before))
		want := g.Share > 0 && others+n >= g.Least && lost.Cmp(big.NewRat(int64(g.Share), 100)) > 0
		if got := g.Bulk(n, others, before-others); got != want {
			t.Fatalf("%+v: %d of %d after %d of the hour: %v", g, n, before, others, got)
		}
		if g.Bulk(0, others, before-others) {
			t.Fatalf("%+v: nobody is a bulk", g)
		}
		if n > 1 && g.Bulk(n-1, others, before-others) && !want {
			t.Fatalf("%+v: %d of %d are a bulk, one more is none", g, n-1, before)
		}
	})
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
