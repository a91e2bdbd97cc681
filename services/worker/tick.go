package worker

import (
	"context"
	"time"
)

// tick does the work that no message brings: rounds to ask for, and users to decide under a new policy. It sleeps until
// a transaction makes such work or a settle time ends.
func (w *Worker) tick(ctx context.Context, p partition) {
	for ctx.Err() == nil && p.valid() {
		more, next, err := w.apply.Tick(ctx, p.Owner)
		switch {
		case w.fenced(ctx, p, err):
		case err != nil && ctx.Err() == nil:
			w.deps.Logger.ErrorContext(ctx, "timers wait", "error", err)
			w.sleep(ctx, p.Part, w.deps.Clock.Now().Add(time.Second))
		case more:
			// A bulk must not run ahead of what can be published: single changes would queue behind it.
			if err := w.relay.AwaitDepth(ctx, w.chunk); err != nil && ctx.Err() == nil {
				w.deps.Logger.ErrorContext(ctx, "timers wait", "error", err)
				w.sleep(ctx, p.Part, w.deps.Clock.Now().Add(time.Second))
			}
		default:
			w.sleep(ctx, p.Part, next)
		}
	}
}

// sleep ends at a time (never, for the zero one), with ctx, or when a transaction has made work.
func (w *Worker) sleep(ctx context.Context, part int, until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		timer := w.deps.Clock.NewTimer(until.Sub(w.deps.Clock.Now()))
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-w.timers[part]:
	case <-due:
	}
}
