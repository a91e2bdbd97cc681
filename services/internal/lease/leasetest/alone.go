// Package leasetest shares no work out: for tests of one process, also on a clock that leaps.
package leasetest

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease"
)

// Alone is the part of a process that has no colleagues: it holds everything until it ends.
type Alone struct{ Clock clock.Clock }

// Run is lease.Leases.Run.
func (a Alone) Run(ctx context.Context, _ string, keys int, hold lease.Hold) error {
	group, ctx := errgroup.WithContext(ctx)
	epoch := a.Clock.Now().UnixMilli()
	for key := range keys {
		group.Go(func() error { return hold(ctx, lease.Lease{Key: key, Epoch: epoch}) })
	}
	return group.Wait()
}
