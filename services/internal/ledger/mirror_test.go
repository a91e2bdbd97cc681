package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

func usersComeInOrder(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	people(t, l, someone("b", directory.Active), someone("a", directory.Suspended), someone("c", directory.Active), someone("c", directory.Deleted))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		other, err := tx.Tenant("fabrikam")
		if err != nil {
			return err
		}
		if _, err := tx.PutUser(other, someone("a", directory.Active), ledger.Evidence{Stamp: at(1)}); err != nil {
			return err
		}
		// A user whom only a membership has named is known, and shown by no read.
		named, err := tx.PutMembership(here, directory.Membership{GroupID: "g", Kind: directory.UserMember, ID: "d", Present: true}, ledger.Evidence{Stamp: at(5)})
		if err != nil {
			return err
		}
		if u, err := tx.User(named.Member); err != nil || u.Ref != "d" || u.Known() {
			t.Errorf("named as a member: %+v, %v", u, err)
		}
		var refs []string
		for after := int64(0); ; {
			page, err := tx.UsersAfter(here.ID, after, 2)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, u := range page {
				refs = append(refs, fmt.Sprintf("%s %s %v", u.Ref, u.Status, u.Guest))
				after = u.ID
			}
		}
		want := []string{"b active false", "a suspended false", "c deleted false", "d  false"}
		if diff := cmp.Diff(want, refs); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
		if users, groups, err := tx.Live(here.ID); err != nil || users != 2 || groups != 0 {
			t.Errorf("live: %d users, %d groups, %v", users, groups, err)
		}
		return nil
	})
}

func groupsKeepTheirAddresses(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	put := func(tx *ledger.Tx, stamp uint64, g directory.Group, want ledger.GroupChange) int64 {
		t.Helper()
		got, err := tx.PutGroup(tenant(t, tx), g, ledger.Evidence{Stamp: at(stamp)})
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "ID"), cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%s at %d (-want +got), %v:\n%s", g.ID, stamp, err, diff)
		}
		return got.ID
	}
	const shared = "all@contoso.com"
	update(t, l, func(tx *ledger.Tx) error {
		id := tenant(t, tx).ID
		var path []int64
		for i, ref := range []string{"b", "a", "B"} { // by bytes, B comes first
			path = append(path, put(tx, uint64(i)+1, directory.Group{ID: ref, Name: ref, Addresses: []string{shared, shared}, Kind: directory.Security},
				ledger.GroupChange{Seen: ledger.Changed, Touched: []string{shared, shared}}))
		}
		if refs, err := tx.GroupsAt(id, shared); err != nil || !cmp.Equal(refs, []string{"B", "a", "b"}) {
			t.Errorf("groups at %s: %v, %v", shared, refs, err)
		}
		for i, want := range []string{"b", "a", "B"} {
			if ref, err := tx.GroupRef(path[i]); err != nil || ref != want {
				t.Errorf("group %d is %q, %v", path[i], ref, err)
			}
		}
		put(tx, 5, directory.Group{ID: "a", Name: "a", Addresses: []string{shared, shared}, Kind: directory.Security}, ledger.GroupChange{Seen: ledger.Same})
		put(tx, 6, directory.Group{ID: "a", Name: "A", Addresses: []string{"new@contoso.com"}, Kind: directory.Microsoft365},
			ledger.GroupChange{Seen: ledger.Changed, Touched: []string{shared, shared, "new@contoso.com"}})
		put(tx, 7, directory.Group{ID: "b", Deleted: true}, ledger.GroupChange{Seen: ledger.Changed, Removed: true, Ended: true, Touched: []string{shared, shared}})
		put(tx, 6, directory.Group{ID: "b", Name: "back"}, ledger.GroupChange{Seen: ledger.Stale})
		if refs, err := tx.GroupsAt(id, shared); err != nil || !cmp.Equal(refs, []string{"B"}) {
			t.Errorf("groups left at %s: %v, %v", shared, refs, err)
		}
		if g, found, err := tx.Group(id, "b"); err != nil || !found || !g.Deleted {
			t.Errorf("the tombstone: %+v, %v, %v", g, found, err)
		}
		if _, found, err := tx.Group(id, "c"); err != nil || found {
			t.Errorf("a group that is none: %v, %v", found, err)
		}
		return nil
	})
}

func membersAreOfThreeKinds(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	people(t, l, someone("ann", directory.Active), someone("bob", directory.Active))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		stamp := uint64(10)
		put := func(kind directory.MemberKind, id string, present bool, want ledger.MembershipChange) {
			t.Helper()
			stamp++
			got, err := tx.PutMembership(here, directory.Membership{GroupID: "g", Kind: kind, ID: id, Present: present}, ledger.Evidence{Stamp: at(stamp)})
			want.Group, want.Kind = "g", kind
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "Member", "GroupID")); diff != "" || err != nil {
				t.Errorf("%s %s (-want +got), %v:\n%s", kind, id, err, diff)
			}
		}
		members := func(when string, ann, bob bool) {
			t.Helper()
			g := groupOf(t, tx, "g")
			whole, err := tx.HoldsCustomer(g.ID)
			if err != nil {
				t.Fatal(err)
			}
			users, err := tx.UsersAfter(here.ID, 0, 9)
			if err != nil {
				t.Fatal(err)
			}
			var direct int
			for _, u := range users {
				in, err := tx.DirectGroups(u.ID)
				if err != nil {
					t.Fatal(err)
				}
				if want := map[string]bool{"ann": ann, "bob": bob}[u.Ref]; (whole || slices.Contains(in, g.ID)) != want {
					t.Errorf("%s: %s is a member: whole %v, direct of %v", when, u.Ref, whole, in)
				}
				direct += len(in)
			}
			if listed, err := tx.DirectMembers(g.ID, 9); err != nil || len(listed) != direct {
				t.Errorf("%s: direct members %v, %v; want %d", when, listed, err, direct)
			}
		}
		put(directory.UserMember, "ann", false, ledger.MembershipChange{Seen: ledger.Same})
		members("nobody", false, false)
		put(directory.UserMember, "ann", true, ledger.MembershipChange{Seen: ledger.Changed})
		members("a user", true, false)
		put(directory.UserMember, "ann", false, ledger.MembershipChange{Seen: ledger.Changed, Removed: true})
		put(directory.CustomerMember, "", true, ledger.MembershipChange{Seen: ledger.Changed})
		members("everybody", true, true)
		put(directory.CustomerMember, "", false, ledger.MembershipChange{Seen: ledger.Changed, Removed: true})
		put(directory.GroupMember, "h", true, ledger.MembershipChange{Seen: ledger.Changed})
		put(directory.OtherMember, "contact", true, ledger.MembershipChange{Seen: ledger.Same})
		inside, err := tx.Inside(groupOf(t, tx, "g").ID)
		if err != nil || len(inside) != 1 {
			t.Fatalf("a group is a member: %v, %v", inside, err)
		}
		if ref, err := tx.GroupRef(inside[0]); err != nil || ref != "h" {
			t.Errorf("which is %q, %v", ref, err)
		}
		return nil
	})
}

func groupOf(t *testing.T, tx *ledger.Tx, ref string) ledger.Group {
	t.Helper()
	g, _, err := tx.Group(tenant(t, tx).ID, ref)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func candidates(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	people(t, l, someone("ann", directory.Active), someone("bob", directory.Deleted), someone("cid", directory.Active))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		for i, g := range []directory.Group{{ID: "g"}, {ID: "h", Deleted: true}, {ID: "i"}} {
			if _, err := tx.PutGroup(here, g, ledger.Evidence{Stamp: at(uint64(i) + 1)}); err != nil {
				return err
			}
		}
		shown := []directory.Membership{
			{GroupID: "g", Kind: directory.UserMember, ID: "ann", Present: true},
			{GroupID: "g", Kind: directory.GroupMember, ID: "i", Present: true},
			{GroupID: "g", Kind: directory.CustomerMember, Present: true},
			{GroupID: "g", Kind: directory.UserMember, ID: "cid", Present: false},
			{GroupID: "g", Kind: directory.UserMember, ID: "dan", Present: true},
		}
		for i, m := range shown {
			if _, err := tx.PutMembership(here, m, ledger.Evidence{Stamp: at(uint64(i) + 1)}); err != nil {
				return err
			}
		}
		if refs, err := tx.UsersBefore(here.ID, at(3)); err != nil || !cmp.Equal(refs, []string{"ann"}) {
			t.Errorf("users: %v, %v", refs, err)
		}
		if refs, err := tx.GroupsBefore(here.ID, at(9)); err != nil || !cmp.Equal(refs, []string{"g", "i"}) {
			t.Errorf("groups: %v, %v", refs, err)
		}
		members, err := tx.MembersBefore(groupOf(t, tx, "g"), at(5))
		if diff := cmp.Diff([]directory.Membership{shown[0], shown[1], shown[2]}, members); diff != "" || err != nil {
			t.Errorf("members (-want +got), %v:\n%s", err, diff)
		}
		before := tx.RowsWritten()
		if err := tx.PurgeMembers(groupOf(t, tx, "g"), at(4), time.Time{}); err != nil || tx.RowsWritten() != before {
			t.Errorf("a tombstone of that stamp went: %v", err)
		}
		if err := tx.PurgeMembers(groupOf(t, tx, "g"), at(5), time.Time{}); err != nil || tx.RowsWritten() != before+1 {
			t.Errorf("purged %d, %v", tx.RowsWritten()-before, err)
		}
		return nil
	})
}

// What one directory lets in, another database may not hold: one odd object must not stop the others.
func oddTextsAreHeld(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	long := "x@" + strings.Repeat("long.", 2000) + "example"
	odd := directory.User{ID: "odd", Name: "Zoë\x00 𝒵 \xff", Addresses: []string{"o\x00d@contoso.com", "odd@contoso.com", long}, Status: directory.Active}
	for round, want := range []ledger.Seen{ledger.Changed, ledger.Same} {
		update(t, l, func(tx *ledger.Tx) error {
			c, err := tx.PutUser(tenant(t, tx), odd, ledger.Evidence{Stamp: at(uint64(round) + 1)})
			if c.Seen != want {
				t.Errorf("user: %v, want %v", c.Seen, want)
			}
			if err != nil {
				return err
			}
			g, err := tx.PutGroup(tenant(t, tx), directory.Group{ID: "g", Name: odd.Name, Addresses: odd.Addresses}, ledger.Evidence{Stamp: at(uint64(round) + 1)})
			if g.Seen != want {
				t.Errorf("group: %v, want %v", g.Seen, want)
			}
			return err
		})
	}
	u, err := l.Reader().FindUser(t.Context(), "contoso", "ODD@contoso.com")
	if diff := cmp.Diff([]string{"o\uFFFDd@contoso.com", "odd@contoso.com"}, u.Addresses); diff != "" || err != nil || u.Name != "Zoë\uFFFD 𝒵 \uFFFD" {
		t.Errorf("%q, %v, addresses (-want +got):\n%s", u.Name, err, diff)
	}
	for _, ref := range []string{"\x00", "\xff", long} {
		if found, err := l.Reader().FindUsers(t.Context(), "contoso", ref); err != nil || len(found) != 0 {
			t.Errorf("%.9q: %v, %v", ref, found, err)
		}
		if _, err := l.Reader().Tenant(t.Context(), ref); err == nil {
			t.Errorf("%.9q is a tenant", ref)
		}
	}
}

func decisionsHaveAHistory(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	people(t, l, someone("ann", directory.Active))
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		if _, err := tx.EnsureProduct(here.ID, "p", "p@contoso.com"); err != nil {
			return err
		}
		products, err := tx.Products(here.ID)
		if err != nil {
			return err
		}
		product := products[0].ID
		if _, found, err := tx.Entitlement(product, 1); err != nil || found {
			t.Errorf("a decision before there is one: %v, %v", found, err)
		}
		var before *ledger.Entitlement
		for i, e := range []ledger.Entitlement{
			{Licensed: true, Since: nine, Reason: string(licensing.DomainDefault)},
			{Licensed: true, Since: nine, Reason: string(licensing.GroupMember), Path: []int64{7, 8}},
			{Licensed: false, Since: nine.AddDate(0, 0, 1), Reason: string(licensing.Suspended)},
		} {
			e.Product, e.User, e.Sequence = product, 1, uint64(i)+1
			if err := tx.Transition(before, e, nine.AddDate(0, 0, i), fmt.Sprint("cause ", i)); err != nil {
				return err
			}
			got, found, err := tx.Entitlement(product, 1)
			if diff := cmp.Diff(e, got); diff != "" || !found || err != nil {
				t.Errorf("decision %d (-want +got), %v, %v:\n%s", i, found, err, diff)
			}
			if before != nil && e.Says(*before) {
				t.Errorf("decision %d says what the one before did", i)
			}
			before = &e
		}
		return nil
	})
}
