package apply

import (
	"context"
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
	origin origin
	now    time.Time // of everything that the transaction tells

	tenant   ledger.Tenant
	entered  bool // tenant and products are loaded
	products []*product
	result   Result
}

// product is a product in a session, with what has become of it.
type product struct {
	ledger.Product
	stored   licensing.State
	dirty    bool         // to be stored
	lookAt   bool         // the group at its address, or what is known of it, may have changed
	moved    bool         // the membership of a group that waits to settle has changed
	group    ledger.Group // in force, once loaded
	groupRef string       // which one is loaded
}

// enter loads the tenant and those of its products that the registry names, making what is not known yet.
func (s *session) enter(t tenant.Tenant) error {
	var err error
	if s.tenant, err = s.tx.Tenant(t.ID); err != nil {
		return err
	}
	var changed []string
	for _, p := range t.Products {
		renamed, err := s.tx.EnsureProduct(s.tenant.ID, p.ID, t.GroupAddress(p))
		if err != nil {
			return err
		}
		if renamed {
			changed = append(changed, p.ID)
		}
	}
	if err := s.load(); err != nil {
		return err
	}
	if err := s.retire(t); err != nil {
		return err
	}
	for _, p := range s.products {
		p.lookAt = slices.Contains(changed, p.Name)
	}
	return s.reviewPolicies(nil) // here, as not every message does
}

// retire leaves the products alone that the registry names no more. Nobody is decided for them, so one that comes back
// begins as a new one does; without an address meanwhile, it is noticed.
func (s *session) retire(t tenant.Tenant) error {
	named := make([]*product, 0, len(s.products))
	for _, p := range s.products {
		if _, known := t.Product(p.Name); known {
			named = append(named, p)
			continue
		}
		if p.Address == "" {
			continue
		}
		p.State, p.AskAt, p.RedecideAfter, p.RedecideCause = licensing.State{}, time.Time{}, ledger.NoRedecision, ""
		if err := s.tx.SaveProduct(p.Product); err != nil {
			return err
		}
		if _, err := s.tx.EnsureProduct(s.tenant.ID, p.Name, ""); err != nil {
			return err
		}
	}
	s.products = named
	return nil
}

// enterByID loads a tenant that the ledger knows, with all its products.
func (s *session) enterByID(id int64) (err error) {
	if s.tenant, err = s.tx.TenantByID(id); err != nil {
		return err
	}
	return s.load()
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

// leave stores the products and the tenant, and ends the snapshots whose last effect this was.
func (s *session) leave(ctx context.Context) error {
	if !s.entered {
		return nil
	}
	for _, p := range s.products {
		if !p.dirty {
			continue
		}
		s.schedule(p)
		if err := s.tx.SaveProduct(p.Product); err != nil {
			return err
		}
		if p.State.Conflict && !p.stored.Conflict {
			s.result.Conflicts++
			s.log.WarnContext(ctx, "several groups hold a provisioning address: nothing changes until one does",
				"tenant", s.tenant.Name, "product", p.Name)
		}
	}
	if err := s.finishSnapshots(); err != nil {
		return err
	}
	return s.tx.SaveTenant(s.tenant)
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
	s.result.Timers = s.result.Timers || wanted || p.Redeciding()
}

// meta is the context of an event that the session tells.
func (s *session) meta(id, source, cause string) event.Meta {
	return event.Meta{ID: id, Source: source, Time: s.now, Tenant: s.tenant.Name, Cause: cause, TraceParent: s.origin.trace}
}

// command puts a command of the tenant into the outbox.
func (s *session) command(eventType, verb, id, cause string, data any) error {
	ev, err := event.New(eventType, s.meta(id, event.CommandSource(s.tenant.Name), cause), data)
	if err != nil {
		return err
	}
	return s.emit(bus.LedgerIn, event.CommandSubject(s.tenant.Name, verb), ev)
}

func (s *session) emit(stream, subject string, ev event.Event) error {
	body, err := event.Encode(ev)
	if err != nil {
		return err
	}
	return s.tx.Emit(ledger.Outgoing{Stream: stream, Subject: subject, EventID: ev.ID(), Body: body})
}
