package timelapse

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// crossing is one user who comes into the group or leaves it.
type crossing struct {
	user  string
	joins bool
	at    time.Time
	mark  int // what was heard by then
}

// comeAndGo has users cross at random moments of a span, each of them once.
func (c *customer) comeAndGo(random *rand.Rand, members, others []string, span time.Duration, times int) []crossing {
	c.tb.Helper()
	members, others = slices.Clone(members), slices.Clone(others)
	random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	random.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	moments := make([]time.Duration, times)
	for i := range moments {
		moments[i] = time.Duration(random.Int64N(int64(span)))
	}
	slices.Sort(moments)
	began := c.stage.Now()
	crossings := make([]crossing, times)
	for i, moment := range moments {
		c.until(began.Add(moment))
		one := crossing{joins: random.IntN(2) == 0, mark: c.heard.mark()}
		if one.joins {
			one.user, others = others[0], others[1:]
			one.at = c.act(c.control.AddMembers(c.tb.Context(), c.id, c.group, one.user)).At
		} else {
			one.user, members = members[0], members[1:]
			one.at = c.act(c.control.RemoveMembers(c.tb.Context(), c.id, c.group, one.user)).At
		}
		crossings[i] = one
	}
	c.until(began.Add(span))
	return crossings
}

// lags are how long it took from each change to its license event, sorted.
type lags []time.Duration

// lags waits for what has not come yet.
func (c *customer) lags(crossings []crossing, within time.Duration) lags {
	c.tb.Helper()
	all := make(lags, len(crossings))
	for i, one := range crossings {
		var at time.Time
		c.await(fmt.Sprintf("the event of a user who came in (%t)", one.joins), within, func() (came bool) {
			at, came = c.heard.first(one.mark, one.user, one.joins)
			return came
		})
		all[i] = at.Sub(one.at)
	}
	slices.Sort(all)
	return all
}

func (l lags) quantile(q float64) time.Duration { return l[int(q*float64(len(l)-1))] }

func (l lags) String() string {
	return fmt.Sprintf("%d changes: p50 %s, p99 %s, longest %s", len(l), l.quantile(0.5), l.quantile(0.99), l[len(l)-1])
}
