package simulator_test

import (
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

func TestUsersDelta(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{PageSize: 7})
	ctx := t.Context()
	must(s.control.Generate(ctx, "contoso", control.Generate{Users: 40, Seed: 1}))(t)
	ann := s.user("ann")

	values, link, pages := s.pages("/users/delta()?$select=id,displayName,userPrincipalName,accountEnabled")
	if len(values) != 41 || pages != 6 {
		t.Fatalf("first round: %d users on %d pages, want 41 on 6", len(values), pages)
	}
	if v := values[40]; v["id"] != ann || v["accountEnabled"] != true || v["mail"] != nil {
		t.Errorf("last user: %v", v)
	}
	values, link, pages = s.pages(link)
	if len(values) != 0 || pages != 1 {
		t.Fatalf("nothing changed, but: %v", values)
	}

	must(s.control.AddUserAlias(ctx, "contoso", ann, "annie@contoso.com"))(t) // proxyAddresses is not selected
	if values, link, _ = s.pages(link); len(values) != 0 {
		t.Errorf("a property that is not selected showed: %v", values)
	}
	must(s.control.Suspend(ctx, "contoso", ann))(t)
	values, link, _ = s.pages(link)
	want := []object{{"id": ann, "displayName": "ann", "userPrincipalName": "ann@contoso.com", "accountEnabled": false}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("suspended (-want +got):\n%s", diff)
	}
	must(s.control.Unsuspend(ctx, "contoso", ann))(t)
	if got := s.get(link, "Prefer", "return=minimal")["value"]; !cmp.Equal(got, []any{object{"id": ann, "accountEnabled": true}}) {
		t.Errorf("minimal: %v", got)
	}
	must(s.control.RemoveUser(ctx, "contoso", ann))(t)
	values, link, _ = s.pages(link)
	if diff := cmp.Diff([]object{{"id": ann, "@removed": object{"reason": "changed"}}}, values); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	must(s.control.RestoreUser(ctx, "contoso", ann))(t)
	if values, link, _ = s.pages(link); len(values) != 1 || values[0]["userPrincipalName"] != "ann@contoso.com" {
		t.Errorf("restored: %v", values)
	}
	must(s.control.PurgeUser(ctx, "contoso", ann))(t)
	values, _, _ = s.pages(link)
	if diff := cmp.Diff([]object{{"id": ann, "@removed": object{"reason": "deleted"}}}, values); diff != "" {
		t.Errorf("purged (-want +got):\n%s", diff)
	}
	counters := must(s.control.Counters(ctx, "contoso"))(t)
	if c := counters["GET /users/delta initial"]; c.Requests != 6 || c.Items != 41 {
		t.Errorf("initial: %+v", c)
	}
	if c := counters["GET /users/delta token"]; c.Requests != 7 || c.Items != 5 {
		t.Errorf("token: %+v", c)
	}
}

func TestDeltaPagesOfChanges(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{PageSize: 5})
	link := s.get("/users/delta?$deltatoken=latest")["@odata.deltaLink"].(string)
	must(s.control.Generate(t.Context(), "contoso", control.Generate{Users: 23, Seed: 1}))(t)
	values, _, pages := s.pages(link)
	if got := slices.Compact(slices.Sorted(slices.Values(ids(values)))); len(got) != 23 || pages != 5 {
		t.Errorf("%d users on %d pages, want 23 on 5", len(got), pages)
	}
}

func TestGroupMembersDelta(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{PageSize: 4})
	ctx := t.Context()
	big := s.group(control.NewGroup{Name: "big", Kind: directory.Security})
	child := s.group(control.NewGroup{Name: "child", Kind: directory.Security})
	empty := s.group(control.NewGroup{Name: "empty", Address: "empty@contoso.com", Kind: directory.Distribution})
	other := s.group(control.NewGroup{Name: "other", Kind: directory.Security})
	var users []string
	for _, n := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		users = append(users, s.user(n))
	}
	must(s.control.AddMembers(ctx, "contoso", big, append(slices.Clone(users), child)...))(t)

	filter := "$filter=id+eq+'" + big + "'+or+id+eq+'" + empty + "'"
	values, link, pages := s.pages("/groups/delta?$select=id,displayName,members&" + filter)
	if pages != 3 || len(values) != 4 {
		t.Errorf("%d values on %d pages: %v", len(values), pages, values)
	}
	var got []string
	for _, v := range values {
		if v["id"] == empty {
			if _, has := v["members@delta"]; has {
				t.Errorf("an empty group has members@delta: %v", v)
			}
			continue
		}
		for _, m := range v["members@delta"].([]any) {
			got = append(got, m.(object)["id"].(string))
		}
	}
	if diff := cmp.Diff(append(slices.Clone(users), child), got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	must(s.control.RemoveMembers(ctx, "contoso", big, users[0]))(t)
	must(s.control.RemoveUser(ctx, "contoso", users[1]))(t)
	must(s.control.AddMembers(ctx, "contoso", other, users[2]))(t) // not in the filter
	values, link, _ = s.pages(link)
	want := []object{{"id": big, "displayName": "big", "members@delta": []any{
		object{"@odata.type": "#microsoft.graph.user", "id": users[0], "@removed": object{"reason": "deleted"}},
		object{"@odata.type": "#microsoft.graph.user", "id": users[1], "@removed": object{"reason": "deleted"}},
	}}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	must(s.control.RemoveGroup(ctx, "contoso", big))(t)
	must(s.control.RemoveGroup(ctx, "contoso", empty))(t) // a distribution group is gone for good
	values, _, _ = s.pages(link)
	want = []object{
		{"id": big, "@removed": object{"reason": "changed"}}, {"id": empty, "@removed": object{"reason": "deleted"}},
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
}

func TestDeltaTokensExpire(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	s := start(t, simulator.Config{}, fake)
	s.putTenant()
	link := s.get("/users/delta?$select=id,mail")["@odata.deltaLink"].(string)
	fake.Advance(7*24*time.Hour - time.Minute)
	s.signIn()
	s.get(link)
	fake.Advance(2 * time.Minute)
	s.signIn()
	status, out, header := s.call(http.MethodGet, link, nil)
	restart := header.Get("Location")
	if status != http.StatusGone || code(out) != "syncStateNotFound" || restart != s.server.URL()+"/v1.0/users/delta?$deltatoken=&$select=id%2Cmail" {
		t.Fatalf("%d %v %q", status, out, restart)
	}
	link = s.get(restart)["@odata.deltaLink"].(string)
	if err := s.control.ExpireDeltaTokens(t.Context(), "contoso"); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := s.call(http.MethodGet, link, nil); status != http.StatusGone {
		t.Errorf("by control: %d, want 410", status)
	}
}

func TestDeltaLag(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	s := start(t, simulator.Config{}, fake)
	s.putTenant()
	if err := s.control.PutSettings(t.Context(), control.Settings{DeltaLag: time.Minute}); err != nil {
		t.Fatal(err)
	}
	_, link, _ := s.pages("/users/delta")
	s.user("ann")
	fake.Advance(59 * time.Second)
	values, link, _ := s.pages(link)
	if len(values) != 0 {
		t.Errorf("too early: %v", values)
	}
	fake.Advance(time.Second)
	if values, _, _ = s.pages(link); len(values) != 1 {
		t.Errorf("after the lag: %v", values)
	}
}

func TestDeltaRefuses(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	link := s.get("/users/delta")["@odata.deltaLink"].(string)
	for path, want := range map[string]string{
		"/users/delta?$top=5":                          "Request_UnsupportedQuery",
		"/users/delta?$expand=manager":                 "Request_UnsupportedQuery",
		"/users/delta?$select=shoeSize":                "BadRequest",
		"/users/delta?$filter=mail+eq+'a@contoso.com'": "Request_UnsupportedQuery",
		"/users/delta?$deltatoken=bm9uc2Vuc2U":         "Request_BadRequest",
		link + "&$select=id":                           "Request_BadRequest",
	} {
		if status, out, _ := s.call(http.MethodGet, path, nil); status != http.StatusBadRequest || code(out) != want {
			t.Errorf("%s: %d %s, want 400 %s", path, status, code(out), want)
		}
	}
}
