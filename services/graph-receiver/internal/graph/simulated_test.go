package graph

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestSimulatedFullRead(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{PageSize: 3})
	ctx := t.Context()
	want := map[string]directory.User{}
	var ids []string
	for i := range 10 {
		u := control.NewUser{Name: fmt.Sprintf("User %d", i), Address: fmt.Sprintf("u%d@contoso.com", i), Suspended: i == 3}
		wanted := directory.User{Name: u.Name, Addresses: []string{u.Address}, Status: directory.Active}
		if i == 3 {
			wanted.Status = directory.Suspended
		}
		if i == 4 {
			u.Aliases = []string{"Four@contoso.net"}
			wanted.Addresses = append(wanted.Addresses, "four@contoso.net")
		}
		c, err := s.AddUser(ctx, "contoso", u)
		wanted.ID = must(t, c, err)
		want[wanted.ID] = wanted
		ids = append(ids, wanted.ID)
	}
	c, err := s.AddUser(ctx, "contoso", control.NewUser{Name: "Eve", Address: "eve@fabrikam.com", Guest: true})
	guest := must(t, c, err)

	seen, _ := drain(t, s.directory, users, "")
	got := map[string]directory.User{}
	for _, o := range seen {
		got[o.User.ID] = *o.User
	}
	if !got[guest].Guest || got[guest].Status != directory.Active || len(got[guest].Addresses) == 0 {
		t.Errorf("the guest is %+v", got[guest])
	}
	delete(got, guest)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users: -want +got\n%s", diff)
	}

	wantGroups := map[string]directory.Group{}
	for i, kind := range []directory.GroupKind{directory.Microsoft365, directory.Distribution, directory.MailEnabledSecurity, directory.Security} {
		g := control.NewGroup{Name: string(kind), Kind: kind}
		wanted := directory.Group{Name: g.Name, Kind: kind}
		if kind != directory.Security {
			g.Address, g.Aliases = fmt.Sprintf("g%d@contoso.com", i), []string{fmt.Sprintf("old%d@contoso.com", i)}
			wanted.Addresses = []string{g.Address, g.Aliases[0]}
		}
		c, err := s.AddGroup(ctx, "contoso", g)
		wanted.ID = must(t, c, err)
		wantGroups[wanted.ID] = wanted
	}
	seen, _ = drain(t, s.directory, groups, "")
	gotGroups := map[string]directory.Group{}
	for _, o := range seen {
		gotGroups[o.Group.ID] = *o.Group
	}
	sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff(wantGroups, gotGroups, sorted); diff != "" {
		t.Errorf("groups: -want +got\n%s", diff)
	}

	for _, id := range ids {
		u, err := s.directory.User(ctx, id)
		if diff := cmp.Diff(want[id], u); err != nil || diff != "" {
			t.Errorf("user %s: %v, -want +got\n%s", id, err, diff)
		}
	}
	for id, wanted := range wantGroups {
		g, err := s.directory.Group(ctx, id)
		if diff := cmp.Diff(wanted, g, sorted); err != nil || diff != "" {
			t.Errorf("group %s: %v, -want +got\n%s", id, err, diff)
		}
		for _, address := range wanted.Addresses {
			at, err := s.directory.GroupsAt(ctx, strings.ToUpper(address))
			if err != nil || len(at) != 1 || at[0].ID != id {
				t.Errorf("groups at %s: %+v, %v, want %s", address, at, err, id)
			}
		}
	}
	if at, err := s.directory.GroupsAt(ctx, "nobody@contoso.com"); err != nil || len(at) != 0 {
		t.Errorf("groups at an address of nobody: %+v, %v", at, err)
	}
}

func TestSimulatedMembers(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{PageSize: 3})
	ctx := t.Context()
	c, err := s.AddGroup(ctx, "contoso", control.NewGroup{Address: "g@contoso.com", Kind: directory.Distribution})
	group := must(t, c, err)
	c, err = s.AddGroup(ctx, "contoso", control.NewGroup{Address: "nested@contoso.com", Kind: directory.Distribution})
	nested := must(t, c, err)
	want := map[string]directory.Membership{nested: {GroupID: group, ID: nested, Kind: directory.GroupMember, Present: true}}
	members := []string{nested}
	for i := range 8 {
		c, err := s.AddUser(ctx, "contoso", control.NewUser{Address: fmt.Sprintf("u%d@contoso.com", i)})
		id := must(t, c, err)
		want[id] = directory.Membership{GroupID: group, ID: id, Kind: directory.UserMember, Present: true}
		members = append(members, id)
	}
	c, err = s.AddMembers(ctx, "contoso", group, members...)
	must(t, c, err)

	fold := func(into map[string]directory.Membership, seen []directory.Observation) {
		for _, o := range seen {
			into[o.Membership.ID] = *o.Membership
		}
	}
	got := map[string]directory.Membership{}
	for cursor, more := "", true; more; {
		p, err := s.directory.Members(ctx, group, cursor)
		if err != nil {
			t.Fatal(err)
		}
		fold(got, p.Observations)
		cursor, more = p.Cursor, p.More
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list: -want +got\n%s", diff)
	}
	feed := receiver.Feed{Kind: receiver.MembersFeed, Groups: []string{group, nested}}
	seen, cursor := drain(t, s.directory, feed, "")
	got = map[string]directory.Membership{}
	fold(got, seen)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("feed: -want +got\n%s", diff)
	}

	c, err = s.RemoveMembers(ctx, "contoso", group, members[3])
	must(t, c, err)
	seen, cursor = drain(t, s.directory, feed, cursor)
	gone := directory.Membership{GroupID: group, ID: members[3], Kind: directory.UserMember}
	if diff := cmp.Diff([]directory.Observation{{Membership: &gone}}, seen); diff != "" {
		t.Errorf("one removed: -want +got\n%s", diff)
	}
	c, err = s.RemoveGroup(ctx, "contoso", group)
	must(t, c, err)
	seen, _ = drain(t, s.directory, feed, cursor)
	told := false
	for _, o := range seen {
		told = told || o.Group != nil && o.Group.ID == group && o.Group.Deleted
	}
	if !told {
		t.Errorf("the group's end is not told: %+v", seen)
	}
	if g, err := s.directory.Group(ctx, group); err != nil || !g.Deleted {
		t.Errorf("the group alone: %+v, %v", g, err)
	}
	if p, err := s.directory.Members(ctx, group, ""); err == nil {
		t.Errorf("members of a group that is gone: %+v, want an error", p)
	}
}

func TestSimulatedUserChanges(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	c, err := s.AddUser(ctx, "contoso", control.NewUser{Name: "Ada", Address: "ada@contoso.com"})
	id := must(t, c, err)
	_, cursor := drain(t, s.directory, users, "")
	step := func(name string, c control.Change, err error, want directory.User) {
		t.Helper()
		must(t, c, err)
		want.ID = id
		var seen []directory.Observation
		seen, cursor = drain(t, s.directory, users, cursor)
		if diff := cmp.Diff([]directory.Observation{{User: &want}}, seen); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	c, err = s.Suspend(ctx, "contoso", id)
	step("suspended", c, err, directory.User{Name: "Ada", Addresses: []string{"ada@contoso.com"}, Status: directory.Suspended})
	c, err = s.Unsuspend(ctx, "contoso", id)
	step("active", c, err, directory.User{Name: "Ada", Addresses: []string{"ada@contoso.com"}, Status: directory.Active})
	c, err = s.RenameUser(ctx, "contoso", id, control.Rename{Address: "lovelace@contoso.com"})
	step("renamed", c, err, directory.User{Name: "Ada", Addresses: []string{"lovelace@contoso.com", "ada@contoso.com"}, Status: directory.Active})
	c, err = s.RemoveUser(ctx, "contoso", id)
	step("deleted", c, err, directory.User{Status: directory.Deleted})
	if u, err := s.directory.User(ctx, id); err != nil || u.Status != directory.Deleted {
		t.Errorf("alone: %+v, %v", u, err)
	}

	if err := s.ExpireDeltaTokens(ctx, "contoso"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.directory.Changes(ctx, users, cursor); !errors.Is(err, receiver.ErrCursorExpired) {
		t.Errorf("%v, want ErrCursorExpired", err)
	}
}

func TestSimulatedFaults(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	if err := s.AddFault(ctx, control.Fault{Route: "GET /users/delta", Status: http.StatusTooManyRequests, RetryAfter: 7, Count: 1}); err != nil {
		t.Fatal(err)
	}
	var throttled receiver.ErrThrottled
	if _, err := s.directory.Changes(ctx, users, ""); !errors.As(err, &throttled) || throttled.After != 7*time.Second {
		t.Errorf("%v, want throttled for 7 s", err)
	}
	if _, err := s.directory.Changes(ctx, users, ""); err != nil {
		t.Errorf("%v: the fault was for one request, and a call is one", err)
	}
	if err := s.AddFault(ctx, control.Fault{Route: "POST /subscriptions", Status: http.StatusServiceUnavailable, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.directory.CreateChannel(ctx, receiver.NewChannel{Resource: "users", URL: "https://r.example/", Secret: "x", Expires: time.Now().Add(time.Hour)}); err == nil {
		t.Error("a subscription came of a 503")
	}
}

func TestSimulatedConsent(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	if err := s.SetPermissions(ctx, "contoso", []string{}); err != nil {
		t.Fatal(err)
	}
	var answer *ResponseError
	if _, err := s.directory.Changes(ctx, users, ""); !errors.As(err, &answer) || answer.Status != http.StatusForbidden || answer.Code != "Authorization_RequestDenied" {
		t.Errorf("%v, want 403 Authorization_RequestDenied", err)
	}
	if err := s.SetPermissions(ctx, "contoso", control.DefaultPermissions()); err != nil {
		t.Fatal(err)
	}
	drain(t, s.connect(t, s.tenant), users, "")
}

func TestSimulatedCredentials(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	as := func(c tenant.Credential) receiver.Directory {
		other := s.tenant
		c.ClientID = s.tenant.Credential.ClientID
		other.Credential = c
		return s.connect(t, other)
	}
	good, bad := s.federatedToken(t, "system:serviceaccount:rollcall:receiver"), s.federatedToken(t, "system:serviceaccount:other:receiver")
	for name, c := range map[string]struct {
		credential tenant.Credential
		refused    bool
	}{
		"secret":               {tenant.Credential{Kind: tenant.ClientSecret, File: s.write(t, "a", simulatedSecret+"\n")}, false},
		"wrong secret":         {tenant.Credential{Kind: tenant.ClientSecret, File: s.write(t, "b", "hunter3")}, true},
		"certificate":          {tenant.Credential{Kind: tenant.Certificate, File: s.certificateFile(t)}, false},
		"workload identity":    {tenant.Credential{Kind: tenant.WorkloadIdentity, File: s.write(t, "c", good)}, false},
		"workload of somebody": {tenant.Credential{Kind: tenant.WorkloadIdentity, File: s.write(t, "d", bad)}, true},
	} {
		_, err := as(c.credential).Changes(t.Context(), users, "")
		if (err != nil) != c.refused || err != nil && (!strings.Contains(err.Error(), "AADSTS") || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "eyJ")) {
			t.Errorf("%s: %v, want refused %v", name, err, c.refused)
		}
	}
	rotated := as(tenant.Credential{Kind: tenant.ClientSecret, File: s.write(t, "e", "old")})
	if _, err := rotated.Changes(t.Context(), users, ""); err == nil {
		t.Error("a wrong secret reads")
	}
	s.write(t, "e", simulatedSecret)
	if _, err := rotated.Changes(t.Context(), users, ""); err != nil {
		t.Errorf("after the secret was replaced: %v", err)
	}
}

// TestSimulatedChannel has the simulator prove the address, and push to it.
func TestSimulatedChannel(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	pushed := make(chan receiver.Notification, 10)
	intake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.provider.Handshake(w, r) {
			return
		}
		body, err := io.ReadAll(r.Body)
		items, parseErr := s.provider.Parse(nil, body)
		if err != nil || parseErr != nil {
			t.Errorf("%v, %v", err, parseErr)
		}
		for _, n := range items {
			pushed <- n
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(intake.Close)

	expires := time.Now().Add(s.directory.ChannelLife()).Truncate(time.Second).UTC()
	made, err := s.directory.CreateChannel(ctx, receiver.NewChannel{Resource: "users", URL: intake.URL, Secret: "proof", Expires: expires})
	if err != nil || made.Resource != "users" || made.URL != intake.URL || !made.Expires.Equal(expires) {
		t.Fatalf("%+v, %v", made, err)
	}
	list, err := s.directory.ListChannels(ctx)
	if diff := cmp.Diff([]receiver.Channel{made}, list); err != nil || diff != "" {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	renewed, err := s.directory.RenewChannel(ctx, made, expires.Add(-time.Hour))
	if err != nil || !renewed.Expires.Equal(expires.Add(-time.Hour)) {
		t.Errorf("%+v, %v", renewed, err)
	}

	c, err := s.AddUser(ctx, "contoso", control.NewUser{Address: "ada@contoso.com"})
	id := must(t, c, err)
	select {
	case n := <-pushed:
		want := receiver.Notification{DirectoryID: s.tenant.DirectoryID, ChannelID: made.ID, Secret: "proof", Resource: "user", ID: id, Change: "updated"}
		if diff := cmp.Diff(want, n); diff != "" {
			t.Errorf("pushed: -want +got\n%s", diff)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was pushed")
	}
	if err := s.SendLifecycle(ctx, "contoso", made.ID, "reauthorizationRequired"); err != nil {
		t.Fatal(err)
	}
	select {
	case n := <-pushed:
		want := receiver.Notification{DirectoryID: s.tenant.DirectoryID, ChannelID: made.ID, Secret: "proof", News: receiver.ChannelExpires}
		if diff := cmp.Diff(want, n); diff != "" {
			t.Errorf("lifecycle: -want +got\n%s", diff)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no lifecycle notification was pushed")
	}

	for range 2 {
		if err := s.directory.DeleteChannel(ctx, made); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := s.directory.RenewChannel(ctx, made, expires); !errors.Is(err, receiver.ErrChannelGone) {
		t.Errorf("renew after the end: %v, want ErrChannelGone", err)
	}
	deaf := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(deaf.Close)
	if c, err := s.directory.CreateChannel(ctx, receiver.NewChannel{Resource: "groups", URL: deaf.URL, Secret: "proof", Expires: expires}); err == nil {
		t.Errorf("an address that does not prove itself got %+v", c)
	}
}
