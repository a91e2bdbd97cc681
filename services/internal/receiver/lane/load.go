package lane

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// load reads what is stored, and makes it this lane's. Feeds of another connection mean nothing.
func (l *Lane) load(ctx context.Context) error {
	feeds, revision, err := l.deps.Store.LoadFeeds(ctx, l.id)
	if err != nil {
		return err
	}
	epoch := l.deps.Stamps.Epoch()
	if feeds.Epoch > epoch {
		return fmt.Errorf("load the feeds: lease of %d after %d: %w", feeds.Epoch, epoch, state.ErrSuperseded)
	}
	mark, err := l.deps.Store.LoadMark(ctx, l.id)
	if err != nil {
		return err
	}
	commands, err := l.deps.Store.Commands(ctx, l.id)
	if err != nil {
		return err
	}
	l.saved, l.revision = feeds.Clone(), revision
	if feeds.Connection != l.deps.Connection {
		feeds = state.Feeds{Connection: l.deps.Connection, Addresses: l.addresses}
	}
	if feeds.Watched == nil {
		feeds.Watched = map[string]state.Watch{}
	}
	if feeds.Inside == nil { // what is nested must be found first
		feeds.Inside, feeds.Members = map[string][]string{}, nil
	}
	l.feeds = feeds
	l.feeds.Epoch = epoch
	l.setBack()
	l.reach("") // which also counts those that are too many
	if err := l.save(ctx); err != nil {
		return err
	}
	l.expired = map[receiver.FeedKind]bool{}
	l.rolls, l.every = map[string]*roll{}, nil // another owner may have published since
	clear(l.foreign)
	l.inbox.restore(l.id, mark, commands)
	if l.cfg.Poll > 0 {
		l.pollAt = l.deps.Clock.Now()
	}
	if mark != nil && l.connected() && l.deps.Traits.Journals {
		// What else was hinted with it was only in memory, and no journal may ever name it.
		if err := l.readAgain(ctx, newPass(mark.Cause)); err != nil {
			return err
		}
	}
	if err := l.wasFresh(ctx); err != nil {
		return err
	}
	l.loaded = true
	return nil
}

// setBack brings times that were stored by a clock far ahead back to what they may be at most.
func (l *Lane) setBack() {
	now := l.deps.Clock.Now()
	if l.feeds.FullAt.After(now) {
		l.feeds.FullAt = now
	}
	latest := now.Add(l.cfg.Vanish)
	for id, w := range l.feeds.Watched {
		if w.Vanish != nil && w.Vanish.Next.After(latest) {
			sooner := *w.Vanish
			sooner.Next = latest
			w.Vanish = &sooner
			l.feeds.Watched[id] = w
		}
	}
}

// restore takes what is stored in beside what has come in since.
func (b *inbox) restore(tenant string, mark *state.Mark, commands []state.Command) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mark == nil && mark != nil {
		b.mark, b.begun = mark, false
		b.expect(mark.Resource, mark.ID)
	}
	for _, c := range commands {
		b.add(tenant, c)
	}
}
