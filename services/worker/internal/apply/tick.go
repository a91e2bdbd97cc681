package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Tick does one piece of an owner's work that no message asks for: it asks for a full read that was put off, or for what is in
// doubt, decides about those who have left, lets a held change expire, asks for the round that a settled change waits for, or does the next chunk of a job. It reports whether
// there may be more at once; if not, next is when there will be (zero: not before a message makes some).
func (a *Applier) Tick(ctx context.Context, owner Owner) (more bool, next time.Time, err error) {
	var begun time.Time // of a chunk, by the clock
	err = a.update(ctx, origin{}, func(s *session) error {
		begun = a.deps.Clock.Now()
		if err := s.fence(owner); err != nil {
			return err
		}
		s.cfg.Chunk = a.pace.chunk()
		for _, do := range []func(context.Context, int) (bool, error){s.rereadDue, s.doubtsDue, s.leavingDue, s.expire, s.askRound, s.work} {
			if more, err = do(ctx, owner.Part); more || err != nil {
				return err
			}
		}
		next, err = s.tx.NextTimer(owner.Part)
		return err
	})
	if err != nil {
		return false, time.Time{}, fmt.Errorf("do what is due: %w", err)
	}
	if more {
		a.pace.took(a.deps.Clock.Now().Sub(begun))
	}
	return more, next, nil
}

// rereadDue asks for a full read that was put off.
func (s *session) rereadDue(_ context.Context, part int) (bool, error) {
	due, found, err := s.tx.DueReread(part, s.now)
	if !found || err != nil {
		return false, err
	}
	s.tenant = due
	if err := s.askReread(); err != nil {
		return false, err
	}
	return true, s.tx.SaveTenant(s.tenant)
}

// askRound asks for a round where a settle time is over. It asks again later when none has come by then, ever more seldom:
// a tenant that was disconnected has none to come.
func (s *session) askRound(_ context.Context, part int) (bool, error) {
	due, found, err := s.tx.DueRound(part, s.now)
	if !found || err != nil {
		return false, err
	}
	if s.tenant, err = s.tx.TenantByID(due.Tenant); err != nil {
		return false, err
	}
	id := fmt.Sprintf("%s.%s.round.%d", s.tenant.Name, due.Name, due.AskAt.UnixMicro())
	again := s.cfg.AskAgain
	if due.State.Change != nil {
		again = max(again, s.now.Sub(due.State.Change.SettleAt))
	}
	due.AskAt = s.now.Add(again)
	if err := s.tx.SaveProduct(due); err != nil {
		return false, err
	}
	return true, s.command(event.TypeReadRequested, "read", id, "", event.ReadRequested{})
}

// expire ends a held change for which nobody came: it counts as rejected.
func (s *session) expire(_ context.Context, part int) (bool, error) {
	due, found, err := s.tx.ExpiredHold(part, s.now)
	if !found || err != nil {
		return false, err
	}
	p, h, err := s.enterHold(due)
	if err != nil {
		return false, err
	}
	s.origin.cause = h.Cause
	return true, s.closeBy(p, h, ledger.HeldExpired, "")
}

// enterHold loads the tenant of a held change that is open, and the change.
func (s *session) enterHold(due ledger.Held) (*product, *hold, error) {
	tenant, err := s.tx.TenantOf(due.Product)
	if err != nil {
		return nil, nil, err
	}
	if err := s.enterByID(tenant); err != nil {
		return nil, nil, err
	}
	p, err := s.product(due.Product)
	if err != nil {
		return nil, nil, err
	}
	h, err := s.hold(p, due.Kind)
	return p, h, err
}
