package worker

import (
	"context"
	"errors"
	"sync"

	"github.com/rollcall-hq/rollcall/services/internal/lease"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// partition is one that this worker has a lease of.
type partition struct {
	apply.Owner
	valid func() bool        // the lease still is
	stop  context.CancelFunc // ends the work on it
}

// own works on a partition until ctx ends, or another worker has it.
func (w *Worker) own(ctx context.Context, l lease.Lease) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := partition{Owner: apply.Owner{Part: l.Key, Epoch: l.Epoch}, valid: l.Valid, stop: stop}
	var ticking sync.WaitGroup
	defer ticking.Wait()
	ticking.Go(func() { w.tick(ctx, p) })
	w.consume(ctx, p)
	return nil
}

// fenced reports whether an error says that another worker has the partition, and ends the work on it then.
func (w *Worker) fenced(ctx context.Context, p partition, err error) bool {
	if !errors.Is(err, apply.ErrFenced) {
		return false
	}
	w.metrics.late(workerRole)
	w.deps.Logger.WarnContext(ctx, "this worker is late and leaves the partition", "partition", p.Part, "error", err)
	p.stop()
	return true
}
