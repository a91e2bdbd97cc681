package centertest

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// The products of the tenants.
const (
	Share = "secure-share" // for the members of the group sales, which is in the provisioning group
	Drive = "drive"        // for all users; one seat was purchased, and is a limit
)

// Held is the held change of Share that waits: the revocation of dan.
const Held = "revocations-2"

// People are the users of a tenant, by id. Each has the address <id>@<tenant>.com; the twins have twin@<tenant>.com as well.
var People = []directory.User{
	{ID: "ada", Status: directory.Active},              // member of sales; has the one seat of Drive
	{ID: "bob", Status: directory.Active},              // never licensed for Share
	{ID: "cid", Status: directory.Suspended},           // was a member
	{ID: "dan", Status: directory.Active},              // keeps the license that a held change would take
	{ID: "eve", Status: directory.Active},              // waits for a seat of Drive
	{ID: "gus", Status: directory.Active, Guest: true}, // of another directory
	{ID: "twin-1", Status: directory.Active},
	{ID: "twin-2", Status: directory.Active},
}

// filling is one tenant that is being written.
type filling struct {
	name     string
	tx       *ledger.Tx
	tenant   ledger.Tenant
	products map[string]*ledger.Product
	users    map[string]int64
	groups   map[string]int64
	err      error
}

func (h *House) fill(name string) {
	h.tb.Helper()
	h.Write(func(tx *ledger.Tx) error {
		f := &filling{name: name, tx: tx, products: map[string]*ledger.Product{}, users: map[string]int64{}, groups: map[string]int64{}}
		f.mirror()
		f.decide()
		f.park()
		return f.err
	})
}

func (f *filling) do(err error) {
	if f.err == nil {
		f.err = err
	}
}

// mirror writes the directory, as a complete read has shown it.
func (f *filling) mirror() {
	var err error
	f.tenant, err = f.tx.Tenant(f.name)
	f.do(err)
	stamp := directory.Stamp{Epoch: 1, Counter: 1}
	f.tenant.Seen, f.tenant.Snapshot, f.tenant.SnapshotAt, f.tenant.RoundBegan = stamp, stamp, Nine, Nine.Add(time.Hour)
	f.do(f.tx.SaveTenant(f.tenant))
	seen := ledger.Evidence{Stamp: stamp, At: Nine}
	for _, u := range People {
		u.Name = f.name + " " + u.ID
		u.Addresses = []string{u.ID + "@" + f.name + ".com"}
		if u.ID == "twin-1" || u.ID == "twin-2" {
			u.Addresses = append(u.Addresses, "twin@"+f.name+".com")
		}
		change, err := f.tx.PutUser(f.tenant, u, seen)
		f.do(err)
		f.users[u.ID] = change.ID
	}
	for _, g := range []directory.Group{
		{ID: "provisioning", Addresses: []string{"virtru-secure-share-provisioning-group@" + f.name + ".com"}},
		{ID: "sales", Addresses: []string{"sales@" + f.name + ".com"}},
	} {
		g.Name, g.Kind = f.name+" "+g.ID, directory.Security
		change, err := f.tx.PutGroup(f.tenant, g, seen)
		f.do(err)
		f.groups[g.ID] = change.ID
	}
	for _, m := range []directory.Membership{
		{GroupID: "provisioning", Kind: directory.GroupMember, ID: "sales", Present: true},
		{GroupID: "sales", Kind: directory.UserMember, ID: "ada", Present: true},
		{GroupID: "sales", Kind: directory.UserMember, ID: "cid", Present: true},
	} {
		_, err := f.tx.PutMembership(f.tenant, m, seen)
		f.do(err)
	}
	for product, group := range map[string]string{Share: "virtru-secure-share-provisioning-group", Drive: "virtru-drive-provisioning-group"} {
		_, err := f.tx.EnsureProduct(f.tenant.ID, product, group+"@"+f.name+".com")
		f.do(err)
	}
	all, err := f.tx.Products(f.tenant.ID)
	f.do(err)
	for _, p := range all {
		p.State.Phase = licensing.InForce
		f.products[p.Name] = &p
	}
}

// decide writes the decisions and their history.
func (f *filling) decide() {
	if f.err != nil {
		return
	}
	share, drive := f.products[Share], f.products[Drive]
	share.State.Policy = licensing.Policy{Mode: licensing.GroupMembers, Group: "provisioning"}
	share.Seats = licensing.Seats{Purchased: 3}
	drive.State.Policy = licensing.Policy{Mode: licensing.AllUsers}
	drive.Seats = licensing.Seats{Purchased: 1, Enforce: true}

	path := []int64{f.groups["provisioning"], f.groups["sales"]}
	member := func(e ledger.Entitlement) ledger.Entitlement {
		e.Licensed, e.Reason, e.Path = true, string(licensing.GroupMember), path
		return e
	}
	ada, cid, dan := f.begin(share, "ada"), f.begin(share, "cid"), f.begin(share, "dan")
	f.transition(share, nil, member(ada), Nine, "read")
	first := f.transition(share, nil, member(cid), Nine, "read")
	next := f.transition(share, nil, member(dan), Nine, "read")
	cid.Reason = string(licensing.Suspended)
	f.transition(share, &first, cid, Nine.Add(time.Hour), "suspended")
	dan.Licensed, dan.Reason, dan.Against = true, string(licensing.Held), string(licensing.NotAMember)
	dan.Since = next.Since
	f.transition(share, &next, dan, Nine.Add(2*time.Hour), "left")
	has := f.begin(drive, "ada")
	has.Licensed, has.Reason = true, string(licensing.DomainDefault)
	f.transition(drive, nil, has, Nine, "read")
	_, _, err := f.tx.Activate(f.tenant.ID, share.ID, "ada", Nine.Add(time.Minute))
	f.do(err)
	drive.Line = 1
	f.do(f.tx.SaveProduct(*drive))
}

func (f *filling) begin(p *ledger.Product, user string) ledger.Entitlement {
	return ledger.Entitlement{Product: p.ID, User: f.users[user]}
}

func (f *filling) transition(p *ledger.Product, before *ledger.Entitlement, e ledger.Entitlement, at time.Time, cause string) ledger.Entitlement {
	p.Sequence++
	e.Sequence = p.Sequence
	if e.Since.IsZero() {
		e.Since = at
	}
	f.do(f.tx.Transition(before, e, at, f.name+"."+cause))
	switch had := before != nil && before.Licensed; {
	case e.Licensed && !had:
		p.Used++
	case had && !e.Licensed:
		p.Used--
	}
	f.do(f.tx.SaveProduct(*p))
	return e
}

// park writes who waits, and what is held.
func (f *filling) park() {
	if f.err != nil {
		return
	}
	f.do(f.tx.Join(f.products[Drive].ID, f.users["eve"], 1))
	f.hold(ledger.Held{
		Ref: "flip-1", Kind: ledger.HeldFlip, State: ledger.HeldRejected, Revision: 1, Mode: "group-members", Group: "sales",
		OpenedAt: Nine, ExpiresAt: Nine.AddDate(0, 0, 7), ClosedAt: Nine.Add(time.Minute), ClosedBy: "grace", Grants: 1,
	}, ledger.HeldUser{Ref: "bob", Revision: 1, Listed: true, Licensed: true, Reason: string(licensing.GroupMember)})
	f.hold(ledger.Held{
		Ref: Held, Kind: ledger.HeldRevocations, State: ledger.HeldOpen, Revision: 4, OpenedAt: Nine.Add(2 * time.Hour),
		ExpiresAt: Nine.AddDate(0, 0, 7), Revocations: 2, Cause: f.name + ".left",
	},
		ledger.HeldUser{Ref: "ada", Revision: 3, Listed: true, Reason: string(licensing.NotAMember)},
		ledger.HeldUser{Ref: "dan", Revision: 4, Listed: true, Reason: string(licensing.NotAMember)})
}

func (f *filling) hold(h ledger.Held, lines ...ledger.HeldUser) {
	h.Product = f.products[Share].ID
	stored, err := f.tx.AddHeld(h)
	f.do(err)
	h.ID = stored.ID
	for _, line := range lines {
		line.User = f.users[line.Ref]
		f.do(f.tx.PutHeldUser(h.ID, line))
	}
	f.do(f.tx.SaveHeld(h))
}
