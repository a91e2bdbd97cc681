package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// listed is what is looked at of a held change.
func listed(h ledger.HeldChange) string {
	return fmt.Sprintf("%s %s %s %s %d of %d", h.Tenant, h.ProductID, h.Ref, h.State, h.Applied, h.All)
}

func heldChanges(t *testing.T, b ledgertest.Backend) {
	c := newRecorded(t, b)
	c.tenant("contoso", []string{"p", "q"}, []string{"ann", "bob", "cid"}, []string{"g", "h"})
	c.product("contoso", "p", func(p *ledger.Product) {
		p.State.Policy = licensing.Policy{Mode: licensing.GroupMembers, Group: "h"}
		p.Used, p.Seats = 7, licensing.Seats{Purchased: 9, Enforce: true}
	})
	c.hold("contoso", "p", ledger.Held{Ref: "revocations-3", Kind: ledger.HeldRevocations, State: ledger.HeldRejected, Revision: 1, Revocations: 2, ClosedAt: nine, ClosedBy: "ada"})
	c.hold("contoso", "p", ledger.Held{
		Ref: "flip-9", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 4, Mode: "group-members", Group: "g", Grants: 1, Revocations: 2,
		OpenedAt: nine, ExpiresAt: nine.Add(time.Hour),
	})
	c.hold("contoso", "q", ledger.Held{Ref: "flip-9", Kind: ledger.HeldFlip, State: ledger.HeldApproved, Revision: 1, Grants: 1, Applied: 2})
	c.hold("contoso", "q", ledger.Held{Ref: "listing-refresh", Kind: ledger.HeldRefresh, State: ledger.HeldListing, Revision: 1, Grants: 4, Revocations: 1})

	for name, want := range map[bool][]string{
		false: {"contoso p flip-9 open 0 of 3", "contoso q flip-9 approved 2 of 3", "contoso q listing-refresh listing 0 of 5"},
		true: {
			"contoso p revocations-3 rejected 0 of 2", "contoso p flip-9 open 0 of 3", "contoso q flip-9 approved 2 of 3",
			"contoso q listing-refresh listing 0 of 5",
		},
	} {
		for _, tenant := range []string{"", "contoso"} {
			all, err := c.r.HeldChanges(t.Context(), tenant, name)
			var got []string
			for _, h := range all {
				got = append(got, listed(h))
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("of %q, closed %v (-want +got), %v:\n%s", tenant, name, err, diff)
			}
		}
	}
	flip, err := c.r.HeldChange(t.Context(), "contoso", "p", "flip-9")
	if err != nil || flip.GroupName != "contoso g" || flip.InForceName != "contoso h" || flip.InForce.Group != "h" || flip.Licensed != 7 ||
		flip.Seats.Purchased != 9 || !flip.ExpiresAt.Equal(nine.Add(time.Hour)) || flip.Revision != 4 {
		t.Errorf("the flip: %+v, %v", flip, err)
	}
	for _, asked := range []struct {
		tenant, product, ref string
		err                  error
	}{
		{"contoso", "", "flip-9", ledger.ErrManyHeld},
		{"contoso", "", "revocations-3", nil},
		{"contoso", "q", "revocations-3", ledger.ErrNoHeld},
		{"contoso", "q", "listing-refresh", ledger.ErrNoHeld}, // it has no id yet
		{"fabrikam", "p", "flip-9", ledger.ErrNoTenant},
	} {
		if _, err := c.r.HeldChange(t.Context(), asked.tenant, asked.product, asked.ref); !errors.Is(err, asked.err) {
			t.Errorf("%+v: %v", asked, err)
		}
	}
	if _, err := c.r.HeldChanges(t.Context(), "fabrikam", true); !errors.Is(err, ledger.ErrNoTenant) {
		t.Errorf("another tenant: %v", err)
	}
}

func listsOfHeldChangesComeInPages(t *testing.T, b ledgertest.Backend) {
	c := newRecorded(t, b)
	c.tenant("contoso", []string{"p"}, []string{"ann", "bob", "cid", "dan"}, nil)
	c.decide("contoso", "p", decided{user: "bob", at: nine, licensed: true, reason: "domain-default"})
	held := c.hold("contoso", "p", ledger.Held{Ref: "flip-9", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 2},
		ledger.HeldUser{Ref: "dan", Revision: 1, Listed: true, Licensed: true, Reason: "group-member"},
		ledger.HeldUser{Ref: "cid", Revision: 2, Listed: false},
		ledger.HeldUser{Ref: "bob", Revision: 2, Listed: true, Reason: "not-a-member"},
		ledger.HeldUser{Ref: "ann", Revision: 1, Listed: true, Reason: "guest"},
	)
	change := ledger.HeldChange{Held: held}
	var got []ledger.HeldLine
	for after := int64(0); ; after = got[len(got)-1].Number {
		page, err := c.r.HeldLines(t.Context(), change, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page...)
		if len(page) < 2 {
			break
		}
	}
	want := []ledger.HeldLine{
		{User: "ann", Name: "contoso ann", Addresses: []string{"ann@shared.com"}, Status: directory.Active, Revision: 1, WouldReason: "guest"},
		{
			User: "bob", Name: "contoso bob", Addresses: []string{"bob@shared.com"}, Status: directory.Active, Revision: 2, WouldReason: "not-a-member",
			Licensed: true, Reason: "domain-default", Since: nine,
		},
		{User: "dan", Name: "contoso dan", Addresses: []string{"dan@shared.com"}, Status: directory.Active, Revision: 1, Would: true, WouldReason: "group-member"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(ledger.HeldLine{}, "Number")); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	names, err := c.r.Names(t.Context(), "contoso", []string{"ann", "nobody"})
	if err != nil || len(names) != 1 || names["ann"].Name != "contoso ann" {
		t.Errorf("names: %+v, %v", names, err)
	}
}

func parkedSaysWhatStandsBetween(t *testing.T, b ledgertest.Backend) {
	c := newRecorded(t, b)
	c.tenant("contoso", []string{"p", "q"}, []string{"ann", "bob", "cid", "dan"}, nil)
	held := decided{at: nine, licensed: true, reason: "held", against: "not-a-member"}
	for _, user := range []string{"ann", "bob", "cid"} {
		held.user = user
		c.decide("contoso", "p", held)
	}
	no := func(user string) ledger.HeldUser {
		return ledger.HeldUser{Ref: user, Revision: 1, Listed: true, Reason: "not-a-member"}
	}
	c.hold("contoso", "p", ledger.Held{Ref: "revocations-1", Kind: ledger.HeldRevocations, State: ledger.HeldRejected, ClosedAt: nine, ClosedBy: "ada"}, no("ann"), no("bob"))
	c.hold("contoso", "p", ledger.Held{Ref: "revocations-5", Kind: ledger.HeldRevocations, State: ledger.HeldExpired, ClosedAt: nine.Add(time.Hour)}, no("ann"))
	c.hold("contoso", "p", ledger.Held{Ref: "flip-7", Kind: ledger.HeldFlip, State: ledger.HeldOpen}, no("bob"), no("cid"))
	c.hold("contoso", "p", ledger.Held{Ref: "revocations-8", Kind: ledger.HeldRevocations, State: ledger.HeldOpen}, no("cid"))
	c.hold("contoso", "q", ledger.Held{Ref: "flip-1", Kind: ledger.HeldFlip, State: ledger.HeldOpen}, no("dan"))
	c.write(func(tx *ledger.Tx) error {
		for place, user := range []string{"dan", "cid"} {
			if err := tx.Join(c.products["contoso q"].ID, c.users["contoso "+user], int64(place)+4); err != nil {
				return err
			}
		}
		return nil
	})
	for user, want := range map[string]string{
		"ann": "[] rejected revocations-5 against not-a-member, waiting false 0 0",
		"bob": "[flip-7] rejected revocations-1 against not-a-member, waiting false 0 0",
		"cid": "[flip-7 revocations-8] rejected  against not-a-member, waiting false 0 0",
		"dan": "[] rejected  against , waiting false 0 0",
	} {
		if got := parkedText(t, c, user, "p"); got != want {
			t.Errorf("%s: %s, want %s", user, got, want)
		}
	}
	for user, want := range map[string]string{
		"dan": "[flip-1] rejected  against , waiting true 4 1",
		"cid": "[] rejected  against , waiting true 5 2",
	} {
		if got := parkedText(t, c, user, "q"); got != want {
			t.Errorf("%s for q: %s, want %s", user, got, want)
		}
	}
	line, waiting, err := c.r.Line(t.Context(), "contoso", "q", 4, 10)
	if err != nil || waiting != 2 || len(line) != 1 || line[0].User != "cid" || line[0].Place != 5 || line[0].Name != "contoso cid" {
		t.Errorf("the line: %+v, %d, %v", line, waiting, err)
	}
}

func parkedText(t *testing.T, c *recorded, user, product string) string {
	t.Helper()
	return parkedTextOf(t, c, "contoso", user, product)
}

func parkedTextOf(t *testing.T, c *recorded, tenant, user, product string) string {
	t.Helper()
	p, err := c.r.Parked(t.Context(), c.user(tenant, user), product)
	if err != nil {
		t.Fatal(err)
	}
	held, rejected := []string{}, ""
	for _, h := range p.Held {
		held = append(held, h.Ref)
	}
	if p.Rejected != nil {
		rejected = p.Rejected.Ref
	}
	return fmt.Sprintf("%v rejected %s against %s, waiting %v %d %d", held, rejected, p.Against, p.Waiting, p.Place, p.InLine)
}
