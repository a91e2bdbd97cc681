package simulator_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestWorkspaceUserByEveryKey(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	ann, team := c.person("ann"), c.team("team")
	must(c.control.AddUserAlias(ctx, "initech", ann, "anna@initech.com"))(t)
	must(c.control.RenameUser(ctx, "initech", ann, control.Rename{Address: "ann.lee@initech.co.uk"}))(t)
	must(c.control.AddMembers(ctx, "initech", team, "zoe@fabrikam.com"))(t)
	zoe := must(c.control.Members(ctx, "initech", team))(t)[0].ID
	for _, key := range []string{ann, "ann.lee@initech.co.uk", "ANNA@initech.com", "ann@initech.com", "ann@initech.com.test-google-a.com"} {
		if got := c.read("users/" + key); got["id"] != ann || got["primaryEmail"] != "ann.lee@initech.co.uk" {
			t.Errorf("%s: %v", key, got)
		}
	}
	gone := c.person("gone")
	must(c.control.RemoveUser(ctx, "initech", gone))(t)
	for key, want := range map[string]string{
		"nobody@initech.com":    "404 notFound: Resource Not Found: userKey",
		"199999999999999999999": "404 notFound: Resource Not Found: userKey",
		gone:                    "412 conditionNotMet: User is deleted.",
		"gone@initech.com":      "404 notFound: Resource Not Found: userKey",
		"zoe@fabrikam.com":      "403 forbidden: Not Authorized to access this resource/api",
		"stranger@elsewhere.io": "403 forbidden: Not Authorized to access this resource/api",
		zoe:                     "403 forbidden: Not Authorized to access this resource/api",
		team:                    "400 badRequest: Type not supported: userKey",
		"team@initech.com":      "400 badRequest: Type not supported: userKey",
	} {
		status, out := c.admin(http.MethodGet, "directory/v1/users/"+key, nil)
		if got := strconv.Itoa(status) + " " + refused(out); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

func TestWorkspaceUserStates(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	ann, bob, guest := c.person("ann"), c.person("bob"), must(c.control.AddUser(ctx, "initech", control.NewUser{Address: "eve@fabrikam.com", Guest: true}))(t).ID
	must(c.control.Suspend(ctx, "initech", ann))(t)
	must(c.control.Archive(ctx, "initech", bob))(t)
	if got := c.read("users/" + ann); got["suspended"] != true || got["suspensionReason"] != "ADMIN" || got["suspensionTime"] == nil {
		t.Errorf("suspended: %v", got)
	}
	if got := c.read("users/" + bob); got["archived"] != true || got["suspended"] != false || got["archivalTime"] == nil {
		t.Errorf("archived: %v", got)
	}
	if got := c.read("users/" + guest); got["isGuestUser"] != true {
		t.Errorf("guest: %v", got)
	}
	must(c.control.Unsuspend(ctx, "initech", ann))(t)
	must(c.control.Unarchive(ctx, "initech", bob))(t)
	if got := c.read("users/" + ann); got["suspended"] != false || got["suspensionReason"] != nil || got["suspensionTime"] != nil {
		t.Errorf("no longer suspended: %v", got)
	}
	if got := must(c.control.User(ctx, "initech", bob))(t); got.Status != directory.Active {
		t.Errorf("no longer archived: %v", got)
	}
	if got := c.read("users/" + initechAdmin); got["isAdmin"] != true {
		t.Errorf("admin: %v", got)
	}
}

func TestWorkspaceUserLists(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	for _, name := range []string{"dora", "bob", "ann", "carl"} {
		c.person(name)
	}
	all, pages := c.list("users?customer=my_customer&maxResults=2", "users")
	if got := values(all, "primaryEmail"); got != "admin@initech.com ann@initech.com bob@initech.com carl@initech.com dora@initech.com" || pages != 3 {
		t.Errorf("%d pages: %s", pages, got)
	}
	down, _ := c.list("users?domain=initech.com&maxResults=2&orderBy=email&sortOrder=DESCENDING", "users")
	if got := values(down, "primaryEmail"); got != "dora@initech.com carl@initech.com bob@initech.com ann@initech.com admin@initech.com" {
		t.Error(got)
	}
	named, _ := c.list("users?customer=my_customer&maxResults=1&orderBy=givenName&sortOrder=DESCENDING", "users")
	if got := values(named, "primaryEmail"); got != "dora@initech.com carl@initech.com bob@initech.com ann@initech.com admin@initech.com" {
		t.Error(got)
	}
	must(c.control.AddUserAlias(ctx, "initech", "bob@initech.com", "rob@initech.com"))(t)
	for query, want := range map[string]string{
		"email=rob@initech.com": "bob@initech.com", "email:ca*": "carl@initech.com", "name='Ann'": "ann@initech.com", "isSuspended=true": "", "email=nobody@initech.com": "",
	} {
		found, _ := c.list("users?customer=my_customer&query="+query, "users")
		if got := values(found, "primaryEmail"); got != want {
			t.Errorf("%s: %q", query, got)
		}
	}
	for path, want := range map[string]string{
		"users":                     "badRequest: Bad Request",
		"users?customer=C00000000":  "forbidden: Not Authorized to access this resource/api",
		"users?domain=fabrikam.com": "notFound: Domain not found.",
		"users?customer=my_customer&pageToken=junk":   "invalid: Invalid Input: pageToken",
		"users?customer=my_customer&query=x":          "invalid: Invalid Input: query",
		"users?customer=my_customer&fields=users(idx": "invalidParameter: Invalid field selection users(idx",
		"users?customer=my_customer&fields=users/idx": "invalidParameter: Invalid field selection users/idx",
	} {
		if status, out := c.admin(http.MethodGet, "directory/v1/"+path, nil); status < 400 || refused(out) != want {
			t.Errorf("%s: %d %s", path, status, refused(out))
		}
	}
	if status, _ := c.admin(http.MethodGet, "directory/v1/users?customer=my_customer&maxResults=501", nil); status != http.StatusBadRequest {
		t.Errorf("501 a page: %d", status)
	}
	masked := c.read("users?customer=my_customer&maxResults=1&fields=nextPageToken,users(id,name/fullName)")
	only := masked["users"].([]any)[0].(object)
	if len(masked) != 2 || len(only) != 2 || only["name"].(object)["fullName"] == nil || len(only["name"].(object)) != 1 {
		t.Errorf("masked: %v", masked)
	}
}

// TestWorkspaceListsHoldStill holds that a list goes on behind the last address shown, whatever comes and goes.
func TestWorkspaceListsHoldStill(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	for _, name := range []string{"b", "d", "f"} {
		c.person(name)
	}
	first := c.read("users?customer=my_customer&maxResults=3")
	must(c.control.RemoveUser(t.Context(), "initech", "b@initech.com"))(t)
	must(c.control.RemoveUser(t.Context(), "initech", "d@initech.com"))(t)
	c.person("a")
	c.person("e")
	rest := c.read("users?customer=my_customer&maxResults=3&pageToken=" + first["nextPageToken"].(string))
	var got []object
	for _, u := range rest["users"].([]any) {
		got = append(got, u.(object))
	}
	if values(got, "primaryEmail") != "e@initech.com f@initech.com" {
		t.Error(values(got, "primaryEmail"))
	}
}

func TestWorkspaceDeletedUsers(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	c := initech(t, simulator.Config{}, at)
	ctx := t.Context()
	ann, team := c.person("ann"), c.team("team")
	must(c.control.AddMembers(ctx, "initech", team, ann))(t)
	must(c.control.RemoveUser(ctx, "initech", ann))(t)
	if got, _ := c.list("users?customer=my_customer&showDeleted=true", "users"); values(got, "id") != ann || got[0]["deletionTime"] == nil {
		t.Errorf("deleted: %v", got)
	}
	if got, _ := c.list("users?customer=my_customer", "users"); values(got, "primaryEmail") != initechAdmin {
		t.Errorf("live: %v", got)
	}
	if got, _ := c.list("groups/"+team+"/members?", "members"); len(got) != 0 {
		t.Errorf("members: %v", got)
	}
	must(c.control.RestoreUser(ctx, "initech", ann))(t)
	if got, _ := c.list("groups/"+team+"/members?", "members"); values(got, "id") != ann {
		t.Errorf("members: %v", got)
	}
	must(c.control.RemoveUser(ctx, "initech", ann))(t)
	at.Advance(20*24*time.Hour + time.Second)
	c.token = ""
	if got, _ := c.list("users?customer=my_customer&showDeleted=true", "users"); len(got) != 0 {
		t.Errorf("after 20 days: %v", got)
	}
	if _, err := c.control.RestoreUser(ctx, "initech", ann); err == nil {
		t.Error("restored after 20 days")
	}
}
