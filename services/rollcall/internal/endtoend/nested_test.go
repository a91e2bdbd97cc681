package endtoend

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// nest makes the provisioning group with a member, and groups in it one inside the other, the innermost with a member. It
// returns the ids of the groups, the outermost first.
func (c *company) nest(tb testing.TB, depth int, outer, inner string) []string {
	tb.Helper()
	kind := c.groupKind()
	groups := []string{must(tb)(c.house.control.AddGroup(tb.Context(), c.id, control.NewGroup{Address: c.group(), Kind: kind})).ID}
	must(tb)(c.house.control.AddMembers(tb.Context(), c.id, groups[0], outer))
	for i := range depth {
		made := must(tb)(c.house.control.AddGroup(tb.Context(), c.id, control.NewGroup{Address: string(rune('a'+i)) + "@" + c.domain, Kind: kind}))
		must(tb)(c.house.control.AddMembers(tb.Context(), c.id, groups[i], made.ID))
		groups = append(groups, made.ID)
	}
	must(tb)(c.house.control.AddMembers(tb.Context(), c.id, groups[depth], inner))
	return groups
}

// deepMark is a place behind which awaitDeep looks.
func (c *company) deepMark() int { return c.ledger.mark() }

// awaitDeep waits until what has happened to a member of a group, however deep, has come through.
func (c *company) awaitDeep(tb testing.TB, mark int, group, member string, present bool) {
	tb.Helper()
	c.awaitMembership(tb, mark, group, member, present)
}

// awaitMembership waits until the receiver has told of a membership.
func (c *company) awaitMembership(tb testing.TB, mark int, group, member string, present bool) event.DirectoryObserved {
	tb.Helper()
	return c.awaitPage(tb, mark, func(o event.Observation) bool {
		return o.Membership != nil && o.Membership.GroupID == group && o.Membership.MemberID == member && o.Membership.Present == present
	})
}

// awaitPage waits for a page that holds an observation.
func (c *company) awaitPage(tb testing.TB, mark int, holds func(event.Observation) bool) event.DirectoryObserved {
	tb.Helper()
	page := func(m bus.Message) event.DirectoryObserved {
		data, err := event.Data[event.DirectoryObserved](m.Event)
		if err != nil {
			tb.Fatal(err)
		}
		return data
	}
	return page(c.ledger.await(tb, mark, "a page with the observation", func(m bus.Message) bool {
		return m.Event.Type() == event.TypeDirectoryObserved && slices.ContainsFunc(page(m).Observations, holds)
	}))
}

// deepPlans are the ways in which a change can come.
var deepPlans = map[string]plan{
	"by push": {}, "with pushes lost": {unpushed: true, poll: 200 * time.Millisecond},
}

// TestChangesThreeLevelsDown: who comes into a group that is nested three deep, and who leaves it, comes through as of the
// provisioning group itself, by push or without any; so does what happens to the groups between.
func TestChangesThreeLevelsDown(t *testing.T) {
	t.Parallel()
	for name, p := range deepPlans {
		for _, kind := range []directory.Provider{directory.Entra, directory.GoogleWorkspace} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				t.Parallel()
				h := open(t, p)
				if kind == directory.GoogleWorkspace {
					changesThreeLevelsDown(t, h.foundWorkspace(t, "initech"))
				} else {
					changesThreeLevelsDown(t, h.found(t, "contoso"))
				}
			})
		}
	}
}

func changesThreeLevelsDown(t *testing.T, c *company) {
	t.Helper()
	users, admin := c.hire(t, 6), c.house.control
	groups := c.nest(t, 3, users[0], users[1])
	c.connect(t)
	deepest := groups[3]

	mark := c.deepMark()
	must(t)(admin.AddMembers(t.Context(), c.id, deepest, users[2]))
	c.awaitDeep(t, mark, deepest, users[2], true)
	mark = c.deepMark()
	must(t)(admin.RemoveMembers(t.Context(), c.id, deepest, users[1]))
	c.awaitDeep(t, mark, deepest, users[1], false)

	mark = c.deepMark() // a group with members comes into it
	team := must(t)(admin.AddGroup(t.Context(), c.id, control.NewGroup{Address: "team@" + c.domain, Kind: c.groupKind()})).ID
	must(t)(admin.AddMembers(t.Context(), c.id, team, users[3]))
	must(t)(admin.AddMembers(t.Context(), c.id, deepest, team))
	c.awaitDeep(t, mark, team, users[3], true)

	mark = c.deepMark() // and, when it has left and come back, with all of them again
	must(t)(admin.RemoveMembers(t.Context(), c.id, deepest, team))
	c.awaitMembership(t, mark, deepest, team, false)
	mark = c.deepMark()
	must(t)(admin.AddMembers(t.Context(), c.id, deepest, team))
	c.awaitDeep(t, mark, team, users[3], true)

	ledger := c.ledger.mark() // one that is deleted goes when that is proved, and its memberships with it
	must(t)(admin.RemoveGroup(t.Context(), c.id, groups[2]))
	page := c.awaitMembership(t, ledger, groups[1], groups[2], false)
	if !slices.ContainsFunc(page.Observations, func(o event.Observation) bool {
		return o.Group != nil && o.Group.ID == groups[2] && o.Group.Deleted
	}) {
		t.Errorf("the nested group left without a word of its end: %+v", page)
	}
	mark = c.deepMark()
	must(t)(admin.AddMembers(t.Context(), c.id, groups[1], users[4])) // what is above it goes on
	c.awaitDeep(t, mark, groups[1], users[4], true)
}

// groupKind is that of groups which hold others.
func (c *company) groupKind() directory.GroupKind {
	if c.kind == directory.GoogleWorkspace {
		return directory.WorkspaceGroup
	}
	return directory.MailEnabledSecurity
}

// TestNestedGroupsOutliveRestarts: what happens three levels down while Rollcall is stopped is found at its start, without
// anything being read from the beginning where the provider has feeds.
func TestNestedGroupsOutliveRestarts(t *testing.T) {
	t.Parallel()
	h := open(t, plan{poll: patience})
	all := []*company{h.found(t, "contoso"), h.foundWorkspace(t, "initech")}
	users, groups := map[string][]string{}, map[string][]string{}
	for _, c := range all {
		users[c.id] = c.hire(t, 4)
		groups[c.id] = c.nest(t, 3, users[c.id][0], users[c.id][1])
		c.connect(t)
	}
	c := all[0]
	eventually(t, "its groups are followed by one feed", func() bool { return len(c.storedFeeds(t).Members) == 1 })
	before := c.served(t)
	h.stop()
	for _, c := range all {
		must(t)(h.control.AddMembers(t.Context(), c.id, groups[c.id][3], users[c.id][2]))
	}
	h.start(t)
	for _, c := range all {
		c.follow(t)
		c.awaitDeep(t, 0, groups[c.id][3], users[c.id][2], true)
	}
	after := c.served(t)
	if n := after["GET /groups/delta initial"].Requests - before["GET /groups/delta initial"].Requests; n != 0 {
		t.Errorf("%d feeds were begun again", n)
	}
}

// storedFeeds are what the receiver has stored of where it stands.
func (c *company) storedFeeds(tb testing.TB) state.Feeds {
	tb.Helper()
	b, _ := c.house.clients(tb, c.house.dial(tb))
	kv, err := b.KeyValue(tb.Context(), bus.BucketCursors)
	if err != nil {
		tb.Fatal(err)
	}
	f, _, err := state.New(kv).LoadFeeds(tb.Context(), c.id)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}
