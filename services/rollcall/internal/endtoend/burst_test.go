package endtoend

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

var burst = flag.Int("burst", 1_000, "how many memberships of a group change at once; 10,000 is full size")

// portion is how many change with one push: more than are read one by one.
const portion = 25

// TestABurstCostsPages: while very many join a group at once, or leave it, with a push for every few of them, what is asked of
// the provider follows the pages that there are to read, and not the changes. Where no feed tells of members, a sample of
// those who leave is asked about.
func TestABurstCostsPages(t *testing.T) {
	t.Parallel()
	for _, provider := range []struct {
		kind   directory.Provider
		found  func(*house, testing.TB, string, ...string) *company
		page   int // members on one
		sample int // memberships, and the users whose they are
	}{
		{directory.Entra, (*house).found, 1_000, 0},
		{directory.GoogleWorkspace, (*house).foundWorkspace, 200, 20},
	} {
		t.Run(string(provider.kind), func(t *testing.T) {
			t.Parallel()
			h := open(t, plan{direct: true, doubt: time.Millisecond}) // else some who have just joined are asked about again
			c := provider.found(h, t, "contoso")
			people := c.hire(t, *burst+1)
			group := must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: c.group()})).ID
			must(t)(h.control.AddMembers(t.Context(), c.id, group, people[0]))
			c.join(t)
			c.awaitLicense(t, 0, people[0], true)
			c.awaitPushes(t)
			pages := *burst/provider.page + 1
			for _, r := range []rush{{people[1:], true, 0}, {people[1:], false, provider.sample}} {
				served, took := c.rush(t, group, r)
				calls := 0
				for route, n := range served {
					if calls += n; n > 0 {
						t.Logf("%s: %d", route, n)
					}
				}
				t.Logf("%s: %d calls within %s, where the group has %d pages", r, calls, took.Round(time.Millisecond), pages)
				if most := 2*r.sample + *burst/6; calls == 0 || calls > most { // a round for every push would be more than half of that
					t.Errorf("%s: %d calls, want %d at most", r, calls, most)
				}
				if n := served["GET admin/members/{memberKey}"]; n > r.sample+*burst/20 {
					t.Errorf("%s: %d memberships were read one by one", r, n)
				}
			}
		})
	}
}

// rush is many users who come into a group, or leave it.
type rush struct {
	users  []string
	joins  bool
	sample int // of them are asked about
}

func (r rush) String() string {
	if r.joins {
		return fmt.Sprintf("%d join", len(r.users))
	}
	return fmt.Sprintf("%d leave", len(r.users))
}

// rush lets it happen, and returns which requests were served until all is on LEDGER_IN, and how long that took.
func (c *company) rush(t *testing.T, group string, r rush) (served map[string]int, took time.Duration) {
	t.Helper()
	before, mark, act := c.served(t), c.ledger.mark(), c.house.control.RemoveMembers
	if r.joins {
		act = c.house.control.AddMembers
	}
	began := time.Now()
	for users := range slices.Chunk(r.users, portion) {
		must(t)(act(t.Context(), c.id, group, users...))
	}
	for told := map[string]bool{}; len(told) < len(r.users); {
		news, more := c.ledger.since(mark)
		mark += len(news)
		for _, m := range news {
			if m.Event.Type() != event.TypeDirectoryObserved {
				continue
			}
			page, err := event.Data[event.DirectoryObserved](m.Event)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Observations {
				if o.Membership != nil && o.Membership.Present == r.joins && o.Membership.GroupID == group {
					told[o.Membership.MemberID] = true
				}
			}
		}
		if len(told) == len(r.users) {
			break
		}
		select {
		case <-more:
		case <-t.Context().Done():
			t.Fatalf("%d of %s", len(told), r)
		}
	}
	took = time.Since(began)
	served = map[string]int{}
	for route, counter := range c.served(t) {
		served[route] = counter.Requests - before[route].Requests
	}
	maps.DeleteFunc(served, func(route string, n int) bool { return n == 0 || route == "POST /token" })
	return served, took
}
