package ledger_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// TestReaders has the questions of operators and auditors answered on every database.
func TestReaders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, ledgertest.Backend){
		"held changes":                              heldChanges,
		"their lists come in pages":                 listsOfHeldChangesComeInPages,
		"what is parked of a user":                  parkedSaysWhatStandsBetween,
		"who held a license when":                   licensesAsOf,
		"the use of seats adds up":                  seatsMomentsAddUp,
		"the policy of a moment":                    policyAt,
		"an audit tells every change":               audit,
		"activity is an audit backwards":            activityIsAnAuditBackwards,
		"chains lead down to what started them":     chainsLeadDownToWhatStartedIt,
		"tenants that share ids never meet":         readersOfATenantNeverMeetAnother,
		"tenants are told as a whole, and by names": tenantsAsAWhole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledgertest.Each(t, test)
		})
	}
}

func tenantsAsAWhole(t *testing.T, b ledgertest.Backend) {
	c := newRecorded(t, b)
	c.tenant("contoso", nil, nil, nil)
	c.tenant("fabrikam", nil, nil, nil)
	c.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant("fabrikam")
		t.Frozen = true
		if err != nil {
			return err
		}
		return tx.SaveTenant(t)
	})
	all, err := c.r.Tenants(t.Context())
	if err != nil || len(all) != 2 || all["contoso"].Frozen || !all["fabrikam"].Frozen {
		t.Errorf("%+v, %v", all, err)
	}
}

// recorded is a ledger that a test fills as a worker would.
type recorded struct {
	t *testing.T
	l *ledger.Ledger
	r *ledger.Reader

	products map[string]*ledger.Product
	users    map[string]int64
	groups   map[string]int64
	stands   map[string]ledger.Entitlement
}

func newRecorded(t *testing.T, b ledgertest.Backend) *recorded {
	t.Helper()
	l := open(t, b.Address(t))
	return &recorded{
		t: t, l: l, r: l.Reader(), products: map[string]*ledger.Product{}, users: map[string]int64{},
		groups: map[string]int64{}, stands: map[string]ledger.Entitlement{},
	}
}

func (c *recorded) write(do func(*ledger.Tx) error) {
	c.t.Helper()
	update(c.t, c.l, do)
}

// tenant makes a tenant with products, users and groups, whose names begin with the tenant's: ids may be those of others.
func (c *recorded) tenant(name string, products, users, groups []string) {
	c.t.Helper()
	c.write(func(tx *ledger.Tx) error {
		tenant, err := tx.Tenant(name)
		if err != nil {
			return err
		}
		for _, p := range products {
			if _, err := tx.EnsureProduct(tenant.ID, p, p+"@"+name+".com"); err != nil {
				return err
			}
		}
		all, err := tx.Products(tenant.ID)
		if err != nil {
			return err
		}
		for _, p := range all {
			c.products[name+" "+p.Name] = &p
		}
		for i, id := range users {
			change, err := tx.PutUser(tenant, directory.User{
				ID: id, Name: name + " " + id, Addresses: []string{id + "@shared.com"}, Status: directory.Active,
			}, ledger.Evidence{Stamp: at(uint64(i) + 1)})
			if err != nil {
				return err
			}
			c.users[name+" "+id] = change.ID
		}
		for _, id := range groups {
			change, err := tx.PutGroup(tenant, directory.Group{ID: id, Name: name + " " + id}, ledger.Evidence{Stamp: at(1)})
			if err != nil {
				return err
			}
			c.groups[name+" "+id] = change.ID
		}
		return nil
	})
}

// product changes what is kept of a product.
func (c *recorded) product(tenant, product string, change func(*ledger.Product)) {
	c.t.Helper()
	p := c.products[tenant+" "+product]
	change(p)
	c.write(func(tx *ledger.Tx) error { return tx.SaveProduct(*p) })
}

// decided is one license event.
type decided struct {
	user     string
	at       time.Time
	licensed bool
	reason   string
	path     []string
	against  string
	cause    string
}

// decide writes license events of a product, one after the other.
func (c *recorded) decide(tenant, product string, all ...decided) {
	c.t.Helper()
	p := c.products[tenant+" "+product]
	c.write(func(tx *ledger.Tx) error {
		for _, d := range all {
			p.Sequence++
			key := tenant + " " + product + " " + d.user
			next := ledger.Entitlement{
				Product: p.ID, User: c.users[tenant+" "+d.user], Licensed: d.licensed, Since: d.at, Reason: d.reason,
				Sequence: p.Sequence, Against: d.against,
			}
			for _, g := range d.path {
				next.Path = append(next.Path, c.groups[tenant+" "+g])
			}
			var before *ledger.Entitlement
			if known, found := c.stands[key]; found {
				before = &known
				if known.Licensed == next.Licensed {
					next.Since = known.Since
				}
			}
			if err := tx.Transition(before, next, d.at, d.cause); err != nil {
				return err
			}
			c.stands[key] = next
		}
		return tx.SaveProduct(*p)
	})
}

// record writes an event of a product that is no license event, and returns its sequence.
func (c *recorded) record(tenant, product, eventType string, at time.Time, cause string, data any) uint64 {
	c.t.Helper()
	p := c.products[tenant+" "+product]
	p.Sequence++
	body, err := json.Marshal(data)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(func(tx *ledger.Tx) error {
		if err := tx.PutRecord(ledger.Record{Product: p.ID, Sequence: p.Sequence, Type: eventType, At: at, Cause: cause, Data: body}); err != nil {
			return err
		}
		return tx.SaveProduct(*p)
	})
	return p.Sequence
}

// cause writes a message that had effects.
func (c *recorded) cause(tenant string, cause ledger.Cause) {
	c.t.Helper()
	c.write(func(tx *ledger.Tx) error {
		t, err := tx.Tenant(tenant)
		if err != nil {
			return err
		}
		return tx.PutCause(t.ID, cause)
	})
}

// hold writes a held change with its list, in order.
func (c *recorded) hold(tenant, product string, h ledger.Held, lines ...ledger.HeldUser) ledger.Held {
	c.t.Helper()
	h.Product = c.products[tenant+" "+product].ID
	c.write(func(tx *ledger.Tx) error {
		stored, err := tx.AddHeld(h)
		if err != nil {
			return err
		}
		h.ID = stored.ID
		for _, line := range lines {
			line.User = c.users[tenant+" "+line.Ref]
			if err := tx.PutHeldUser(h.ID, line); err != nil {
				return err
			}
		}
		return tx.SaveHeld(h)
	})
	return h
}

func (c *recorded) user(tenant, id string) ledger.UserState {
	c.t.Helper()
	u, err := c.r.FindUser(c.t.Context(), tenant, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return u
}
