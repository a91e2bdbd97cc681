package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// audited is what an audit tells, a line for each change. Whatever the size of its pages, it is the same.
func audited(t *testing.T, c *recorded, q ledger.AuditQuery) (lines []string) {
	t.Helper()
	n := 0
	if err := c.r.Audit(t.Context(), q, func(ledger.Audited) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if n != len(lines) {
			t.Errorf("%d changes at once, %d in pages", n, len(lines))
		}
	}()
	err := c.r.AuditInPages(t.Context(), q, 2, func(a ledger.Audited) error {
		line := fmt.Sprintf("%s %d %s", a.Product, a.Sequence, strings.TrimSuffix(strings.TrimPrefix(a.Type, "io.rollcall."), ".v1"))
		if a.User != "" {
			line += fmt.Sprintf(" %s %v %s %v", a.Name, a.Licensed, a.Reason, a.Path)
		}
		if a.Data != nil {
			line += " " + string(a.Data)
		}
		lines = append(lines, line+" <- "+a.Cause)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// scene is what two tenants with the same ids have been through.
func scene(t *testing.T, b ledgertest.Backend, tenants ...string) *recorded {
	t.Helper()
	c := newRecorded(t, b)
	for _, tenant := range tenants {
		c.tenant(tenant, []string{"p", "q"}, []string{"ann", "Ann", "bob"}, []string{"g", "h"})
		c.decide(tenant, "p",
			decided{user: "ann", at: nine, licensed: true, reason: "domain-default", cause: tenant + ".1-1.0"},
			decided{user: "bob", at: nine, licensed: true, reason: "domain-default", cause: tenant + ".1-1.0"})
		c.decide(tenant, "q", decided{user: "bob", at: nine.Add(time.Minute), licensed: true, reason: "domain-default", cause: tenant + ".1-1.0"})
		c.record(tenant, "p", event.TypeHeldListed, nine.Add(2*time.Minute), tenant+".1-2.0", event.HeldListed{
			Tenant: tenant, Product: "p", Held: "flip-3", Revision: 1,
			Users: []event.HeldUser{{User: "bob", Listed: true, Reason: "not-a-member"}, {User: "Ann", Listed: true, Licensed: true}},
		})
		c.record(tenant, "p", event.TypePolicyChanged, nine.Add(3*time.Minute), tenant+".approve.k", event.PolicyChanged{
			Tenant: tenant, Product: "p", Mode: "group-members", Group: "g",
		})
		c.decide(tenant, "p",
			decided{user: "bob", at: nine.Add(4 * time.Minute), reason: "not-a-member", cause: tenant + ".p.4"},
			decided{user: "ann", at: nine.Add(4 * time.Minute), licensed: true, reason: "group-member", path: []string{"g", "h"}, cause: tenant + ".p.4"})
		c.record(tenant, "p", event.TypeLineChanged, nine.Add(5*time.Minute), tenant+".1-3.0", event.LineChanged{
			Tenant: tenant, Product: "p", User: "bob", Waiting: true, Place: 1,
		})
		for _, user := range []string{"Ann", "ann"} {
			c.record(tenant, "q", event.TypeUserActivated, nine.Add(6*time.Minute), tenant+".activation.k", event.UserActivated{
				Tenant: tenant, Product: "q", User: user, At: nine, By: "drive",
			})
		}
		c.cause(tenant, ledger.Cause{Event: tenant + ".1-1.0", Type: event.TypeDirectoryObserved, At: nine, Cause: tenant + ".refresh.day"})
		c.cause(tenant, ledger.Cause{Event: tenant + ".1-2.0", Type: event.TypeDirectoryObserved, At: nine, Cause: "NOTIFICATION"})
		c.cause(tenant, ledger.Cause{Event: tenant + ".approve.k", Type: event.TypeApproveRequested, At: nine, By: "ada-of-" + tenant})
	}
	return c
}

func audit(t *testing.T, b ledgertest.Backend) {
	c := scene(t, b, "contoso")
	const (
		annFirst = "p 1 license.granted contoso ann true domain-default [] <- contoso.1-1.0"
		bobFirst = "p 2 license.granted contoso bob true domain-default [] <- contoso.1-1.0"
		bobOfQ   = "q 1 license.granted contoso bob true domain-default [] <- contoso.1-1.0"
		list     = `p 3 held.listed {"tenant":"contoso","product":"p","held":"flip-3","revision":1,"users":[` +
			`{"user":"bob","listed":true,"licensed":false,"reason":"not-a-member"},{"user":"Ann","listed":true,"licensed":true}]} <- contoso.1-2.0`
		bobsList = `p 3 held.listed {"tenant":"contoso","product":"p","held":"flip-3","revision":1,"users":[` +
			`{"user":"bob","listed":true,"licensed":false,"reason":"not-a-member"}]} <- contoso.1-2.0`
		policy = `p 4 policy.changed {"tenant":"contoso","product":"p","mode":"group-members","group":"g"} <- contoso.approve.k`
		bobOut = "p 5 license.revoked contoso bob false not-a-member [] <- contoso.p.4"
		annIn  = "p 6 license.reason-changed contoso ann true group-member [{g contoso g} {h contoso h}] <- contoso.p.4"
		line   = `p 7 seats.line-changed {"tenant":"contoso","product":"p","user":"bob","waiting":true,"place":1} <- contoso.1-3.0`
	)
	signed := func(sequence int, user string) string {
		return fmt.Sprintf(`q %d user.activated {"tenant":"contoso","product":"q","user":%q,"at":%q,"by":"drive"} <- contoso.activation.k`,
			sequence, user, nine.Format(time.RFC3339Nano))
	}
	for name, c2 := range map[string]struct {
		q    ledger.AuditQuery
		want []string
	}{
		"tenant":  {ledger.AuditQuery{}, []string{annFirst, bobFirst, bobOfQ, list, policy, bobOut, annIn, line, signed(2, "Ann"), signed(3, "ann")}},
		"product": {ledger.AuditQuery{Product: "q"}, []string{bobOfQ, signed(2, "Ann"), signed(3, "ann")}},
		"bob":     {ledger.AuditQuery{User: "bob"}, []string{bobFirst, bobOfQ, bobsList, bobOut, line}},
		"ann":     {ledger.AuditQuery{User: "ann"}, []string{annFirst, annIn, signed(3, "ann")}}, // Ann is somebody else
		"since":   {ledger.AuditQuery{Product: "p", Since: nine.Add(4 * time.Minute)}, []string{bobOut, annIn, line}},
		"until":   {ledger.AuditQuery{Until: nine.Add(2 * time.Minute)}, []string{annFirst, bobFirst, bobOfQ}},
		"nothing": {ledger.AuditQuery{Since: nine.Add(time.Minute), Until: nine.Add(time.Minute)}, nil},
	} {
		c2.q.Tenant = "contoso"
		if diff := cmp.Diff(c2.want, audited(t, c, c2.q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for q, want := range map[ledger.AuditQuery]error{
		{Tenant: "fabrikam"}:                             ledger.ErrNoTenant,
		{Tenant: "contoso", Product: "r"}:                ledger.ErrNoProduct,
		{Tenant: "contoso", User: "cid"}:                 ledger.ErrNoUser,
		{Tenant: "contoso", User: "bob@shared.com"}:      ledger.ErrNoUser, // ids only: an address may be of several
		{Tenant: "contoso", Product: "q", User: `b%o"b`}: ledger.ErrNoUser,
	} {
		if err := c.r.Audit(t.Context(), q, func(ledger.Audited) error { return nil }); !errors.Is(err, want) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func chainsLeadDownToWhatStartedIt(t *testing.T, b ledgertest.Backend) {
	c := scene(t, b, "contoso")
	c.cause("contoso", ledger.Cause{Event: "contoso.1-9.0", Type: event.TypeDirectoryObserved, At: nine, Cause: "contoso.refresh.day.proof.0"})
	c.record("contoso", "p", event.TypeHeldClosed, nine, "contoso.reject.j", event.HeldClosed{By: "grace"})
	chains, err := c.r.Chains(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time remembered
		for id, want := range map[string]string{
			"contoso.p.4":     "policy.changed, command.approve-requested by ada-of-contoso",
			"contoso.1-1.0":   "directory.observed, command.refresh-requested",
			"contoso.1-2.0":   "directory.observed, notification.received",
			"contoso.1-9.0":   "directory.observed, command.read-requested, command.refresh-requested",
			"contoso.p.8":     "held.closed by grace, command.reject-requested",
			"contoso.p.99":    "?",
			"contoso.1-3.0":   "?", // it is not remembered
			"fabrikam.p.4":    "?",
			"contoso.seats.k": "command.seats-requested",
			"":                "",
		} {
			links, err := chains.Of(t.Context(), id)
			var got []string
			for _, l := range links {
				text := strings.TrimSuffix(strings.TrimPrefix(l.Type, "io.rollcall."), ".v1")
				if text == "" {
					text = "?"
				}
				if l.By != "" {
					text += " by " + l.By
				}
				got = append(got, text)
			}
			if strings.Join(got, ", ") != want || err != nil {
				t.Errorf("%s: %v, %v, want %s", id, got, err, want)
			}
		}
	}
}

// readersOfATenantNeverMeetAnother: two tenants share all their ids and addresses, and each is told its own alone.
func readersOfATenantNeverMeetAnother(t *testing.T, b ledgertest.Backend) {
	parked := func(c *recorded, tenant string) *recorded {
		c.hold(tenant, "p", ledger.Held{Ref: "flip-3", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Mode: "group-members", Group: "g", Grants: 1},
			ledger.HeldUser{Ref: "bob", Listed: true, Reason: "not-a-member"})
		c.write(func(tx *ledger.Tx) error { return tx.Join(c.products[tenant+" p"].ID, c.users[tenant+" bob"], 1) })
		return c
	}
	both := parked(parked(scene(t, b, "contoso", "fabrikam"), "contoso"), "fabrikam")
	for _, tenant := range []string{"contoso", "fabrikam"} {
		alone := parked(scene(t, b, tenant), tenant)
		if diff := cmp.Diff(everything(t, alone, tenant), everything(t, both, tenant)); diff != "" {
			t.Errorf("%s among others (-alone +both):\n%s", tenant, diff)
		}
	}
}

// everything is all that readers tell of a tenant.
func everything(t *testing.T, c *recorded, tenant string) (all []string) {
	t.Helper()
	ctx := t.Context()
	add := func(err error, format string, args ...any) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf(format, args...))
	}
	held, err := c.r.HeldChanges(ctx, tenant, true)
	add(err, "%d held", len(held))
	for _, h := range held {
		lines, err := c.r.HeldLines(ctx, h, 0, 10)
		add(err, "%s %s %d lines", listed(h), h.GroupName, len(lines))
		for _, l := range lines {
			add(nil, "%s %s %s", l.Name, l.WouldReason, l.Reason)
		}
	}
	add(nil, "%v", audited(t, c, ledger.AuditQuery{Tenant: tenant}))
	add(nil, "%v", audited(t, c, ledger.AuditQuery{Tenant: tenant, User: "bob"}))
	for _, product := range []string{"p", "q"} {
		add(c.r.Licenses(ctx, tenant, product, nine.Add(time.Hour), func(l ledger.License) error {
			add(nil, "%s %s %v %s", l.Name, l.Reason, l.Path, l.Cause)
			return nil
		}), "licenses of %s", product)
		add(c.r.SeatsMoments(ctx, tenant, product, func(m ledger.SeatsMoment) error {
			add(nil, "%d %d", m.Sequence, m.Delta)
			return nil
		}), "seats of %s", product)
		line, waiting, err := c.r.Line(ctx, tenant, product, 0, 10)
		add(err, "%d wait", waiting)
		for _, w := range line {
			add(nil, "%s at %d", w.Name, w.Place)
		}
		policy, found, err := c.r.PolicyAt(ctx, tenant, product, nine.Add(time.Hour))
		add(err, "%+v %v", policy, found)
		add(nil, "%s", parkedTextOf(t, c, tenant, "bob", product))
	}
	chains, err := c.r.Chains(ctx, tenant)
	add(err, "chains")
	for _, id := range []string{"contoso.p.4", "fabrikam.p.4", "contoso.approve.k", "fabrikam.approve.k"} {
		links, err := chains.Of(ctx, id)
		add(err, "%+v", links)
	}
	return all
}
