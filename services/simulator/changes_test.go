package simulator_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// holding is what the entries of a log add up to.
type holding struct {
	users   map[string]control.User
	groups  map[string]control.Group
	members map[string]map[string]bool // of groups that are there
}

func (s *sim) log(tenant string) (all []control.Entry) {
	s.t.Helper()
	for {
		var after uint64
		if len(all) > 0 {
			after = all[len(all)-1].Version
		}
		page := must(s.control.Changes(s.t.Context(), tenant, after))(s.t)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

func addUp(log []control.Entry) holding {
	sum := holding{users: map[string]control.User{}, groups: map[string]control.Group{}, members: map[string]map[string]bool{}}
	for _, e := range log {
		switch {
		case e.User != nil:
			sum.users[e.ID] = *e.User
		case e.Group != nil:
			sum.groups[e.ID] = *e.Group
			if sum.members[e.ID] == nil {
				sum.members[e.ID] = map[string]bool{}
			}
		case e.Kind == control.JoinedEntry:
			sum.members[e.ID][e.Member.ID] = true
		case e.Kind == control.LeftEntry:
			delete(sum.members[e.ID], e.Member.ID)
		case e.Kind == control.UserEntry:
			delete(sum.users, e.ID)
		case e.Kind == control.GroupEntry:
			delete(sum.groups, e.ID)
			delete(sum.members, e.ID)
		}
	}
	return sum
}

// now reads the directory in the same form.
func (s *sim) now(tenant string) holding {
	s.t.Helper()
	ctx := s.t.Context()
	read := holding{users: map[string]control.User{}, groups: map[string]control.Group{}, members: map[string]map[string]bool{}}
	for _, u := range must(s.control.Users(ctx, tenant))(s.t) {
		read.users[u.ID] = u
	}
	for _, g := range must(s.control.Groups(ctx, tenant))(s.t) {
		g.Members = 0
		read.groups[g.ID] = g
		read.members[g.ID] = map[string]bool{}
		for _, m := range must(s.control.Members(ctx, tenant, g.ID))(s.t) {
			read.members[g.ID][m.ID] = true
		}
	}
	return read
}

func (s *sim) holdsToItsLog(tenant string) {
	s.t.Helper()
	if diff := cmp.Diff(s.now(tenant), addUp(s.log(tenant)), cmp.AllowUnexported(holding{})); diff != "" {
		s.t.Errorf("the log of %s (-the directory +the log):\n%s", tenant, diff)
	}
}

func TestTheLogAddsUpToTheDirectory(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	ctx := t.Context()
	must(s.control.Generate(ctx, "contoso", control.Generate{Users: 1500, Seed: 7, Groups: 5}))(t)
	ann, bob, eve := s.user("ann"), s.user("bob"), s.user("eve")
	team := s.group(control.NewGroup{Kind: directory.Security, Name: "team"})
	inner := s.group(control.NewGroup{Kind: directory.Security, Name: "inner"})
	list := s.group(control.NewGroup{Kind: directory.Distribution, Address: "list@contoso.com"})
	must(s.control.AddMembers(ctx, "contoso", team, ann, bob, eve, inner))(t)
	must(s.control.AddMembers(ctx, "contoso", list, ann))(t)
	s.holdsToItsLog("contoso")

	must(s.control.Suspend(ctx, "contoso", ann))(t)
	must(s.control.RemoveUser(ctx, "contoso", bob))(t)
	must(s.control.PurgeUser(ctx, "contoso", eve))(t)
	must(s.control.RemoveGroup(ctx, "contoso", inner))(t)
	must(s.control.RemoveGroup(ctx, "contoso", list))(t)
	s.holdsToItsLog("contoso")

	must(s.control.RestoreUser(ctx, "contoso", bob))(t)
	must(s.control.RestoreGroup(ctx, "contoso", inner))(t)
	must(s.control.RemoveMembers(ctx, "contoso", team, ann))(t)
	s.holdsToItsLog("contoso")
}

func TestTheLogOfACustomer(t *testing.T) {
	t.Parallel()
	s := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	ann := must(s.control.AddUser(ctx, "initech", control.NewUser{Address: "ann@initech.com"}))(t).ID
	team := must(s.control.AddGroup(ctx, "initech", control.NewGroup{Address: "team@initech.com"}))(t).ID
	inner := must(s.control.AddGroup(ctx, "initech", control.NewGroup{Address: "inner@initech.com"}))(t).ID
	before := s.log("initech")
	must(s.control.AddMembers(ctx, "initech", team, ann, inner, control.WholeCustomer, "zoe@fabrikam.com"))(t)
	s.holdsToItsLog("initech")
	kinds := map[directory.MemberKind]int{}
	external := 0
	for _, e := range s.log("initech")[len(before):] {
		kinds[e.Member.Kind]++
		if e.Member.External {
			external++
		}
	}
	want := map[directory.MemberKind]int{directory.UserMember: 2, directory.GroupMember: 1, directory.CustomerMember: 1}
	if diff := cmp.Diff(want, kinds); diff != "" || external != 1 {
		t.Errorf("%d external ones, and (-want +got):\n%s", external, diff)
	}
}

func TestTheLogSaysWhatWasThen(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC))
	cfg := simulator.Config{DataDir: t.TempDir()}
	s := start(t, cfg, fake)
	s.putTenant()
	ctx := t.Context()
	ann := s.user("ann")
	for _, act := range []func() (control.Change, error){
		func() (control.Change, error) { return s.control.Suspend(ctx, "contoso", ann) },
		func() (control.Change, error) { return s.control.Unsuspend(ctx, "contoso", ann) },
		func() (control.Change, error) { return s.control.RemoveUser(ctx, "contoso", ann) },
		func() (control.Change, error) { return s.control.PurgeUser(ctx, "contoso", ann) },
	} {
		fake.Advance(time.Minute)
		must(act())(t)
	}
	log := s.log("contoso")
	var statuses []directory.Status
	for i, e := range log {
		if want := fake.Now().Add(time.Duration(i-len(log)+1) * time.Minute); !e.At.Equal(want) {
			t.Errorf("entry %d is of %v, want %v", i, e.At, want)
		}
		if e.User != nil {
			statuses = append(statuses, e.User.Status)
		}
	}
	want := []directory.Status{directory.Active, directory.Suspended, directory.Active, directory.Deleted}
	if !slices.Equal(statuses, want) || log[len(log)-1].User != nil {
		t.Errorf("the log tells %v and ends with %v", statuses, log[len(log)-1])
	}

	s.stop()
	s = start(t, cfg, fake)
	if diff := cmp.Diff(log, s.log("contoso")); diff != "" {
		t.Errorf("after a restart (-before +after):\n%s", diff)
	}
	var refused *control.Error
	if _, err := s.control.Changes(ctx, "nobody", 0); !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		t.Errorf("of a tenant that is not there: %v", err)
	}
}
