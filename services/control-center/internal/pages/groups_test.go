package pages_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Which groups provision what, what is inside them, and how many users they come to.
func TestGroupsTellWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	w := lively(t)
	text := w.page("/tenants/contoso/groups")
	for id, want := range map[string][]string{
		"sharers":   {"Provisions Secure Share", `data-label="Users in it">1<`, `data-label="Groups in it">1<`, `data-label="All users">40<`},
		"sales":     {"Inside a provisioning group", `data-label="Users in it">39<`, `data-label="All users">39<`},
		"marketing": {"not kept", "Distribution"},
	} {
		_, row, found := strings.Cut(text, `id="group-`+id+`"`)
		if !found {
			t.Errorf("%s is not listed", id)
		}
		row, _, _ = strings.Cut(row, "</tr>")
		has(t, row, want...)
	}
	has(t, w.page("/tenants/contoso/groups?q=SALES@"), `id="group-sales"`)
	lacks(t, w.page("/tenants/contoso/groups?q=sales"), `id="group-sharers"`)
	has(t, w.page("/tenants/contoso/groups/sharers"), "1 user and 1 group; 40 users in all", `<ul class="tree">`, "Sales Europe", "Ada Andersson", "/tenants/contoso/users?group=virtru")
	has(t, w.page("/tenants/contoso/groups/marketing"), "Its members are not kept")
	for _, path := range []string{"/groups/nobody", "/groups/sales@contoso.com", "/groups?after=nonsense", "/groups/sales?after=nonsense"} {
		want := http.StatusNotFound
		if strings.Contains(path, "?") {
			want = http.StatusBadRequest
		}
		if a := w.get("/tenants/contoso" + path); a.status != want {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	w.product("contoso", "secure-share", func(p *ledger.Product) { p.State.Policy = licensing.Policy{Mode: licensing.AllUsers} })
	has(t, w.page("/tenants/contoso/groups"), "Has the address for Secure Share, not in force")
}

// Groups that are in each other are shown once, and long lists in pages.
func TestGroupsOfManyAndOfEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso")
	var people []directory.User
	members := []directory.Membership{{Kind: directory.GroupMember, ID: "b"}}
	for i := range 60 {
		id := fmt.Sprintf("u%02d", i)
		people = append(people, person(id, "User "+id))
		members = append(members, directory.Membership{Kind: directory.UserMember, ID: id})
	}
	w.put("contoso", people...)
	w.group("contoso", directory.Group{ID: "a", Name: "Group A", Addresses: []string{"virtru-secure-share-provisioning-group@contoso.com"}}, members...)
	w.group("contoso", directory.Group{ID: "b", Name: "Group B"}, directory.Membership{Kind: directory.GroupMember, ID: "a"}, directory.Membership{Kind: directory.CustomerMember})
	w.product("contoso", "secure-share", func(p *ledger.Product) { p.State.Policy = licensing.Policy{Mode: licensing.GroupMembers, Group: "a"} })
	text := w.page("/tenants/contoso/groups/a")
	has(t, text, "shown above", "Holds everybody", "and everybody of the directory", "50 users on this page")
	next := regexp.MustCompile(`id="next" href="([^"]+)"`).FindStringSubmatch(text)
	if next == nil {
		t.Fatal("no next page")
	}
	has(t, w.page(strings.ReplaceAll(next[1], "&amp;", "&")), "10 users on this page", "First page")
	for i := range 60 {
		w.group("contoso", directory.Group{ID: fmt.Sprintf("g%02d", i), Name: fmt.Sprintf("More %02d", i)})
	}
	has(t, w.page("/tenants/contoso/groups"), "50 groups on this page", "Next page")
}
