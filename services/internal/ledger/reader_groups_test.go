package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// groupsAreListedWithWhatIsInThem lists groups of which g is a provisioning group, with h and i inside it, and itself inside j.
func groupsAreListedWithWhatIsInThem(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	c := crowd{tenant: "contoso", mode: licensing.GroupMembers, inside: map[string][]string{"g": {"h", "i"}, "h": {"i", "j"}, "j": {"g"}}}
	for i, groups := range [][]string{{"g"}, {"g", "h"}, {"h", "j"}, {"i"}, {}} {
		c.users = append(c.users, &crowdUser{number: i, groups: groups, User: directory.User{ID: fmt.Sprint("u", i), Status: directory.Active}})
	}
	update(t, l, c.write)
	update(t, l, func(tx *ledger.Tx) error {
		here, err := tx.Tenant("contoso")
		must(t, err)
		products, err := tx.Products(here.ID)
		must(t, err)
		products[0].State.Policy.Group = "g"
		_, err = tx.PutGroup(here, directory.Group{ID: "z", Name: "group of one", Addresses: []string{"one@contoso.com", "group@contoso.com"}}, ledger.Evidence{Stamp: at(1)})
		must(t, err)
		_, err = tx.PutGroup(here, directory.Group{ID: "gone", Deleted: true}, ledger.Evidence{Stamp: at(1)})
		must(t, err)
		return tx.SaveProduct(products[0])
	})
	r := l.Reader()
	list := func(q ledger.GroupsQuery) (all []string) {
		q.Tenant, q.Limit = "contoso", 2
		for next, more := "", true; more; more = next != "" {
			q.After = next
			page, err := r.Groups(t.Context(), q)
			must(t, err)
			for _, g := range page.Groups {
				all = append(all, fmt.Sprintf("%s %v%v %v %d/%d/%d", g.ID, g.Provisions, g.Named, g.Kept, g.Direct.Users, g.Groups, g.Effective.Users))
			}
			next = page.Next
		}
		return all
	}
	for searched, want := range map[string][]string{
		"":        {"g [p][p] true 2/2/4", "h [][] true 2/2/4", "i [][] true 1/0/1", "j [][] true 1/1/4", "z [][] false 0/0/0"},
		"GROUP H": {"h [][] true 2/2/4"},
		"i@":      {"i [][] true 1/0/1"},
		"group o": {"z [][] false 0/0/0"},
		"nobody":  nil,
	} {
		if diff := cmp.Diff(want, list(ledger.GroupsQuery{Search: searched})); diff != "" {
			t.Errorf("%s: %s", searched, diff)
		}
	}
	tree, more, err := r.GroupTree(t.Context(), "contoso", "G@contoso.com")
	same(t, "tree", "g(h(i j(g…)) i…)", tree.String(), err)
	same(t, "more", false, more, nil)
	var members []string
	for next, more := "", true; more; more = next != "" {
		var users []ledger.UserState
		users, next, err = r.GroupMembers(t.Context(), "contoso", "h", next, 1)
		must(t, err)
		for _, u := range users {
			members = append(members, u.ID)
		}
	}
	same(t, "members", []string{"u1", "u2"}, members, nil)
	_, _, err = r.GroupTree(t.Context(), "contoso", "gone")
	same(t, "a deleted group", true, errors.Is(err, ledger.ErrNoGroup), nil)
	_, _, err = r.GroupMembers(t.Context(), "fabrikam", "g", "", 1)
	same(t, "no tenant", true, errors.Is(err, ledger.ErrNoTenant), nil)
	_, err = r.Groups(t.Context(), ledger.GroupsQuery{Tenant: "contoso", After: "?"})
	same(t, "no page", true, errors.Is(err, ledger.ErrNoPage), nil)
}

// treesOfGroupsEnd shows a group with more groups in it than are shown.
func treesOfGroupsEnd(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		for i := range ledger.GroupTreeSize {
			outer := "root"
			if i%2 == 1 {
				outer = fmt.Sprint("g", i-1)
			}
			_, err := tx.PutMembership(here, directory.Membership{GroupID: outer, Kind: directory.GroupMember, ID: fmt.Sprint("g", i), Present: true}, ledger.Evidence{Stamp: at(1)})
			must(t, err)
		}
		_, err := tx.PutGroup(here, directory.Group{ID: "root"}, ledger.Evidence{Stamp: at(1)})
		return err
	})
	var size func(ledger.GroupNode) int
	size = func(n ledger.GroupNode) int {
		all := 1
		for _, child := range n.Inside {
			all += size(child)
		}
		return all
	}
	tree, more, err := l.Reader().GroupTree(t.Context(), "contoso", "root")
	same(t, "shown", ledger.GroupTreeSize, size(tree), err)
	same(t, "more", true, more, nil)
}

// largeGroupsAreCountedToTheBound counts who is in a group by each way in: one who is in it twice is the last that is counted.
func largeGroupsAreCountedToTheBound(t *testing.T, b ledgertest.Backend) {
	const bound = 10_000
	address := b.Address(t)
	ledgertest.Load(t, address, ledgertest.Bulk{
		Tenant: "contoso", Product: "p", Domain: "contoso.com", Group: "g", Address: "p@contoso.com", Users: bound, Members: bound, At: time.Now(),
	})
	l := open(t, address)
	counted := func(want string) {
		page, err := l.Reader().Groups(t.Context(), ledger.GroupsQuery{Tenant: "contoso", Limit: 1})
		must(t, err)
		g := page.Groups[0]
		same(t, "counts", want, fmt.Sprint(g.ID, g.Direct, g.Effective), nil)
	}
	counted("g{10000 false} {10000 false}")
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		for _, m := range []directory.Membership{
			{GroupID: "g", Kind: directory.GroupMember, ID: "h"},
			{GroupID: "h", Kind: directory.UserMember, ID: ledgertest.UserRef(1)},
		} {
			m.Present = true
			if _, err := tx.PutMembership(here, m, ledger.Evidence{Stamp: at(1)}); err != nil {
				return err
			}
		}
		return nil
	})
	counted("g{10000 false} {10000 true}")
}
