package simulator_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestReopenedIsWhatItWas(t *testing.T) {
	t.Parallel()
	cfg := simulator.Config{DataDir: t.TempDir(), AllowLoopbackHTTP: true}
	s := contoso(t, cfg)
	ctx, h := t.Context(), newHook(t)
	must(s.control.Generate(ctx, "contoso", control.Generate{Users: 100, Seed: 7}))(t)
	ann, bob := s.user("ann"), s.user("bob")
	group := s.group(control.NewGroup{Address: "team@contoso.com"})
	must(s.control.AddMembers(ctx, "contoso", group, ann, bob))(t)
	_, sub := s.subscribe("/users", h.URL)
	_, link, _ := s.pages("/users/delta?$select=id,accountEnabled")
	must(s.control.Suspend(ctx, "contoso", ann))(t)
	must(s.control.RemoveUser(ctx, "contoso", bob))(t)
	users, groups := must(s.control.Users(ctx, "contoso"))(t), must(s.control.Groups(ctx, "contoso"))(t)
	for told := 0; told < 2; {
		told += len(h.next(t))
	}
	base, token := s.server.URL(), s.token
	s.stop()

	journal, err := os.OpenFile(filepath.Join(cfg.DataDir, "journal-0.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = journal.WriteString(`{"op":"users","tenant":"`) // as a kill -9 in the middle of a write leaves it
	_ = journal.Close()

	cfg.Addr = base[len("https://"):] // links are absolute: the same address
	s = start(t, cfg, nil)
	s.token = token // it is still good
	if diff := cmp.Diff(users, must(s.control.Users(ctx, "contoso"))(t)); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(groups, must(s.control.Groups(ctx, "contoso"))(t)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	values, _, _ := s.pages(link)
	want := []object{{"id": ann, "accountEnabled": false}, {"id": bob, "@removed": object{"reason": "changed"}}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("delta (-want +got):\n%s", diff)
	}
	if got := s.get("/subscriptions/" + sub["id"].(string)); got["expirationDateTime"] != sub["expirationDateTime"] {
		t.Errorf("subscription: %v", got)
	}
	must(s.control.RestoreUser(ctx, "contoso", bob))(t)
	if members := must(s.control.Members(ctx, "contoso", "team@contoso.com"))(t); len(members) != 2 {
		t.Errorf("members: %v", members)
	}
	if got := h.next(t); got[0]["resource"] != "Users/"+bob || got[0]["clientState"] != "state" {
		t.Errorf("notified: %v", got)
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	t.Parallel()
	var lists [2][]control.User
	for i := range lists {
		s := contoso(t, simulator.Config{})
		must(s.control.Generate(t.Context(), "contoso", control.Generate{Users: 2000, Seed: 3}))(t)
		lists[i] = must(s.control.Users(t.Context(), "contoso"))(t)
		for j := range lists[i] {
			lists[i][j].CreatedAt = lists[0][0].CreatedAt
		}
	}
	if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
		t.Error(diff)
	}
	guests, suspended, aliases, elsewhere := 0, 0, 0, 0
	for _, u := range lists[0] {
		switch {
		case u.Guest:
			guests++
		case u.Status == "suspended":
			suspended++
		}
		if len(u.Aliases) > 0 {
			aliases++
		}
		if !u.Guest && u.Address[len(u.Address)-5:] == "co.uk" {
			elsewhere++
		}
	}
	if guests < 30 || suspended < 20 || aliases < 300 || elsewhere < 300 {
		t.Errorf("%d guests, %d suspended, %d with aliases, %d on the other domain", guests, suspended, aliases, elsewhere)
	}
}

func TestRenameKeepsTheOldAddress(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	ann := s.user("ann")
	must(s.control.RenameUser(t.Context(), "contoso", "ann@contoso.com", control.Rename{Address: "Ann.Lee@contoso.co.uk", Name: "Ann Lee"}))(t)
	got := s.get("/users/" + ann + "?$select=displayName,surname,userPrincipalName,mail,proxyAddresses")
	delete(got, "@odata.context")
	want := object{
		"id": ann, "displayName": "Ann Lee", "surname": "Lee", "userPrincipalName": "ann.lee@contoso.co.uk", "mail": "ann.lee@contoso.co.uk",
		"proxyAddresses": []any{"SMTP:ann.lee@contoso.co.uk", "smtp:ann@contoso.com"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.control.AddUser(t.Context(), "contoso", control.NewUser{Address: "ann@contoso.com"}); err == nil {
		t.Error("an alias was given to a second user")
	}
	if status, _, _ := s.call(http.MethodGet, "/users/ann@contoso.com", nil); status != http.StatusNotFound {
		t.Errorf("by the old name: %d", status)
	}
}
