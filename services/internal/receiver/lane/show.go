package lane

import (
	"context"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

const (
	// showEvery is how often the state of the lists is stored at most.
	showEvery = 10 * time.Second
	// showAtMost is how many lists are shown one by one.
	showAtMost = 50
)

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

// showLists stores how the lists stand for people to see: of many, those of provisioning groups and the oldest.
func (l *Lane) showLists(ctx context.Context) error {
	now := l.deps.Clock.Now()
	if now.Before(l.shownAt.Add(showEvery)) {
		return nil
	}
	ids := slices.DeleteFunc(l.living(), func(id string) bool { return l.rolls[id] == nil || !l.rolls[id].read() })
	slices.SortStableFunc(ids, func(a, b string) int {
		switch nested := l.feeds.Watched[a].Nested(); {
		case nested == l.feeds.Watched[b].Nested():
			return l.rolls[a].done.began.Compare(l.rolls[b].done.began)
		case nested:
			return 1
		}
		return -1
	})
	shown := state.Lists{At: now, Groups: map[string]state.List{}, Others: max(0, len(ids)-showAtMost)}
	for _, id := range ids[:len(ids)-shown.Others] {
		r := l.rolls[id]
		shown.Groups[id] = state.List{Began: r.done.began, Every: r.every, Pages: r.length, Members: r.size()}
	}
	if err := l.deps.Store.SaveLists(ctx, l.id, shown); err != nil {
		return err
	}
	l.shownAt = now
	return nil
}
