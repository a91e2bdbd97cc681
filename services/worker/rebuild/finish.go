package rebuild

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// finish puts the products where their events have left them.
func (r *rebuilder) finish(ctx context.Context) error {
	return r.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		for _, p := range r.order {
			if err := r.finishProduct(tx, p); err != nil {
				return err
			}
		}
		return tx.RestoreAgainst()
	})
}

func (r *rebuilder) finishProduct(tx *ledger.Tx, p *product) (err error) {
	if p.erased {
		return tx.SaveProduct(p.Product)
	}
	if p.Used, err = tx.CountLicensed(p.ID); err != nil {
		return err
	}
	if err := tx.RestoreUsage(p.ID); err != nil {
		return err
	}
	if !p.settled && p.guessed > 0 {
		p.State.Phase, p.State.Policy = licensing.InForce, p.guess
	}
	if d := p.degraded; d != nil { // any stamp is later
		err := tx.PutConnection(ledger.Connection{
			Product: p.ID, Class: d.Class, Check: d.Check, Detail: d.Detail, Action: d.Action, Since: d.Since,
		})
		if err != nil {
			return err
		}
	}
	if d := p.expiring; d != nil {
		err := tx.PutCredential(ledger.Credential{Product: p.ID, Expires: d.Expires, Days: d.Days, Detail: d.Detail, Action: d.Action})
		if err != nil {
			return err
		}
	}
	for user, place := range p.waiting {
		if err := tx.Join(p.ID, user, place); err != nil {
			return err
		}
	}
	open, err := p.resume(tx)
	if err != nil {
		return err
	}
	r.report.Held += open
	if p.settings != nil {
		if err := restoreSettings(tx, p.tenant, *p.settings); err != nil {
			return err
		}
	}
	return tx.SaveProduct(p.Product)
}

func restoreSettings(tx *ledger.Tx, name string, s event.SettingsChanged) error {
	t, err := tx.Tenant(name)
	if err != nil {
		return err
	}
	t.Paused, t.Frozen = s.Paused, s.Frozen
	t.Hold = ledger.Hold{
		Flips: s.Hold.Flips == event.FlipsHold, Guard: licensing.Guard{Share: s.Hold.Share, Least: s.Hold.Least},
		Expiry: time.Duration(s.Hold.ExpirySeconds) * time.Second,
	}
	if !s.Connected { // whether its licenses were kept shows in them
		t.Disconnected, t.Restoring = ledger.LicensesKept, false
	}
	return tx.SaveTenant(t)
}
