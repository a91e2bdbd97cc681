package endtoend

import (
	"maps"
	"slices"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestAfterTheFirstReadNothingIsListed: whatever happens to a user, Graph is asked for what has changed since the delta
// link, and answers with the one or two objects that did. Nobody reads all users or all members of the group again.
func TestAfterTheFirstReadNothingIsListed(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c := h.found(t, "contoso")
	users := c.hire(t, 400)
	must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: c.group(), Kind: directory.Microsoft365}))
	must(t)(h.control.AddMembers(t.Context(), c.id, c.group(), users[:200]...))
	c.connect(t)
	in, out := users[0], users[399]
	for _, step := range []struct {
		name     string
		act      func() (control.Change, error)
		user     string
		licensed bool
		silent   bool // no license event comes of it
	}{
		{name: "a member joins", user: out, licensed: true, act: func() (control.Change, error) {
			return h.control.AddMembers(t.Context(), c.id, c.group(), out)
		}},
		{name: "a member leaves", user: out, act: func() (control.Change, error) {
			return h.control.RemoveMembers(t.Context(), c.id, c.group(), out)
		}},
		{name: "a member is suspended", user: in, act: func() (control.Change, error) {
			return h.control.Suspend(t.Context(), c.id, in)
		}},
		{name: "a member is back", user: in, licensed: true, act: func() (control.Change, error) {
			return h.control.Unsuspend(t.Context(), c.id, in)
		}},
		{name: "a member has another name", silent: true, act: func() (control.Change, error) {
			return h.control.RenameUser(t.Context(), c.id, in, control.Rename{Address: "renamed@contoso.com", Name: "Renamed"})
		}},
		{name: "a member is deleted", user: in, act: func() (control.Change, error) {
			return h.control.RemoveUser(t.Context(), c.id, in)
		}},
	} {
		mark, before := c.licenses.mark(), c.served(t)
		change := must(t)(step.act())
		if !step.silent {
			c.awaitLicense(t, mark, step.user, step.licensed)
		}
		c.awaitRound(t, change)
		small(t, step.name, before, c.served(t))
	}
	c.verify(t)
}

func (c *company) served(tb testing.TB) map[string]control.Counter {
	tb.Helper()
	counters, err := c.house.control.Counters(tb.Context(), c.id)
	if err != nil {
		tb.Fatal(err)
	}
	return counters
}

// small demands that between two readings of the counters only changes were asked for, and few were told.
func small(t *testing.T, what string, before, after map[string]control.Counter) {
	t.Helper()
	told := 0
	for _, route := range slices.Sorted(maps.Keys(after)) {
		n := after[route].Requests - before[route].Requests
		items := after[route].Items - before[route].Items + after[route].Members - before[route].Members
		switch route {
		case "GET /users/delta token", "GET /groups/delta token":
			told += items
		case "POST /token":
		default:
			if n > 0 {
				t.Errorf("%s: %s was served %d times, with %d objects", what, route, n, items)
			}
		}
	}
	if told == 0 || told > 8 {
		t.Errorf("%s: %d objects were told", what, told)
	}
}
