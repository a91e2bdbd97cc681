package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// testDomain is that of the alias which Google gives everybody.
const testDomain = ".test-google-a.com"

var sorted = cmpopts.SortSlices(func(a, b string) bool { return a < b })

func TestSimulatedFullRead(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{PageSize: 3})
	ctx := t.Context()
	want := map[string]directory.User{}
	for i := range 10 {
		u := control.NewUser{Name: fmt.Sprintf("User %d", i), Address: fmt.Sprintf("u%d@initech.com", i), Suspended: i == 3, Archived: i == 4}
		wanted := directory.User{Name: u.Name, Addresses: []string{u.Address}, Status: directory.Active}
		switch i {
		case 3:
			wanted.Status = directory.Suspended
		case 4:
			wanted.Status = directory.Archived
		case 6:
			u.Aliases = []string{"Six@initech.net"}
			wanted.Addresses = append(wanted.Addresses, "six@initech.net")
		}
		c, err := s.AddUser(ctx, "initech", u)
		wanted.ID = did(t, c, err)
		wanted.Addresses = append(wanted.Addresses, u.Address+testDomain)
		want[wanted.ID] = wanted
	}
	c, err := s.AddUser(ctx, "initech", control.NewUser{Name: "Eve", Address: "eve@elsewhere.example", Guest: true})
	guest := did(t, c, err)
	got := map[string]directory.User{}
	for _, o := range s.drain(t, users).Observations {
		if o.User.Addresses[0] != "admin@initech.com" {
			got[o.User.ID] = *o.User
		}
	}
	if !got[guest].Guest || got[guest].Status != directory.Active {
		t.Errorf("the guest is %+v", got[guest])
	}
	delete(got, guest)
	if diff := cmp.Diff(want, got, sorted); diff != "" {
		t.Errorf("users: -want +got\n%s", diff)
	}
	for id, wanted := range want {
		for _, key := range append([]string{id}, wanted.Addresses...) {
			u, err := s.directory.User(ctx, key)
			if diff := cmp.Diff(wanted, u, sorted); err != nil || diff != "" {
				t.Errorf("user %s: %v, -want +got\n%s", key, err, diff)
			}
		}
	}

	c, err = s.AddGroup(ctx, "initech", control.NewGroup{Name: "Seats", Address: "seats@initech.com", Aliases: []string{"old@initech.com"}})
	wanted := directory.Group{ID: did(t, c, err), Name: "Seats", Kind: directory.WorkspaceGroup, Addresses: []string{"seats@initech.com", "old@initech.com", "seats@initech.com" + testDomain}}
	listed := s.drain(t, groups).Observations
	if diff := cmp.Diff([]directory.Observation{{Group: &wanted}}, listed, sorted); diff != "" {
		t.Errorf("groups: -want +got\n%s", diff)
	}
	for _, address := range wanted.Addresses {
		at, err := s.directory.GroupsAt(ctx, strings.ToUpper(address))
		if diff := cmp.Diff([]directory.Group{wanted}, at, sorted); err != nil || diff != "" {
			t.Errorf("groups at %s: %v, -want +got\n%s", address, err, diff)
		}
	}
	for _, address := range []string{"nobody@initech.com", "u1@initech.com"} {
		if at, err := s.directory.GroupsAt(ctx, address); err != nil || len(at) != 0 {
			t.Errorf("groups at %s: %+v, %v", address, at, err)
		}
	}
	if u, err := s.directory.User(ctx, "nobody@initech.com"); err != nil || u.Status != directory.Deleted || u.ID != "" {
		t.Errorf("nobody is %+v, %v", u, err)
	}
	if u, err := s.directory.User(ctx, "mallory@elsewhere.example"); err == nil {
		t.Errorf("an outsider is %+v", u)
	}
}

func TestSimulatedMembers(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{PageSize: 3})
	ctx := t.Context()
	c, err := s.AddGroup(ctx, "initech", control.NewGroup{Address: "g@initech.com"})
	group := did(t, c, err)
	c, err = s.AddGroup(ctx, "initech", control.NewGroup{Address: "nested@initech.com"})
	nested := did(t, c, err)
	want := map[directory.Membership]bool{
		{GroupID: group, ID: nested, Kind: directory.GroupMember, Present: true}: true,
		{GroupID: group, Kind: directory.CustomerMember, Present: true}:          true,
	}
	var ids []string
	for i, role := range []string{control.RoleOwner, control.RoleManager, control.RoleMember, "", "", ""} {
		c, err := s.AddUser(ctx, "initech", control.NewUser{Address: fmt.Sprintf("u%d@initech.com", i), Suspended: i == 2})
		id := did(t, c, err)
		c, err = s.AddMember(ctx, "initech", group, control.NewMember{Member: id, Role: role})
		did(t, c, err)
		want[directory.Membership{GroupID: group, ID: id, Kind: directory.UserMember, Present: true}] = true
		ids = append(ids, id)
	}
	c, err = s.AddMembers(ctx, "initech", group, nested, control.WholeCustomer, "eve@elsewhere.example")
	did(t, c, err)
	c, err = s.AddMembers(ctx, "initech", nested, ids[0])
	did(t, c, err)
	got := s.members(t, group)
	outsiders := 0
	for m := range got {
		if m.Kind == directory.UserMember && !slices.Contains(ids, m.ID) {
			outsiders++
			delete(got, m)
			seen, err := s.directory.Member(ctx, group, m.ID)
			if diff := cmp.Diff(m, seen); err != nil || diff != "" {
				t.Errorf("the outsider: %v, %s", err, diff)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || outsiders != 1 {
		t.Errorf("%d outsiders, -want +got\n%s", outsiders, diff)
	}
	for _, key := range []string{ids[3], "u3@initech.com"} {
		m, err := s.directory.Member(ctx, group, key)
		if diff := cmp.Diff(directory.Membership{GroupID: group, ID: ids[3], Kind: directory.UserMember, Present: true}, m); err != nil || diff != "" {
			t.Errorf("member %s: %v, %s", key, err, diff)
		}
	}
	c, err = s.RemoveMembers(ctx, "initech", group, ids[3])
	did(t, c, err)
	if m, err := s.directory.Member(ctx, group, ids[3]); err != nil || m.Present || m.ID != ids[3] {
		t.Errorf("one who was removed: %+v, %v", m, err)
	}
	if m, err := s.directory.Member(ctx, group, "u3@initech.com"); err != nil || m.Present || m.ID != "" {
		t.Errorf("by address: %+v, %v", m, err)
	}
	if m, err := s.directory.Member(ctx, nested, ids[1]); err != nil || m.Present {
		t.Errorf("one of another group: %+v, %v", m, err)
	}
	c, err = s.RemoveGroup(ctx, "initech", nested)
	did(t, c, err)
	if g, err := s.directory.Group(ctx, nested); err != nil || !g.Deleted || g.ID != nested {
		t.Errorf("a group that is gone: %+v, %v", g, err)
	}
	_, errList := s.directory.Members(ctx, nested, "")
	_, errOne := s.directory.Member(ctx, nested, ids[0])
	if !errors.Is(errList, receiver.ErrNoGroup) || !errors.Is(errOne, receiver.ErrNoGroup) {
		t.Errorf("members of a group that is gone: %v, %v", errList, errOne)
	}
}

// TestSimulatedChanges makes every kind of change and looks whether the journals name what must be read.
func TestSimulatedChanges(t *testing.T) {
	t.Parallel()
	for _, opaque := range []bool{false, true} {
		s := simulate(t, control.Settings{PageSize: 2, OpaqueIDs: opaque})
		ctx := t.Context()
		c, err := s.AddUser(ctx, "initech", control.NewUser{Address: "liz@initech.com"})
		liz := did(t, c, err)
		c, err = s.AddGroup(ctx, "initech", control.NewGroup{Address: "seats@initech.com"})
		seats := did(t, c, err)
		s.both(t)
		s.both(t) // behind the lists and the first, wide read
		id := func(address, id string) string {
			if opaque {
				return id
			}
			return address
		}
		for _, step := range s.steps(ctx, liz, seats, id) {
			c, err := step.do()
			did(t, c, err)
			page := s.both(t)
			for _, ref := range step.want {
				if !slices.Contains(page.Stale, ref) {
					t.Errorf("opaque %v, %s: %+v is not among %+v", opaque, step.name, ref, page.Stale)
				}
			}
		}
	}
}

// step is one change, and what the journals must name after it.
type step struct {
	name string
	do   func() (control.Change, error)
	want []receiver.Ref
}

// steps changes a user and a group in every way. In groups_enterprise both have their ids or their addresses, as id says.
func (s *simulated) steps(ctx context.Context, liz, seats string, id func(address, id string) string) []step {
	both := refMember(id("seats@initech.com", seats), id("liz@initech.com", liz))
	add := func(how control.Via, who string) func() (control.Change, error) {
		return func() (control.Change, error) { return s.Via(how).AddMembers(ctx, "initech", seats, who) }
	}
	remove := func(how control.Via) func() (control.Change, error) {
		return func() (control.Change, error) { return s.Via(how).RemoveMembers(ctx, "initech", seats, liz) }
	}
	user := func(do func(context.Context, string, string) (control.Change, error)) func() (control.Change, error) {
		return func() (control.Change, error) { return do(ctx, "initech", liz) }
	}
	actor := refMember(id("seats@initech.com", seats), liz)
	return []step{
		{"suspend", user(s.Suspend), refUser("liz@initech.com")},
		{"unsuspend", user(s.Unsuspend), refUser("liz@initech.com")},
		{"archive", user(s.Archive), refUser("liz@initech.com")},
		{"unarchive", user(s.Unarchive), refUser("liz@initech.com")},
		{"alias", func() (control.Change, error) { return s.AddUserAlias(ctx, "initech", liz, "l@initech.com") }, refUser("liz@initech.com")},
		{"add", add(control.ViaConsole, liz), append(refMember("seats@initech.com", "liz@initech.com"), both...)},
		{"remove through the API", remove(control.ViaAPI), both},
		{"join", add(control.ViaJoin, liz), actor},
		{"leave", remove(control.ViaLeave), both},
		{"accept", add(control.ViaAccept, liz), actor},
		{"ban", remove(control.ViaBan), both},
		{"approve", add(control.ViaApprove, liz), both},
		{"dynamic", remove(control.ViaDynamic), both},
		{"cloud identity", add(control.ViaCloudIdentity, liz), both},
		{"file of members", remove(control.ViaBulkUpload), refMembers("")},
		{"everybody", add(control.ViaConsole, control.WholeCustomer), refMembers("seats@initech.com")},
		{"group's name", func() (control.Change, error) {
			return s.RenameGroup(ctx, "initech", seats, control.Rename{Name: "S"})
		}, refGroup("seats@initech.com")},
		{"group's address", func() (control.Change, error) {
			return s.RenameGroup(ctx, "initech", seats, control.Rename{Address: "sitze@initech.com"})
		}, refGroup("seats@initech.com", "sitze@initech.com")},
		{"new group", func() (control.Change, error) {
			return s.AddGroup(ctx, "initech", control.NewGroup{Address: "new@initech.com"})
		}, refGroup("new@initech.com")},
		{"group's end", func() (control.Change, error) { return s.RemoveGroup(ctx, "initech", seats) }, refGroup("sitze@initech.com")},
		{"rename", func() (control.Change, error) {
			return s.RenameUser(ctx, "initech", liz, control.Rename{Address: "lisa@initech.com"})
		}, refUser("lisa@initech.com", "liz@initech.com")},
		{"new user", func() (control.Change, error) {
			return s.AddUser(ctx, "initech", control.NewUser{Address: "new.user@initech.com"})
		}, refUser("new.user@initech.com")},
	}
}

func TestSimulatedDeletions(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	c, err := s.AddUser(ctx, "initech", control.NewUser{Address: "liz@initech.com"})
	liz := did(t, c, err)
	s.both(t)
	s.both(t)
	c, err = s.RemoveUser(ctx, "initech", liz)
	did(t, c, err)
	gone := directory.User{ID: liz, Status: directory.Deleted}
	if diff := cmp.Diff([]directory.Observation{{User: &gone}}, s.both(t).Observations); diff != "" {
		t.Errorf("deleted: %s", diff)
	}
	if u, err := s.directory.User(ctx, liz); err != nil || !cmp.Equal(u, gone) {
		t.Errorf("deleted: %+v, %v", u, err)
	}
	if again := s.both(t); len(again.Observations) != 0 {
		t.Errorf("again: %+v", again)
	}
	c, err = s.RestoreUser(ctx, "initech", liz)
	did(t, c, err)
	if page := s.both(t); !slices.Contains(page.Stale, refUser("liz@initech.com")[0]) || len(page.Observations) != 0 {
		t.Errorf("undeleted: %+v", page)
	}
	if u, err := s.directory.User(ctx, "liz@initech.com"); err != nil || u.ID != liz || u.Status != directory.Active {
		t.Errorf("undeleted: %+v, %v", u, err)
	}
	c, err = s.Generate(ctx, "initech", control.Generate{Users: 5})
	did(t, c, err)
	if page := s.both(t); !page.Anew {
		t.Errorf("a file of users: %+v", page)
	}
}

func TestSimulatedLateActivities(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{ActivityLag: map[string]time.Duration{"admin": time.Hour}})
	c, err := s.AddUser(t.Context(), "initech", control.NewUser{Address: "liz@initech.com"})
	did(t, c, err)
	s.both(t)
	if page := s.both(t); len(page.Stale) != 0 {
		t.Errorf("what the provider does not show yet is stale: %+v", page.Stale)
	}
	if err := s.PutSettings(t.Context(), control.Settings{}); err != nil {
		t.Fatal(err)
	}
	if page := s.both(t); !slices.Contains(page.Stale, refUser("liz@initech.com")[0]) {
		t.Errorf("what shows late is not stale: %+v", page.Stale)
	}
}

func TestSimulatedQuota(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{QuotaPerMinute: 5})
	var refused [2]bool
	for range 10 {
		_, err := s.directory.User(t.Context(), "admin@initech.com")
		_, yes := errors.AsType[receiver.ErrThrottled](err)
		refused[0] = refused[0] || yes
		_, err = s.directory.Changes(t.Context(), users, cursor{Stage: resting, Since: time.Now()}.String())
		_, yes = errors.AsType[receiver.ErrThrottled](err)
		refused[1] = refused[1] || yes
	}
	if !refused[0] || !refused[1] {
		t.Errorf("throttled in Directory and Reports: %v", refused)
	}
}

func TestSimulatedVerify(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	look := func() string {
		found, err := s.provider.Verify(ctx, s.tenant)
		if err != nil {
			t.Fatal(err)
		}
		var short []string
		for _, f := range found {
			if f.State == receiver.Failed || f.State == receiver.Unknown {
				short = append(short, f.Check+" "+string(f.State))
			}
		}
		return strings.Join(short, ", ")
	}
	if got := look(); got != "read-members unknown" {
		t.Errorf("whole: %s", got)
	}
	c, err := s.AddGroup(ctx, "initech", control.NewGroup{Address: s.tenant.GroupAddress(s.tenant.Products[0])})
	did(t, c, err)
	if got := look(); got != "" {
		t.Errorf("with a group: %s", got)
	}
	for privilege, want := range map[string]string{
		control.PrivilegeUsers:   "read-groups failed, read-members unknown, read-reports failed, provisioning-group unknown",
		control.PrivilegeGroups:  "read-users failed, directory unknown, read-reports failed",
		control.PrivilegeReports: "read-users failed, directory unknown, read-groups failed, read-members unknown, provisioning-group unknown",
	} {
		if err := s.SetAdmins(ctx, "initech", []control.Admin{{Address: "admin@initech.com", Privileges: []string{privilege}}}); err != nil {
			t.Fatal(err)
		}
		if got := look(); got != want {
			t.Errorf("only %s: %s", privilege, got)
		}
	}
	if err := s.SetAdmins(ctx, "initech", []control.Admin{{Address: "admin@initech.com"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetScopes(ctx, "initech", []string{control.ScopeUsers, control.ScopeReports}); err != nil {
		t.Fatal(err)
	}
	if got := look(); got != "delegation failed, read-groups unknown, read-members unknown, provisioning-group unknown" {
		t.Errorf("without the scope of groups: %s", got)
	}
	if err := s.SetScopes(ctx, "initech", nil); err != nil {
		t.Fatal(err)
	}
	if got := look(); !strings.HasPrefix(got, "delegation failed, delegation failed, delegation failed") {
		t.Errorf("without any scope: %s", got)
	}
}
