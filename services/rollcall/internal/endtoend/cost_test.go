package endtoend

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// BenchmarkMembershipChange measures one change of a membership, from when the provider begins to POST its notification
// to when a subscriber has the license event, in a group that holds half of the tenant's users. The time may be half as
// long again in the large tenant; provider calls and rows written must be the same.
func BenchmarkMembershipChange(b *testing.B) {
	var all []cost
	for _, users := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			c := measure(b, users, b.Loop)
			b.ReportMetric(milliseconds(c.quantile(0.5)), "p50-ms")
			b.ReportMetric(milliseconds(c.quantile(0.99)), "p99-ms")
			b.ReportMetric(c.calls, "provider-calls/op")
			b.ReportMetric(c.objects, "provider-objects/op")
			b.ReportMetric(c.rows, "ledger-rows/op")
			all = append(all, c)
		})
	}
	if len(all) == 2 && !all[0].same(all[1]) {
		b.Errorf("in the small tenant a change cost %s, in the large one %s", all[0], all[1])
	}
}

// TestCostOfAChangeDoesNotGrow: in a tenant twenty times the size a change takes as many provider calls and ledger rows.
func TestCostOfAChangeDoesNotGrow(t *testing.T) {
	t.Parallel()
	var all []cost
	for _, users := range []int{60, 1_200} {
		left := 6
		all = append(all, measure(t, users, func() bool { left--; return left >= 0 }))
	}
	if !all[0].same(all[1]) || all[0].calls == 0 || all[0].rows == 0 {
		t.Errorf("in the small tenant a change cost %s, in the large one %s", all[0], all[1])
	}
}

// cost is what changes of one kind took.
type cost struct {
	took []time.Duration // sorted

	calls, objects float64 // of one change: requests that the provider served, and what it told in its answers
	rows           float64 // of one change: rows of the ledger written, halfway between a leave and a join
}

func (c cost) quantile(q float64) time.Duration { return c.took[int(q*float64(len(c.took)-1))] }
func (c cost) same(as cost) bool                { return c.String() == as.String() }

func (c cost) String() string {
	return fmt.Sprintf("%g calls, %g objects told and %g rows", c.calls, c.objects, c.rows)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// measure has members leave the group, and come back, for as long as there is more to do.
func measure(tb testing.TB, users int, more func() bool) cost {
	tb.Helper()
	h := open(tb, plan{durable: true, direct: true})
	c := h.found(tb, "contoso")
	people := c.hire(tb, users)
	group := c.makeGroup(tb, people[:users/2]...)
	began := time.Now()
	c.join(tb)
	c.awaitAll(tb, users/2)
	tb.Logf("%d users: read and published within %s", users, time.Since(began).Round(100*time.Millisecond))
	c.awaitPushes(tb)
	c.verify(tb)
	c.change(tb, group, people[0], false) // opens the provider's connection
	c.change(tb, group, people[0], true)
	c.awaitApplied(tb)
	calls, objects := c.calls(tb)
	var out cost
	var rows [2][]float64 // of each leave, and of each join
	for before := h.rows(tb); more(); {
		n := len(out.took)
		out.took = append(out.took, c.change(tb, group, people[n/2%(users/2)], n%2 == 1))
		c.awaitApplied(tb)
		now := h.rows(tb)
		rows[n%2], before = append(rows[n%2], now-before), now
	}
	n := float64(len(out.took))
	callsAfter, objectsAfter := c.calls(tb)
	out.calls, out.objects = (callsAfter-calls)/n, (objectsAfter-objects)/n
	out.rows = (median(rows[0]) + median(rows[1])) / 2
	slices.Sort(out.took)
	return out
}

// median is what most changes of a kind took: a round that had asked before may end, and be told, within one of them.
func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[(len(of)-1)/2]
}

// change makes one change and returns how long its event took. It waits until the round that brought it is over, so that
// everything of it is counted.
func (c *company) change(tb testing.TB, group, user string, joins bool) time.Duration {
	tb.Helper()
	mark, act := c.licenses.mark(), c.house.control.RemoveMembers
	if joins {
		act = c.house.control.AddMembers
	}
	change := must(tb)(act(tb.Context(), c.id, group, user))
	news := c.awaitLicense(tb, mark, user, joins)
	c.awaitRound(tb, change)
	return news.at.Sub(c.posted(tb, change))
}

// posted returns when the simulator began to POST the notification of a change. It notes that down when it has an answer.
func (c *company) posted(tb testing.TB, change control.Change) (at time.Time) {
	tb.Helper()
	eventually(tb, "the notification of a change", func() bool {
		deliveries, err := c.house.control.Deliveries(tb.Context(), c.id, change.Version-1)
		if err != nil {
			tb.Fatal(err)
		}
		for _, d := range deliveries {
			if at.IsZero() || d.At.Before(at) {
				at = d.At
			}
		}
		return !at.IsZero()
	})
	return at
}

// awaitAll waits for the first n license events, however long it takes to read the directory.
func (c *company) awaitAll(tb testing.TB, n int) {
	tb.Helper()
	for {
		events, changed := c.licenses.since(0)
		if len(events) >= n {
			return
		}
		select {
		case <-changed:
		case <-tb.Context().Done():
			tb.Fatalf("%d of %d license events", len(events), n)
		}
	}
}

// awaitApplied waits until the worker has applied every round that has ended, and its outbox is empty.
func (c *company) awaitApplied(tb testing.TB) {
	tb.Helper()
	var ended float64
	messages, _ := c.ledger.since(0)
	for _, m := range messages {
		if m.Event.Type() == event.TypeRoundEnded {
			ended++
		}
	}
	eventually(tb, "all rounds are applied", func() bool {
		return c.house.metric(tb, "rollcall_worker_messages_total", event.TypeRoundEnded) >= ended &&
			c.house.metric(tb, "rollcall_worker_outbox_depth", "") == 0
	})
}

// calls is how many requests of Rollcall's the provider has answered, those for tokens apart, and with how many objects.
func (c *company) calls(tb testing.TB) (n, objects float64) {
	tb.Helper()
	for route, counter := range c.served(tb) {
		if route != "POST /token" {
			n += float64(counter.Requests)
			objects += float64(counter.Items + counter.Members)
		}
	}
	return n, objects
}

// rows is how many rows of the ledger the worker has written.
func (h *house) rows(tb testing.TB) float64 {
	tb.Helper()
	return h.metric(tb, "rollcall_worker_rows_written_total", "")
}

// metric sums a counter of Rollcall's up, over all labels or those sets that have the given value.
func (h *house) metric(tb testing.TB, name, value string) (sum float64) {
	tb.Helper()
	families, err := h.metrics.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			named := value == ""
			for _, l := range m.GetLabel() {
				named = named || l.GetValue() == value
			}
			if named {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
