package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// write puts a crowd into a ledger as a tenant of its own, with a product p.
func (c *crowd) write(tx *ledger.Tx) error {
	here, err := tx.Tenant(c.tenant)
	if err != nil {
		return err
	}
	if _, err := tx.EnsureProduct(here.ID, "p", address("g")); err != nil {
		return err
	}
	products, err := tx.Products(here.ID)
	if err != nil {
		return err
	}
	p := products[0]
	p.State = licensing.State{Phase: licensing.InForce, Policy: licensing.Policy{Mode: c.mode}}
	numbers, err := c.writeDirectory(tx, here)
	if err != nil {
		return err
	}
	for i := range c.decisions() {
		if err := c.writeDecision(tx, p, uint64(i+1), numbers); err != nil {
			return err
		}
	}
	if err := tx.SaveProduct(p); err != nil {
		return err
	}
	held, err := tx.AddHeld(ledger.Held{Product: p.ID, Ref: "h", Kind: ledger.HeldRevocations, State: ledger.HeldOpen})
	if err != nil {
		return err
	}
	for i, u := range c.users {
		err = errors.Join(err, tx.PutHeldUser(held.ID, ledger.HeldUser{User: numbers[u.ID], Listed: u.held}))
		if u.waiting {
			err = errors.Join(err, tx.Join(p.ID, numbers[u.ID], int64(i)))
		}
		if !u.activated.IsZero() {
			for _, at := range []time.Time{u.activated.Add(time.Hour), u.activated, u.activated.Add(time.Minute)} {
				found, _, e := tx.Activate(here.ID, p.ID, u.ID, at)
				if err = errors.Join(err, e); !found {
					return fmt.Errorf("%s is not there: %w", u.ID, err)
				}
			}
		}
	}
	return err
}

func (c *crowd) writeDirectory(tx *ledger.Tx, here ledger.Tenant) (numbers map[string]int64, err error) {
	numbers = map[string]int64{}
	member := func(group string, kind directory.MemberKind, id string) (int64, error) {
		change, err := tx.PutMembership(here, directory.Membership{GroupID: group, Kind: kind, ID: id, Present: true}, ledger.Evidence{Stamp: at(1)})
		return change.Member, err
	}
	for _, g := range crowdTeams {
		if _, err := tx.PutGroup(here, directory.Group{ID: g, Name: "Group " + g, Addresses: []string{address(g)}}, ledger.Evidence{Stamp: at(1)}); err != nil {
			return nil, err
		}
	}
	for _, u := range c.users {
		if u.unseen {
			if numbers[u.ID], err = member("g", directory.UserMember, u.ID); err != nil {
				return nil, err
			}
			continue
		}
		change, err := tx.PutUser(here, u.User, ledger.Evidence{Stamp: at(1)})
		if err != nil {
			return nil, err
		}
		numbers[u.ID] = change.ID
		for _, g := range u.groups {
			if _, err := member(g, directory.UserMember, u.ID); err != nil {
				return nil, err
			}
		}
	}
	for outer, inside := range c.inside {
		for _, g := range inside {
			if _, err := member(outer, directory.GroupMember, g); err != nil {
				return nil, err
			}
		}
	}
	if c.whole != "" {
		if _, err := member(c.whole, directory.CustomerMember, ""); err != nil {
			return nil, err
		}
	}
	if c.gone != "" {
		_, err = tx.PutGroup(here, directory.Group{ID: c.gone, Deleted: true}, ledger.Evidence{Stamp: at(2)})
	}
	return numbers, err
}

func (c *crowd) writeDecision(tx *ledger.Tx, p ledger.Product, sequence uint64, numbers map[string]int64) error {
	for _, u := range c.users {
		for i, period := range u.periods {
			if period.Sequence != sequence {
				continue
			}
			before, found, err := tx.Entitlement(p.ID, numbers[u.ID])
			if err != nil || found != (i > 0) {
				return fmt.Errorf("decision %d of %s: %v, %w", i, u.ID, found, err)
			}
			e := ledger.Entitlement{Product: p.ID, User: numbers[u.ID], Licensed: period.Licensed, Since: period.From, Reason: period.Reason, Sequence: sequence}
			if found && before.Licensed == e.Licensed {
				e.Since = before.Since
			}
			for _, g := range period.Path {
				id, _, err := tx.GroupNumber(p.Tenant, g)
				if err != nil {
					return err
				}
				e.Path = append(e.Path, id)
			}
			last := &before
			if !found {
				last = nil
			}
			return tx.Transition(last, e, period.From, period.Cause)
		}
	}
	return fmt.Errorf("no decision %d", sequence)
}

func drawSearch(t *rapid.T, depth int) search.Node {
	switch kind := rapid.IntRange(0, 7).Draw(t, "kind"); {
	case depth == 0 || kind < 4:
		return drawSought(t)
	case kind == 4:
		return search.Not{Node: drawSearch(t, depth-1)}
	case kind == 5:
		return search.Any{drawSearch(t, depth-1), drawSearch(t, depth-1)}
	default:
		return search.All{drawSearch(t, depth-1), drawSearch(t, depth-1)}
	}
}

func drawSought(t *rapid.T) search.Term {
	text := rapid.SampledFrom([]string{"d", "DAN", "dana", "Dana Ito", "é", "émile", "zoe@b.com", "dan@a.com", "dan@a.com\nzoe@b.com", "smtp:", "x"})
	prefix := rapid.Bool().Draw(t, "prefix")
	switch f := rapid.SampledFrom([]search.Field{search.Word, search.Name, search.Email, search.ID, search.Group, search.Reason, search.Is, search.Is, search.Is}).Draw(t, "field"); f {
	case search.Word:
		return search.Term{Value: text.Draw(t, "word"), Prefix: true}
	case search.Name, search.Email:
		return search.Term{Field: f, Value: text.Draw(t, "text"), Prefix: prefix}
	case search.ID:
		return search.Term{Field: f, Value: fmt.Sprint("u", rapid.IntRange(0, 15).Draw(t, "id"))}
	case search.Group:
		return search.Term{Field: f, Value: rapid.SampledFrom([]string{"g", "g@contoso.com", "H@contoso.com", "i@contoso.com", "none@contoso.com"}).Draw(t, "group")}
	case search.Reason:
		return search.Term{Field: f, Value: string(rapid.SampledFrom(append(crowdReasons, "not-decided-yet", "it's")).Draw(t, "reason"))}
	default:
		return search.Term{Field: f, Value: string(rapid.SampledFrom(search.States).Draw(t, "state"))}
	}
}

func drawQuery(t *rapid.T, c crowd) ledger.UsersQuery {
	q := ledger.UsersQuery{
		Tenant: c.tenant, Product: "p", Descending: rapid.Bool().Draw(t, "descending"),
		Sort: rapid.SampledFrom([]ledger.UsersSort{"", ledger.SortName, ledger.SortAddress, ledger.SortStatus, ledger.SortLicensed, ledger.SortSince, ledger.SortChange}).Draw(t, "sort"),
	}
	if rapid.IntRange(0, 4).Draw(t, "searching") > 0 {
		q.Search = drawSearch(t, 2)
	}
	if rapid.IntRange(0, 3).Draw(t, "earlier") == 0 {
		q.At = nine.Add(time.Duration(rapid.IntRange(-1, 20).Draw(t, "minutes")) * time.Minute)
	}
	return q
}

// allPages reads a list page after page.
func allPages(t *rapid.T, r *ledger.Reader, q ledger.UsersQuery, b ledger.Bounds) (all []ledger.UserRow) {
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	for after, n := "", 0; n == 0 || after != ""; n++ {
		page, err := r.UsersWithin(t.Context(), q, after, limit, b)
		switch {
		case err != nil:
			t.Fatal(err)
		case len(page.Users) > limit, len(page.Users) < limit && page.Next != "" && !page.Cut, page.Cut && page.Next == "":
			t.Fatalf("a page of %d: %+v", limit, page)
		case n > 200:
			t.Fatal("the list does not end")
		}
		all, after = append(all, page.Users...), page.Next
	}
	return all
}

// Lists of users are what a plain model says, however far they look at a time.
func listsAreWhatAModelSays(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	queries, tenants := 4, 0
	if b.Name != "sqlite" {
		queries = 1
	}
	rapid.Check(t, func(t *rapid.T) {
		tenants++
		c := drawCrowd(t, fmt.Sprint("t", tenants))
		if err := l.Update(t.Context(), c.write); err != nil {
			t.Fatal(err)
		}
		for range queries {
			q := drawQuery(t, c)
			b := rapid.SampledFrom([]ledger.Bounds{
				{100, 0, 100, 100}, {100, 100, 100, 1}, {4, 3, 2, 1}, {2, 0, 5, 2}, {10_000, 10_000, 10_000, 100},
			}).Draw(t, "bounds")
			shown := fmt.Sprintf("%v, sorted by %q, descending %v, at %v, %+v, %v", q.Search, q.Sort, q.Descending, q.At, b, c.mode)
			want := c.list(q)
			if diff := cmp.Diff(want, allPages(t, l.Reader(), q, b), cmpopts.IgnoreUnexported(ledger.UserRow{}), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s: (-want +got)\n%s", shown, diff)
			}
			q.Counted = true
			page, err := l.Reader().UsersWithin(t.Context(), q, "", 1, b)
			n := page.Count
			if err != nil || !n.More && n.Users != len(want) || n.More && n.Users > len(want) || b.Most >= 100 && b.Set >= 100 && n.More {
				t.Fatalf("%s: counted %+v, %v, want %d", shown, n, err, len(want))
			}
		}
	})
}

// listsSayWhatTheyCannotTell asks for what there is not.
func listsSayWhatTheyCannotTell(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	c := crowd{tenant: "contoso", mode: licensing.GroupMembers}
	for i := range 5 {
		c.users = append(c.users, &crowdUser{number: i, groups: []string{"g"}, User: directory.User{ID: fmt.Sprint("u", i), Status: directory.Active}})
	}
	update(t, l, c.write)
	r, all := l.Reader(), ledger.UsersQuery{Tenant: "contoso", Product: "p"}
	for name, test := range map[string]struct {
		query ledger.UsersQuery
		after string
		want  error
	}{
		"tenant":         {ledger.UsersQuery{Tenant: "fabrikam", Product: "p"}, "", ledger.ErrNoTenant},
		"product":        {ledger.UsersQuery{Tenant: "contoso", Product: "q"}, "", ledger.ErrNoProduct},
		"page":           {all, "x", ledger.ErrNoPage},
		"another's page": {ledger.UsersQuery{Tenant: "contoso", Product: "p", Descending: true}, firstPage(t, r, all).Next, ledger.ErrNoPage},
	} {
		_, err := r.Users(t.Context(), test.query, test.after, 2)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Users(t.Context(), ledger.UsersQuery{Tenant: "contoso", Product: "p", Sort: "age"}, "", 2); err == nil {
		t.Error("sorted by age")
	}
	n := 0
	must(t, r.EachUser(t.Context(), all, func(u ledger.UserRow) error {
		if u.ID != fmt.Sprint("u", n) {
			t.Errorf("user %d is %s", n, u.ID)
		}
		n++
		return nil
	}))
	all.Counted = true
	same(t, "count", ledger.UsersCount{Users: 5}, firstPage(t, r, all).Count, nil)
	ended := errors.New("ended")
	same(t, "the first error ends it", true, errors.Is(r.EachUser(t.Context(), all, func(ledger.UserRow) error { return ended }), ended), nil)

	var err error
	all.Search, err = search.Parse("group:g@contoso.com OR group:h@contoso.com OR group:none@contoso.com")
	must(t, err)
	page := firstPage(t, r, all)
	same(t, "unknown", []string{"none@contoso.com"}, page.Unknown, nil)
	same(t, "unread", []string{"h@contoso.com"}, page.Unread, nil)
}

func firstPage(t *testing.T, r *ledger.Reader, q ledger.UsersQuery) ledger.UsersPage {
	t.Helper()
	page, err := r.Users(t.Context(), q, "", 2)
	if err != nil || len(page.Users) != 2 || page.Next == "" || page.Cut {
		t.Fatalf("first page: %+v, %v", page, err)
	}
	return page
}
