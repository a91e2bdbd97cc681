package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// session is one transaction on one tenant: what it has read of it, and what it has done so far.
type session struct {
	tx     *ledger.Tx
	cfg    Config
	log    *slog.Logger
	cache  *nestCache
	origin origin
	now    time.Time // of everything that the transaction tells

	tenant      ledger.Tenant
	nestVersion int64            // the tenant's as it was loaded
	nests       map[int64]nest   // read so far, by root
	roots       map[string]int64 // the numbers of groups that nests were asked for of
	known       map[int64]string // the provider's ids of groups that were asked for
	entered     bool             // tenant and products are loaded
	products    []*product
	told        bool // an event of the tenant on LICENSES, now or by a job to come, names what is acted upon
	waiting     bool // for a round that was asked for: somebody may be in another group by now
	result      Result
}

// product is a product in a session, with what has become of it.
type product struct {
	ledger.Product
	stored licensing.State
	dirty  bool                      // to be stored
	lookAt bool                      // the group at its address, or what is known of it, may have changed
	moved  bool                      // the membership of a group that waits to settle has changed
	holds  map[ledger.HeldKind]*hold // that are not closed; see session.holds
}

// enter loads the tenant and those of its products that the registry names, making what is not known yet.
func (s *session) enter(t tenant.Tenant, part int) error {
	var err error
	if s.tenant, err = s.tx.Tenant(t.ID); err != nil {
		return err
	}
	s.tenant.Part, s.nestVersion = part, s.tenant.NestVersion
	if err := s.load(); err != nil {
		return err
	}
	if s.registered(t) {
		s.products = slices.DeleteFunc(s.products, func(p *product) bool { return p.Address == "" })
		return nil
	}
	return s.rewatching(func() error { return s.register(t) }) // here, as not every message does
}

// registered reports whether the products are those that the registry names. Others have no address.
func (s *session) registered(t tenant.Tenant) bool {
	for _, named := range t.Products {
		if p := s.named(named.ID); p == nil || p.Address != t.GroupAddress(named) {
			return false
		}
	}
	return !slices.ContainsFunc(s.products, func(p *product) bool {
		_, named := t.Product(p.Name)
		return !named && p.Address != ""
	})
}

// register takes over what the registry says of the products.
func (s *session) register(t tenant.Tenant) error {
	if err := s.retire(t); err != nil {
		return err
	}
	changed := map[string]bool{}
	for _, p := range t.Products {
		var err error
		if changed[p.ID], err = s.tx.EnsureProduct(s.tenant.ID, p.ID, t.GroupAddress(p)); err != nil {
			return err
		}
	}
	if err := s.load(); err != nil {
		return err
	}
	s.products = slices.DeleteFunc(s.products, func(p *product) bool { return p.Address == "" })
	for _, p := range s.products {
		p.lookAt = changed[p.Name]
	}
	return s.reviewPolicies()
}

// retire leaves the products alone that the registry names no more. Nobody is decided for them, so one that comes back
// begins as a new one does; without an address meanwhile, it is noticed.
func (s *session) retire(t tenant.Tenant) error {
	for _, p := range s.products {
		if _, named := t.Product(p.Name); named || p.Address == "" {
			continue
		}
		p.State, p.AskAt = licensing.State{}, time.Time{}
		if err := s.abandon(p); err != nil {
			return err
		}
		if err := s.tx.ReleaseApproved(p.ID); err != nil {
			return err
		}
		if err := s.tx.DropJobs(p.ID); err != nil {
			return err
		}
		if err := s.tx.DropLeaving(p.ID); err != nil {
			return err
		}
		if err := s.tx.SaveProduct(p.Product); err != nil {
			return err
		}
		if _, err := s.tx.EnsureProduct(s.tenant.ID, p.Name, ""); err != nil {
			return err
		}
	}
	return nil
}

// recall adds the products that the registry names no more: what ends for a tenant ends for them too.
func (s *session) recall() error {
	all, err := s.tx.Products(s.tenant.ID)
	if err != nil {
		return err
	}
	for _, p := range all {
		if s.named(p.Name) == nil {
			s.products = append(s.products, &product{Product: p, stored: p.State})
		}
	}
	return nil
}

// enterByID loads a tenant that the ledger knows, with all its products.
func (s *session) enterByID(id int64) (err error) {
	if s.tenant, err = s.tx.TenantByID(id); err != nil {
		return err
	}
	s.nestVersion = s.tenant.NestVersion
	return s.load()
}

// product returns the product with the given number.
func (s *session) product(id int64) (*product, error) {
	for _, p := range s.products {
		if p.ID == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("tenant %s has no product number %d", s.tenant.Name, id)
}

// named returns the product with the id that it has outside, or nil.
func (s *session) named(id string) *product {
	for _, p := range s.products {
		if p.Name == id {
			return p
		}
	}
	return nil
}

func (s *session) load() error {
	products, err := s.tx.Products(s.tenant.ID)
	if err != nil {
		return err
	}
	s.products = nil
	for _, p := range products {
		s.products = append(s.products, &product{Product: p, stored: p.State})
	}
	s.entered = true
	return nil
}

// leave stores the tenant, ends the snapshots whose last effect this was, tells what is to be told last, and stores the products.
func (s *session) leave(ctx context.Context) error {
	if !s.entered {
		return nil
	}
	s.result.Part = s.tenant.Part
	if err := s.tx.SaveTenant(s.tenant); err != nil { // first: which jobs rest is asked of the ledger
		return err
	}
	if err := s.finishSnapshots(); err != nil {
		return err
	}
	for _, p := range s.products {
		if err := s.leaveProduct(ctx, p); err != nil {
			return err
		}
	}
	return s.rememberCause()
}

func (s *session) leaveProduct(ctx context.Context, p *product) error {
	if err := s.leaveHolds(p); err != nil {
		return err
	}
	if err := s.tellSeats(p); err != nil {
		return err
	}
	if !p.dirty {
		return nil
	}
	s.schedule(p)
	if p.State.Conflict && !p.stored.Conflict {
		s.result.Conflicts++
		s.log.WarnContext(ctx, "several groups hold a provisioning address: nothing changes until one does",
			"tenant", s.tenant.Name, "product", p.Name)
	}
	return s.tx.SaveProduct(p.Product)
}

// rememberCause keeps the message that the session acted upon, where something is told because of it.
func (s *session) rememberCause() error {
	if !s.told || s.origin.kind == "" {
		return nil
	}
	return s.keepCause()
}

// keepCause keeps the message that the session acts upon.
func (s *session) keepCause() error {
	return s.tx.PutCause(s.tenant.ID, ledger.Cause{
		Event: s.origin.cause, Type: s.origin.kind, At: s.origin.at, Cause: s.origin.causes, By: s.origin.by,
	})
}

// schedule sets when a round is to be asked for. A change that did not move keeps the time that it has: it may have been
// asked for already.
func (s *session) schedule(p *product) {
	at, wanted := p.State.AskAt()
	switch {
	case !wanted:
		p.AskAt = time.Time{}
	case p.AskAt.IsZero() || p.stored.Change == nil || !p.stored.Change.SettleAt.Equal(at):
		p.AskAt = at
	}
	s.result.Timers = s.result.Timers || wanted
}

// meta is the context of an event that the session tells.
func (s *session) meta(id, source, cause string) event.Meta {
	return event.Meta{ID: id, Source: source, Time: s.now, Tenant: s.tenant.Name, Cause: cause, TraceParent: s.origin.trace}
}

// command puts a command of the tenant into the outbox.
func (s *session) command(eventType, verb, id, cause string, data any) error {
	body, err := event.Marshal(eventType, s.meta(id, event.CommandSource(s.tenant.Name), cause), data)
	if err != nil {
		return err
	}
	return s.emit(bus.LedgerIn, event.CommandSubject(s.tenant.Name, verb), id, body)
}

// refs returns a path as the provider's ids.
func (s *session) refs(path []int64) ([]string, error) {
	var refs []string
	for _, id := range path {
		ref, known := s.known[id]
		if !known {
			var err error
			if ref, err = s.tx.GroupRef(id); err != nil {
				return nil, err
			}
			if s.known == nil {
				s.known = map[int64]string{}
			}
			s.known[id] = ref
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// tell puts an event of a product that is no license event into its record and the outbox, and returns its id.
func (s *session) tell(p *product, eventType, subject, cause string, data any) (id string, err error) {
	id, body, err := s.licenseEvent(p, eventType, "", cause, data)
	if err != nil {
		return "", err
	}
	record, err := json.Marshal(data)
	if err != nil {
		return "", err
	}
	err = s.tx.PutRecord(ledger.Record{
		Product: p.ID, Sequence: p.Sequence, Type: eventType, At: s.now, Cause: cause, Data: record,
	})
	if err != nil {
		return "", err
	}
	return id, s.emit(bus.Licenses, subject, id, body)
}

// licenseEvent makes the next event of a product's source.
func (s *session) licenseEvent(p *product, eventType, entity, cause string, data any) (id string, body []byte, err error) {
	p.Sequence++
	p.dirty, s.told = true, true
	id = event.LicenseID(s.tenant.Name, p.Name, p.Sequence)
	meta := s.meta(id, event.LicenseSource(s.tenant.Name, p.Name), cause)
	meta.Subject, meta.Sequence = entity, p.Sequence
	body, err = event.Marshal(eventType, meta, data)
	return id, body, err
}

func (s *session) emit(stream, subject, id string, body []byte) error {
	return s.tx.Emit(ledger.Outgoing{Stream: stream, Subject: subject, EventID: id, Body: body})
}
