// Package supervise runs the long-lived parts of a process together: the first one that fails stops all, and the end is
// waited for, but not for ever.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

// Worker is one long-lived part. Run returns when ctx ends; returning before is a failure, with or without an error.
type Worker struct {
	Name string
	Run  func(ctx context.Context) error
}

// Config says how patient the end is.
type Config struct {
	Drain time.Duration // how long workers may take to finish what they have in hand; 0 means 15 s
}

// Deps are what the supervisor is given from outside.
type Deps struct {
	Logger *slog.Logger
}

const defaultDrain = 15 * time.Second

// ErrDrain says that workers had not finished when the time to drain was up. What they had in hand is done again later.
var ErrDrain = errors.New("not finished in time")

type ended struct {
	index int
	err   error
}

// Run starts all workers and returns when all have ended, or when the time to drain is up. It returns nil when ctx ended
// and every worker finished well.
func Run(ctx context.Context, cfg Config, deps Deps, workers ...Worker) error {
	if cfg.Drain == 0 {
		cfg.Drain = defaultDrain
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	results := make(chan ended, len(workers))
	for i, w := range workers {
		go func() { results <- ended{i, guard(ctx, w)} }()
	}
	running := make(map[int]bool, len(workers))
	for i := range workers {
		running[i] = true
	}
	var faults []error
	done := ctx.Done()
	var overdue <-chan time.Time // never fires before the end has begun
	for len(running) > 0 {
		select {
		case <-done:
			done, overdue = nil, time.After(cfg.Drain)
			deps.Logger.Debug("stopping", "workers", len(running))
		case r := <-results:
			delete(running, r.index)
			if r.err != nil {
				faults = append(faults, r.err)
				stop()
			}
		case <-overdue:
			faults = append(faults, fmt.Errorf("%s: %w", names(workers, running), ErrDrain))
			return errors.Join(faults...)
		}
	}
	return errors.Join(faults...)
}

// guard runs one worker. A panic becomes its error, so that the others still finish what they have in hand.
func guard(ctx context.Context, w Worker) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: panic: %v\n%s", w.Name, p, debug.Stack())
		}
	}()
	err = w.Run(ctx)
	switch {
	case err == nil && ctx.Err() == nil:
		return fmt.Errorf("%s: ended by itself", w.Name)
	case err == nil, ctx.Err() != nil && errors.Is(err, context.Canceled):
		return nil
	default:
		return fmt.Errorf("%s: %w", w.Name, err)
	}
}

func names(workers []Worker, running map[int]bool) string {
	var late []string
	for i, w := range workers {
		if running[i] {
			late = append(late, w.Name)
		}
	}
	return strings.Join(late, ", ")
}
