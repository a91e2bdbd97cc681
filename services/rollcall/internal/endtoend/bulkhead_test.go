package endtoend

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

var bulkhead = flag.Bool("bulkhead", false, "measure 1,000 tenants, of which ten are throttled and ten time out, in five rounds, rather than only let 24 of 30 get through")

// TestTenantsInTroubleDelayNoOther: while the provider throttles some tenants to a standstill and does not answer for others,
// every change of the rest is told. At full size it is told as fast as without them, within a half.
func TestTenantsInTroubleDelayNoOther(t *testing.T) {
	if !*bulkhead {
		t.Parallel()
		c := openCrowd(t, 30)
		c.compare(t, 3, 30, 100, 1)
		return
	}
	c := openCrowd(t, 1_000)
	without, with := c.compare(t, 10, 1_000, 40, 5)
	calm, troubled := middle(without), middle(with)
	t.Logf("p99 without trouble %s, with it %s: %.2f times", calm, troubled, float64(troubled)/float64(calm))
	if troubled > calm*3/2 {
		t.Errorf("the others' p99 went from %s to %s", calm, troubled)
	}
}

// compare has changes happen in rounds, each first without and then with trouble to that many tenants of either kind, and
// returns the p99 of the others.
func (c *crowd) compare(t *testing.T, trouble, changes, perSecond, rounds int) (without, with []time.Duration) {
	t.Helper()
	dice := rand.New(rand.NewPCG(1, 7))
	for round := range rounds {
		quiet := c.measure(t, dice, trouble, changes, perSecond)
		for i, r := range c.tenants[:2*trouble] {
			fault := control.Fault{Tenant: r.id, Status: 429, RetryAfter: 1}
			if i >= trouble {
				fault = control.Fault{Tenant: r.id, Delay: time.Hour}
			}
			if err := c.control.AddFault(t.Context(), fault); err != nil {
				t.Fatal(err)
			}
		}
		var stuck []change
		for _, r := range c.tenants[:2*trouble] {
			stuck = append(stuck, c.cross(t, r, 1))
		}
		loud := c.measure(t, dice, trouble, changes, perSecond)
		for _, one := range stuck {
			if took, shown, _ := c.took(one); shown {
				t.Errorf("%s, which is in trouble, was read within %s", one.tenant, took)
			}
		}
		if err := c.control.ClearFaults(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("round %d: %s; with trouble %s", round+1, quiet, loud)
		without, with = append(without, quiet.p99), append(with, loud.p99)
		if round < rounds-1 {
			for _, one := range stuck { // an answer that does not come is waited for
				c.await(t, one)
			}
		}
	}
	return without, with
}

// spread is how long changes took.
type spread struct{ p50, p99, longest time.Duration }

func (s spread) String() string {
	return "p50 " + s.p50.Round(time.Millisecond/10).String() + ", p99 " + s.p99.Round(time.Millisecond/10).String() + ", longest " + s.longest.Round(time.Millisecond/10).String()
}

// measure has changes happen at a pace, to the tenants in an order by dice, and waits until those of the tenants that are never in
// trouble are shown. A tenant whose last change is not shown yet has no other.
func (c *crowd) measure(t *testing.T, dice *rand.Rand, trouble, changes, perSecond int) spread {
	t.Helper()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	var all []time.Duration
	waits := map[*resident]change{}
	for n := 0; n < changes; {
		for _, i := range dice.Perm(len(c.tenants)) {
			<-tick.C
			r := c.tenants[i]
			if i < 2*trouble {
				c.cross(t, r, 2+n%5) // so that pushes go on to come for it
				continue
			}
			if before, any := waits[r]; any {
				all = append(all, c.await(t, before))
			}
			waits[r] = c.cross(t, r, 0)
			if n++; n == changes {
				break
			}
		}
	}
	for _, one := range waits {
		all = append(all, c.await(t, one))
	}
	slices.Sort(all)
	return spread{quantile(all, 0.5), quantile(all, 0.99), all[len(all)-1]}
}

func quantile[T cmp.Ordered](sorted []T, q float64) T { return sorted[int(q*float64(len(sorted)-1))] }

// middle is the median.
func middle(all []time.Duration) time.Duration {
	return quantile(slices.Sorted(slices.Values(all)), 0.5)
}
