package simulator_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// fullTeam is a group with a member of every kind.
func fullTeam(c *customer) (team, ann, bob, inner string) {
	ctx := c.t.Context()
	team, inner = c.team("team"), c.team("inner")
	ann, bob = c.person("ann"), c.person("bob")
	must(c.control.AddMembers(ctx, "initech", inner, bob))(c.t)
	must(c.control.AddMembers(ctx, "initech", team, ann, "inner@initech.com", "zoe@fabrikam.com", control.WholeCustomer))(c.t)
	must(c.control.AddMember(ctx, "initech", team, control.NewMember{Member: "all@adatum.com", Kind: directory.GroupMember, Role: control.RoleManager}))(c.t)
	must(c.control.SetRole(ctx, "initech", team, "ann@initech.com", control.RoleOwner))(c.t)
	return team, ann, bob, inner
}

func TestWorkspaceMembersOfEveryKind(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	team, ann, bob, inner := fullTeam(c)
	must(c.control.Suspend(t.Context(), "initech", ann))(t)
	members, pages := c.list("groups/team@initech.com/members?maxResults=2&fields=nextPageToken,members(id,email,type,role,status)", "members")
	zoe, all := members[4]["id"], members[1]["id"]
	want := []object{
		{"id": c.tenant.DirectoryID, "type": "CUSTOMER", "role": "MEMBER", "status": "ACTIVE"},
		{"id": all, "email": "all@adatum.com", "type": "GROUP", "role": "MANAGER"},
		{"id": ann, "email": "ann@initech.com", "type": "USER", "role": "OWNER", "status": "SUSPENDED"},
		{"id": inner, "email": "inner@initech.com", "type": "GROUP", "role": "MEMBER", "status": "ACTIVE"},
		{"id": zoe, "email": "zoe@fabrikam.com", "type": "USER", "role": "MEMBER"},
	}
	if diff := cmp.Diff(want, members); diff != "" || pages != 3 {
		t.Errorf("%d pages (-want +got):\n%s", pages, diff)
	}
	if got, _ := c.list("groups/"+team+"/members?roles=OWNER,MANAGER", "members"); values(got, "email") != "all@adatum.com ann@initech.com" {
		t.Errorf("by role: %v", got)
	}
	if got, _ := c.list("groups/"+team+"/members?includeDerivedMembership=true&maxResults=1", "members"); values(got, "email") != " all@adatum.com ann@initech.com bob@initech.com inner@initech.com zoe@fabrikam.com" {
		t.Errorf("derived: %s", values(got, "email"))
	}
	if got := c.read("groups/" + team); got["directMembersCount"] != "5" || got["email"] != "team@initech.com" {
		t.Errorf("group: %v", got)
	}
	of, _ := c.list("groups?userKey=bob@initech.com", "groups")
	if values(of, "id") != inner {
		t.Errorf("groups of bob: %v", of)
	}
	for path, want := range map[string]bool{team + "/hasMember/" + bob: true, inner + "/hasMember/" + bob: true, inner + "/hasMember/" + ann: false} {
		if got := c.read("groups/" + path); got["isMember"] != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	told := must(c.control.Members(t.Context(), "initech", team))(t)
	if len(told) != 5 || told[0].Role != control.RoleOwner || !told[2].External || told[3].Kind != directory.CustomerMember {
		t.Errorf("control: %+v", told)
	}
}

func TestWorkspaceMemberByEveryKey(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	team, ann, bob, inner := fullTeam(c)
	must(c.control.RenameUser(t.Context(), "initech", ann, control.Rename{Address: "zz@initech.com"}))(t)
	for _, key := range []string{ann, "ann@initech.com", "zz@initech.com"} {
		if got := c.read("groups/" + team + "/members/" + key); got["id"] != ann || got["email"] != "zz@initech.com" {
			t.Errorf("%s: %v", key, got)
		}
	}
	if got := c.read("groups/" + team + "/members/zoe@fabrikam.com"); got["type"] != "USER" {
		t.Errorf("outsider: %v", got)
	}
	if got, _ := c.list("groups/"+team+"/members?", "members"); values(got[3:], "email") != "zoe@fabrikam.com zz@initech.com" {
		t.Errorf("after a rename: %s", values(got, "email"))
	}
	for path, want := range map[string]string{
		team + "/members/" + bob:                "404 notFound: Resource Not Found: memberKey",
		team + "/members/nobody@initech.com":    "400 required: Missing required field: memberKey",
		team + "/members/199999999999999999999": "400 required: Missing required field: memberKey",
		"nothing@initech.com/members/" + bob:    "404 notFound: Resource Not Found: groupKey",
		"0aaaaaaaaaaaaaa/members/" + bob:        "404 notFound: Resource Not Found: groupKey",
		"all@adatum.com/members":                "403 forbidden: Not Authorized to access this resource/api",
		"nothing@initech.com/members":           "404 notFound: Resource Not Found: groupKey",
		team + "/hasMember/zoe@fabrikam.com":    "400 invalid: Invalid Input: memberKey",
		"zz@initech.com":                        "403 forbidden: Not Authorized to access this resource/api",
		inner + "/members?pageToken=bm90aGluZw": "400 invalid: Invalid Input: pageToken",
	} {
		status, out := c.admin(http.MethodGet, "directory/v1/groups/"+path, nil)
		if got := strconv.Itoa(status) + " " + refused(out); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if _, err := c.control.AddMembers(t.Context(), "initech", inner, "team@initech.com"); err == nil {
		t.Error("a group became a member of itself")
	}
}

func TestWorkspaceGroupsComeAndGo(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	team, ann := c.team("team"), c.person("ann")
	must(c.control.AddMembers(ctx, "initech", team, ann))(t)
	must(c.control.RenameGroup(ctx, "initech", team, control.Rename{Address: "crew@initech.com", Name: "Crew"}))(t)
	must(c.control.AddGroupAlias(ctx, "initech", team, "gang@initech.com"))(t)
	for _, key := range []string{"team@initech.com", "crew@initech.com", "gang@initech.com", team} {
		if got := c.read("groups/" + key); got["id"] != team || got["name"] != "Crew" {
			t.Errorf("%s: %v", key, got)
		}
	}
	if got, _ := c.list("groups?customer=my_customer&query=email=gang@initech.com", "groups"); values(got, "email") != "crew@initech.com" {
		t.Errorf("by alias: %v", got)
	}
	must(c.control.RemoveGroupAlias(ctx, "initech", team, "gang@initech.com"))(t)
	if status, _ := c.admin(http.MethodGet, "directory/v1/groups/gang@initech.com", nil); status != http.StatusNotFound {
		t.Errorf("an alias that was taken away: %d", status)
	}
	must(c.control.RemoveGroup(ctx, "initech", team))(t)
	if _, err := c.control.RestoreGroup(ctx, "initech", team); err == nil {
		t.Error("a deleted group came back")
	}
	if got, _ := c.list("groups?customer=my_customer", "groups"); len(got) != 0 {
		t.Errorf("groups: %v", got)
	}
	if status, out := c.admin(http.MethodGet, "directory/v1/groups?customer=my_customer&userKey="+ann, nil); status != http.StatusBadRequest {
		t.Errorf("customer and userKey: %d %v", status, out)
	}
}

func TestWorkspaceMemberLag(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	c := initech(t, simulator.Config{}, at)
	ctx := t.Context()
	team, ann, bob := c.team("team"), c.person("ann"), c.person("bob")
	must(c.control.AddMembers(ctx, "initech", team, ann))(t)
	if err := c.control.PutSettings(ctx, control.Settings{MemberLag: time.Minute}); err != nil {
		t.Fatal(err)
	}
	at.Advance(2 * time.Minute)
	must(c.control.RemoveMembers(ctx, "initech", team, ann))(t)
	must(c.control.AddMembers(ctx, "initech", team, bob))(t)
	if got, _ := c.list("groups/"+team+"/members?", "members"); values(got, "id") != ann {
		t.Errorf("at once: %v", got)
	}
	if status, _ := c.admin(http.MethodGet, "directory/v1/groups/"+team+"/members/"+bob, nil); status != http.StatusNotFound {
		t.Errorf("bob at once: %d", status)
	}
	at.Advance(time.Minute)
	if got, _ := c.list("groups/"+team+"/members?", "members"); values(got, "id") != bob {
		t.Errorf("a minute later: %v", got)
	}
}
