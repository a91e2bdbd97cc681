package lane

import (
	"fmt"
	"testing"
	"time"
)

// share returns the intervals of groups of so many pages each, of a full grant.
func share(pages ...int) map[string]time.Duration {
	l := &Lane{cfg: Config{List: 5 * time.Second}, rolls: map[string]*roll{}, budget: NewBudget(2400)}
	for i, n := range pages {
		l.rolls[fmt.Sprintf("g%04d", i)] = &roll{length: n}
	}
	return l.intervals()
}

// Many small groups beside a large one: neither starves the other, and together they keep within the budget.
func TestListsShareTheBudget(t *testing.T) {
	t.Parallel()
	many := make([]int, 1001)
	for i := range many {
		many[i] = 1
	}
	many[0] = 5000
	for name, c := range map[string]struct {
		pages        []int
		small, large time.Duration // at most, of the last and of the first
	}{
		"a small one":      {[]int{1}, 5 * time.Second, 5 * time.Second},
		"a large one":      {[]int{5000}, 3 * time.Minute, 3 * time.Minute},
		"ten small":        {[]int{5000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 5 * time.Second, 4 * time.Minute},
		"a thousand small": {many, 40 * time.Second, 45 * time.Minute},
		"two large":        {[]int{5000, 5000, 1}, 5 * time.Second, 6 * time.Minute},
	} {
		got := share(c.pages...)
		first, last := got["g0000"], got[fmt.Sprintf("g%04d", len(c.pages)-1)]
		if last > c.small || first > c.large {
			t.Errorf("%s: every %v and %v, want at most %v and %v", name, first, last, c.large, c.small)
		}
		perSecond := 0.0
		for i, n := range c.pages {
			perSecond += float64(n) / got[fmt.Sprintf("g%04d", i)].Seconds()
		}
		if most := listShare * steady * 2400 / 60; perSecond > most*1.0001 {
			t.Errorf("%s: %.2f requests a second, want at most %.2f", name, perSecond, most)
		}
	}
}
