package rebuild

import (
	"fmt"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// product is a tenant's product that is being brought back.
type product struct {
	ledger.Product
	tenant  string
	erased  bool // the registry knows no such tenant: only the sequence is kept
	dirty   bool
	settled bool // the policy is known from its own event
	// The policy as decisions tell it, with the sequence of the one that did.
	guess    licensing.Policy
	guessed  uint64
	settings *event.SettingsChanged
	// What keeps the connection from working; nil: nothing does.
	degraded *event.Degraded
	// What was told of its credential, which ends soon; nil: nothing, or there is another.
	expiring *event.CredentialExpiring
	held     map[string]*ledger.Held // by id
	waiting  map[int64]int64         // place, by user
}

// of returns the product that a message is of, making it and its tenant where they are new. Subjects end in
// <tenant>.<product>.<what>… behind a prefix.
func (r *rebuilder) of(tx *ledger.Tx, m bus.Message, prefix string) (*product, error) {
	tokens := strings.SplitN(strings.TrimPrefix(m.Subject, prefix), ".", 3)
	if len(tokens) < 3 {
		return nil, fmt.Errorf("subject %q names no product", m.Subject)
	}
	key := tokens[0] + "." + tokens[1]
	if p, known := r.products[key]; known {
		return p, nil
	}
	registered, known := r.registry[tokens[0]]
	address := ""
	if named, has := registered.Product(tokens[1]); has {
		address = registered.GroupAddress(named)
	}
	t, err := tx.Tenant(tokens[0])
	if err != nil {
		return nil, err
	}
	if t.Part < 0 {
		r.report.Tenants++
	}
	t.Part, t.Restoring = r.deps.Bus.Partition(t.Name), known
	if err := tx.SaveTenant(t); err != nil {
		return nil, err
	}
	if _, err := tx.EnsureProduct(t.ID, tokens[1], address); err != nil {
		return nil, err
	}
	all, err := tx.Products(t.ID)
	if err != nil {
		return nil, err
	}
	p := &product{tenant: t.Name, erased: !known, held: map[string]*ledger.Held{}, waiting: map[int64]int64{}}
	for _, stored := range all {
		if stored.Name == tokens[1] {
			p.Product = stored
		}
	}
	r.products[key], r.order = p, append(r.order, p)
	r.report.Products++
	return p, nil
}

// save stores the products that have changed in a transaction.
func (r *rebuilder) save(tx *ledger.Tx) error {
	for _, p := range r.order {
		if !p.dirty {
			continue
		}
		if err := tx.SaveProduct(p.Product); err != nil {
			return err
		}
		p.dirty = false
	}
	return nil
}

// seen notes an event's sequence.
func (p *product) seen(sequence uint64) {
	if sequence > p.Sequence {
		p.Sequence, p.dirty = sequence, true
	}
}

// policy learns the policy from a decision, for a product whose own event about it is forgotten.
func (p *product) policy(e event.Entitlement, sequence uint64) {
	if sequence < p.guessed {
		return
	}
	switch licensing.Reason(e.Reason) {
	case licensing.GroupMember:
		if len(e.Path) > 0 {
			p.guess, p.guessed = licensing.Policy{Mode: licensing.GroupMembers, Group: e.Path[0]}, sequence
		}
	case licensing.DomainDefault:
		p.guess, p.guessed = licensing.Policy{Mode: licensing.AllUsers}, sequence
	default: // tells nothing of it
	}
}

// changed takes a policy as it was told.
func (p *product) changed(c event.PolicyChanged) {
	p.State = licensing.State{
		Phase: licensing.InForce, Policy: licensing.Policy{Mode: licensing.Mode(c.Mode), Group: c.Group},
	}
	p.settled, p.dirty = true, true
}
