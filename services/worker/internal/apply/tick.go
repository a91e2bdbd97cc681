package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Tick does one piece of the work that no message asks for: it asks for the round that a settled change waits for, or
// decides the next users under a new policy. It reports whether there may be more at once; if not, next is when there
// will be (zero: not before a message makes some).
func (a *Applier) Tick(ctx context.Context) (more bool, next time.Time, err error) {
	err = a.update(ctx, origin{}, func(s *session) error {
		if more, err = s.askRound(); more || err != nil {
			return err
		}
		if more, err = s.decideChunk(ctx); more || err != nil {
			return err
		}
		next, err = s.tx.NextRound()
		return err
	})
	if err != nil {
		return false, time.Time{}, fmt.Errorf("do what is due: %w", err)
	}
	return more, next, nil
}

// askRound asks for a round where a settle time is over. It asks again later when none has come by then, ever more seldom:
// a tenant that was disconnected has none to come.
func (s *session) askRound() (bool, error) {
	due, found, err := s.tx.DueRound(s.now)
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

// decideChunk decides the next users of the policy change that is least advanced. Messages are applied between chunks,
// under the new policy, so a single change never waits for a bulk.
func (s *session) decideChunk(ctx context.Context) (bool, error) {
	next, found, err := s.tx.NextRedecision()
	if !found || err != nil {
		return false, err
	}
	if err := s.enterByID(next.Tenant); err != nil {
		return false, err
	}
	chunk, err := s.tx.UsersAfter(s.tenant.ID, next.RedecideAfter, s.cfg.Chunk)
	if err != nil {
		return false, err
	}
	for _, p := range s.products {
		if p.ID != next.ID {
			continue
		}
		for _, user := range chunk {
			if err := s.decide(p, user, p.RedecideCause); err != nil {
				return false, err
			}
			p.RedecideAfter = user.ID
		}
		if len(chunk) < s.cfg.Chunk {
			p.RedecideAfter, p.RedecideCause = ledger.NoRedecision, ""
			s.log.InfoContext(ctx, "all users decided under the policy", "tenant", s.tenant.Name, "product", p.Name,
				"mode", p.State.Policy.Mode)
		}
		p.dirty = true
	}
	return true, nil
}
