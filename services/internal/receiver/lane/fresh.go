package lane

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// fresh tells since when the tenant is known, and stores it at most every showEvery, for people and for the lane after
// this one. A time that could not be stored is one that the next round stores: nothing rests on it.
func (l *Lane) fresh(ctx context.Context, began time.Time) {
	l.deps.Metrics.fresh(l.id, began)
	now := l.deps.Clock.Now()
	if now.Before(l.freshAt.Add(showEvery)) {
		return
	}
	if err := l.deps.Store.SaveFresh(ctx, l.id, state.Fresh{Began: began}); err != nil {
		l.deps.Logger.WarnContext(ctx, "storing since when the tenant is fresh failed", "error", err)
		return
	}
	l.freshAt = now
}

// wasFresh tells the metrics of the lanes before this one: a tenant that cannot be read since is not silent about it. A
// complete read is as good as a round.
func (l *Lane) wasFresh(ctx context.Context) error {
	fresh, err := l.deps.Store.LoadFresh(ctx, l.id)
	if err != nil {
		return err
	}
	if !l.connected() {
		return nil // what is stored is of another connection
	}
	began, now := fresh.Began, l.deps.Clock.Now()
	if began.Before(l.feeds.FullAt) {
		began = l.feeds.FullAt
	}
	if began.After(now) { // stored by a clock ahead
		began = now
	}
	l.deps.Metrics.fresh(l.id, began)
	l.deps.Metrics.readAll(l.id, l.feeds.FullAt)
	return nil
}
