package graph

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestSimulatedNestedGroups: a feed of members tells of a nested group as of any member, also when it goes and comes back,
// and of what happens inside it only if it is of that group too.
func TestSimulatedNestedGroups(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	group := func(name string) string {
		t.Helper()
		c, err := s.AddGroup(ctx, "contoso", control.NewGroup{Name: name, Kind: directory.Security})
		return must(t, c, err)
	}
	outer, inner := group("outer"), group("inner")
	c, err := s.AddUser(ctx, "contoso", control.NewUser{Address: "ada@contoso.com"})
	ada := must(t, c, err)
	c, err = s.AddMembers(ctx, "contoso", outer, inner)
	must(t, c, err)
	c, err = s.AddMembers(ctx, "contoso", inner, ada, outer) // in a circle
	must(t, c, err)
	cursors := map[string]string{}
	read := func(groups ...string) []directory.Observation {
		t.Helper()
		slices.Sort(groups)
		key := groups[len(groups)-1] + groups[0]
		seen, cursor := drain(t, s.directory, receiver.Feed{Kind: receiver.MembersFeed, Groups: groups}, cursors[key])
		cursors[key] = cursor
		return seen
	}
	link := func(group, id string, kind directory.MemberKind, present bool) directory.Observation {
		return directory.Observation{Membership: &directory.Membership{GroupID: group, ID: id, Kind: kind, Present: present}}
	}
	is := func(what string, got []directory.Observation, want ...directory.Observation) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", what, diff)
		}
	}
	read(outer, inner)
	is("the outer one alone", read(outer), link(outer, inner, directory.GroupMember, true))
	c, err = s.RemoveMembers(ctx, "contoso", inner, ada)
	must(t, c, err)
	is("a change inside", read(outer, inner), link(inner, ada, directory.UserMember, false))
	is("which the outer one does not show", read(outer))
	c, err = s.RemoveGroup(ctx, "contoso", inner)
	must(t, c, err)
	is("the end of the inner one", read(outer), link(outer, inner, directory.GroupMember, false))
	c, err = s.RestoreGroup(ctx, "contoso", inner)
	must(t, c, err)
	is("its return", read(outer), link(outer, inner, directory.GroupMember, true))
}
