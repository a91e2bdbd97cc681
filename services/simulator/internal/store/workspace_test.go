package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

const customer = "C03az79cb"

// openCustomer opens a store with one Workspace customer and a clock that a test moves.
func openCustomer(t *testing.T, dir string, now *time.Time) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir, Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	info := Tenant{ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: customer, Domains: []string{"initech.com"}}
	if err := s.PutTenant(info); err != nil {
		t.Fatal(err)
	}
	return s
}

func done(t *testing.T) func(Result, error) {
	return func(_ Result, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func workspaceUser(id, local string) *User {
	address := local + "@initech.com"
	return &User{ID: id, Name: local, UPN: address, Mail: address, Proxies: []string{"SMTP:" + address}}
}

func workspaceGroup(id, local string) *Group {
	address := local + "@initech.com"
	return &Group{ID: id, Name: local, Mail: address, Proxies: []string{"SMTP:" + address}, Kind: directory.WorkspaceGroup}
}

// TestWorkspaceChangesTellEnough holds that an activity can be written from a change alone.
func TestWorkspaceChangesTellEnough(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	s := openCustomer(t, "", &now)
	ok := done(t)
	ok(s.AddUsers(customer, []*User{workspaceUser("1", "ann")}))
	ok(s.AddGroup(customer, workspaceGroup("0", "team"), false))
	if err := s.AddOutsiders(customer, []*Outsider{{ID: "9", Address: "zoe@fabrikam.com", Kind: directory.UserMember}}); err != nil {
		t.Fatal(err)
	}
	api := s.Via(ViaAPI)
	ok(api.JoinAs(customer, "0", "OWNER", []string{"1", "9", customer}))
	ok(s.SetRole(customer, "0", "1", ""))
	ok(s.Via(ViaGroupsUI).Leave(customer, "0", []string{"9"}))
	ok(s.EditUser(customer, "1", func(u *User) {
		u.UPN, u.Mail, u.Proxies = "lee@initech.com", "lee@initech.com", []string{"SMTP:lee@initech.com", "smtp:ann@initech.com"}
	}))
	ok(s.EditUser(customer, "1", func(u *User) { u.Proxies = u.Proxies[:1] }))
	ok(s.Via(ViaGoogle).EditUser(customer, "1", func(u *User) { u.Disabled = true }))
	ok(s.EditUser(customer, "1", func(u *User) { u.Disabled, u.Archived = false, true }))
	ok(s.DeleteUser(customer, "1"))
	ok(s.RestoreUser(customer, "1"))
	ok(s.DeleteUser(customer, "1"))
	ok(s.Purge(customer, "1"))
	ok(s.DeleteGroup(customer, "0"))
	type told struct {
		Kind                                       ChangeKind
		Acts                                       Acts
		Address, Before, Alias, MemberAddress, Via string
		Role                                       string
	}
	var got []told
	_ = s.View(customer, func(v View) error {
		for _, c := range v.Changes(0, v.Version()) {
			if !c.Implied {
				got = append(got, told{c.Kind, c.Acts, c.Address, c.Before, c.Alias, c.MemberAddress, string(c.Via), c.Role})
			}
		}
		return nil
	})
	const ann, lee, team = "ann@initech.com", "lee@initech.com", "team@initech.com"
	want := []told{
		{Kind: UserChanged, Acts: Created, Address: ann},
		{Kind: GroupChanged, Acts: Created, Address: team},
		{Kind: MemberJoined, Address: team, MemberAddress: ann, Via: "api", Role: "OWNER"},
		{Kind: MemberJoined, Address: team, MemberAddress: "zoe@fabrikam.com", Via: "api", Role: "OWNER"},
		{Kind: MemberJoined, Address: team, Via: "api", Role: "OWNER"},
		{Kind: MemberChanged, Address: team, Before: "OWNER", MemberAddress: ann, Role: "MEMBER"},
		{Kind: MemberLeft, Address: team, MemberAddress: "zoe@fabrikam.com", Via: "groups-ui", Role: "OWNER"},
		{Kind: UserChanged, Acts: Renamed, Address: lee, Before: ann},
		{Kind: UserChanged, Acts: AliasRemoved, Address: lee, Alias: ann},
		{Kind: UserChanged, Acts: Suspended, Address: lee, Via: "google"},
		{Kind: UserChanged, Acts: Unsuspended | Archived, Address: lee},
		{Kind: UserChanged, Acts: Deleted, Address: lee, Before: lee},
		{Kind: UserChanged, Acts: Restored, Address: lee},
		{Kind: UserChanged, Acts: Deleted, Address: lee, Before: lee},
		{Kind: UserPurged, Address: lee, Before: lee},
		{Kind: GroupPurged, Acts: Deleted, Address: team, Before: team},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWorkspaceLasts holds that a customer comes back from a journal and from a snapshot as it was.
func TestWorkspaceLasts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	s := openCustomer(t, dir, &now)
	ok := done(t)
	ok(s.AddUsers(customer, []*User{workspaceUser("1", "ann"), workspaceUser("2", "bob")}))
	ok(s.AddGroup(customer, workspaceGroup("0", "team"), false))
	_ = s.AddOutsiders(customer, []*Outsider{{ID: "9", Address: "zoe@fabrikam.com", Kind: directory.UserMember}})
	ok(s.JoinAs(customer, "0", "MANAGER", []string{"2", "9"}))
	ok(s.Join(customer, "0", []string{"1", customer}))
	ok(s.DeleteUser(customer, "2"))
	look := func(s *Store) (out []any) {
		_ = s.View(customer, func(v View) error {
			out = append(out, slices.Collect(v.Roster("0", Place{})), v.Changes(0, v.Version()), v.Outsider("zoe@fabrikam.com"))
			for u := range v.UsersByAddress(Place{}, false) {
				out = append(out, u)
			}
			for u := range v.DeletedUsers(Place{}, false, now) {
				out = append(out, u)
			}
			return nil
		})
		return out
	}
	want := look(s)
	if len(want) != 5 || len(want[0].([]Member)) != 3 {
		t.Fatalf("before: %v", want)
	}
	s.mu.Lock()
	err := s.writeSnapshot(1)
	s.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"snapshot", "journal"} {
		again, err := Open(Config{Dir: dir, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, look(again)); diff != "" {
			t.Errorf("from the %s (-want +got):\n%s", from, diff)
		}
		_ = again.Close()
		if err := os.Remove(filepath.Join(dir, "snapshot-1.jsonl")); err != nil && from == "snapshot" {
			t.Fatal(err)
		}
	}
}
