package endtoend

import (
	"flag"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

var burst = flag.Int("burst", 2_000, "how many memberships of a group change at once, in portions of twenty; 10,000 is full size")

// TestABurstCostsPages: while very many join a group at once, with a push for every twenty of them, what is asked of the
// provider follows the pages that there are to read, and not the changes.
func TestABurstCostsPages(t *testing.T) {
	t.Parallel()
	for _, provider := range []struct {
		kind  directory.Provider
		found func(*house, testing.TB, string, ...string) *company
		page  int // members on one
	}{
		{directory.Entra, (*house).found, 1_000},
		{directory.GoogleWorkspace, (*house).foundWorkspace, 200},
	} {
		t.Run(string(provider.kind), func(t *testing.T) {
			t.Parallel()
			h := open(t, plan{direct: true})
			c := provider.found(h, t, "contoso")
			people := c.hire(t, *burst+1)
			group := must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: c.group()})).ID
			must(t)(h.control.AddMembers(t.Context(), c.id, group, people[0]))
			c.join(t)
			c.awaitLicense(t, 0, people[0], true)
			c.awaitPushes(t)
			before, _ := c.calls(t)
			was := c.served(t)
			began := time.Now()
			for portion := range slices.Chunk(people[1:], 20) {
				must(t)(h.control.AddMembers(t.Context(), c.id, group, portion...))
			}
			done := time.Since(began)
			c.awaitAll(t, *burst+1)
			took := time.Since(began)
			after, _ := c.calls(t)
			calls := after - before
			t.Logf("%d joins within %s, told within %s: %g calls, where the group has %d pages", *burst, done, took, calls, *burst/provider.page+1)
			is := c.served(t)
			for _, route := range slices.Sorted(maps.Keys(is)) {
				if n := is[route].Requests - was[route].Requests; n > 0 {
					t.Logf("%s: %d", route, n)
				}
			}
			if most := float64(*burst) / 6; calls == 0 || calls > most { // a round for every push would be more than half of that
				t.Errorf("%g calls, want %g at most", calls, most)
			}
			if n := is["GET admin/members/{memberKey}"].Requests - was["GET admin/members/{memberKey}"].Requests; n > *burst/20 {
				t.Errorf("%d memberships were read one by one", n)
			}
			c.verify(t)
		})
	}
}
