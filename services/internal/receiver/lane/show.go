package lane

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// showEvery is how often the state of the lists is stored at most.
const showEvery = 10 * time.Second

// measureLists tells the metrics of the list that lags most.
func (l *Lane) measureLists() {
	var began time.Time
	var every time.Duration
	for _, id := range l.living() {
		if r := l.rolls[id]; r != nil && r.read() {
			began, every = earliest(began, r.done.began), max(every, r.every)
		}
	}
	l.deps.Metrics.listsOf(l.id, began, every)
}

// showLists stores how the lists stand for people to see.
func (l *Lane) showLists(ctx context.Context) error {
	now := l.deps.Clock.Now()
	if now.Before(l.shownAt.Add(showEvery)) {
		return nil
	}
	shown := state.Lists{At: now, Groups: map[string]state.List{}}
	for _, id := range l.living() {
		if r := l.rolls[id]; r != nil && r.read() {
			shown.Groups[id] = state.List{Began: r.done.began, Every: r.every, Pages: r.length, Members: r.size()}
		}
	}
	if err := l.deps.Store.SaveLists(ctx, l.id, shown); err != nil {
		return err
	}
	l.shownAt = now
	return nil
}
