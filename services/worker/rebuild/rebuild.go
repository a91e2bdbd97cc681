// Package rebuild makes a ledger anew from what others have of it: decisions, their history, sequences, held changes, seats
// and settings from LICENSES and the bucket "entitlements", the mirror by a full read of each directory that it orders.
// Nothing is published that was published before, and until a tenant's mirror is complete nothing is decided for it.
package rebuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// ErrNotEmpty says that the ledger to rebuild holds something. Only an empty one is filled.
var ErrNotEmpty = errors.New("the ledger is not empty")

// Deps are the parts that a rebuild works with; all are needed. No worker may run on the ledger meanwhile.
type Deps struct {
	Bus     *bus.Bus
	Ledger  *ledger.Ledger
	Tenants []tenant.Tenant // of the registry
	Clock   clock.Clock
	Logger  *slog.Logger
}

// Report says what was brought back.
type Report struct {
	Tenants  int `json:"tenants"`
	Products int `json:"products"`
	Users    int `json:"users"`     // who have a decision
	Events   int `json:"events"`    // of LICENSES
	FromCopy int `json:"from_copy"` // users whose events LICENSES has forgotten: from the bucket
	Held     int `json:"held"`      // changes that wait for somebody
	Causes   int `json:"causes"`
}

// chunk is how many events one transaction takes.
const chunk = 500

// Run rebuilds the ledger. A run that failed leaves it half filled: empty it and begin anew.
func Run(ctx context.Context, deps Deps) (Report, error) {
	r := &rebuilder{deps: deps, registry: map[string]tenant.Tenant{}, products: map[string]*product{}}
	for _, t := range deps.Tenants {
		r.registry[t.ID] = t
	}
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"look at the ledger", r.begin},
		{"read " + bus.Licenses, func(ctx context.Context) error { return r.read(ctx, bus.Licenses, r.event) }},
		{"read the bucket " + bus.BucketEntitlements, func(ctx context.Context) error {
			return r.read(ctx, "KV_"+bus.BucketEntitlements, r.copied)
		}},
		{"put the products in order", r.finish},
		{"find the causes", r.causes},
		{"order full reads", r.refresh},
	}
	for _, step := range steps {
		if err := step.do(ctx); err != nil {
			return r.report, fmt.Errorf("rebuild the ledger: %s: %w", step.what, err)
		}
		deps.Logger.InfoContext(ctx, "rebuilding the ledger", "done", step.what)
	}
	return r.report, nil
}

type rebuilder struct {
	deps     Deps
	registry map[string]tenant.Tenant
	products map[string]*product // by tenant and id
	order    []*product
	report   Report
}

// begin stores where the streams stand: what is on LICENSES is told, and what lies on LEDGER_IN is made good by full reads.
func (r *rebuilder) begin(ctx context.Context) error {
	licenses, err := r.deps.Bus.StreamInfo(ctx, bus.Licenses)
	if err != nil {
		return err
	}
	in, err := r.deps.Bus.StreamInfo(ctx, bus.LedgerIn)
	if err != nil {
		return err
	}
	return r.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		if empty, err := tx.Empty(); err != nil {
			return err
		} else if !empty {
			return ErrNotEmpty
		}
		err := tx.SavePosition(ledger.Position{
			Stream: bus.Licenses, Part: ledger.Written, Created: licenses.Created, Sequence: licenses.State.LastSeq,
		})
		for part := 0; part < r.deps.Bus.Partitions() && err == nil; part++ {
			err = tx.SavePosition(ledger.Position{Stream: bus.LedgerIn, Part: part, Created: in.Created, Sequence: in.State.LastSeq})
		}
		return err
	})
}

// read hands a stream's events to do, many in one transaction.
func (r *rebuilder) read(ctx context.Context, stream string, do func(*ledger.Tx, bus.Message) error) error {
	var batch []bus.Message
	flush := func() error {
		taken := batch
		batch = batch[:0]
		return r.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
			for _, m := range taken {
				if err := do(tx, m); err != nil {
					return fmt.Errorf("message %d: %w", m.Sequence, err)
				}
			}
			return r.save(tx)
		})
	}
	err := r.deps.Bus.Read(ctx, bus.ReadSpec{Stream: stream}, func(m bus.Message) error {
		if m.Fault != nil {
			r.deps.Logger.WarnContext(ctx, "no event: left out", "stream", stream, "sequence", m.Sequence, "error", m.Fault)
			return nil
		}
		if batch = append(batch, m); len(batch) < chunk {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// refresh orders a full read of every directory that is followed.
func (r *rebuilder) refresh(ctx context.Context) error {
	now := r.deps.Clock.Now()
	for _, t := range r.deps.Tenants {
		key := fmt.Sprintf("rebuild-%d", now.UnixMicro())
		ev, err := event.New(event.TypeRefreshRequested, event.Meta{
			ID: event.CommandID(t.ID, "refresh", key), Source: event.CommandSource(t.ID), Time: now, Tenant: t.ID,
		}, event.RefreshRequested{RequestedBy: "rebuild"})
		if err != nil {
			return err
		}
		if _, err := r.deps.Bus.Publish(ctx, event.CommandSubject(t.ID, "refresh"), ev); err != nil {
			return err
		}
	}
	return nil
}

// causes remembers the messages of LEDGER_IN that decisions name as their cause, as far back as it reaches.
func (r *rebuilder) causes(ctx context.Context) error {
	wanted := map[string]int64{} // tenant, by event id
	err := r.deps.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		for _, p := range r.order {
			for after := ""; ; {
				ids, err := tx.WantedCauses(p.Tenant, after, chunk)
				if err != nil {
					return err
				}
				if len(ids) == 0 {
					break
				}
				for _, id := range ids {
					wanted[id] = p.Tenant
				}
				after = ids[len(ids)-1]
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.read(ctx, bus.LedgerIn, func(tx *ledger.Tx, m bus.Message) error {
		t, is := wanted[m.Event.ID()]
		if !is {
			return nil
		}
		r.report.Causes++
		return tx.PutCause(t, ledger.Cause{
			Event: m.Event.ID(), Type: m.Event.Type(), At: eventTime(m), Cause: event.Cause(m.Event), By: actor(m.Event),
		})
	})
}

// actor is who asked for a command.
func actor(ev event.Event) string {
	data, err := event.Data[struct {
		By          string `json:"by"`
		RequestedBy string `json:"requested_by"` // of a refresh
	}](ev)
	if err != nil {
		return ""
	}
	return cmp.Or(data.By, data.RequestedBy)
}

func eventTime(m bus.Message) time.Time {
	if at := m.Event.Time(); !at.IsZero() {
		return at
	}
	return m.Time
}
