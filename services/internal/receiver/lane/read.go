package lane

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cenkalti/backoff/v5"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// newSnapshot returns the pass of a read from the beginning. Its pages carry the snapshot's id: that of the command which
// asked, or one derived from a stamp. Stamps tell the pages of an attempt that failed from those of the next: they are
// before SnapshotEnded.Began.
func (l *Lane) newSnapshot(cause, snapshot string) *pass {
	if snapshot == "" {
		stamp := l.deps.Stamps.Next()
		snapshot = fmt.Sprintf("%s.%d-%d", l.id, stamp.Epoch, stamp.Counter)
	}
	p := newPass(cause)
	p.snapshot, p.patient = snapshot, true
	return p
}

// readFull reads everything from the beginning and puts its cursors in the place of those that stand. If it fails, nothing
// is ended, the old cursors stand, and it begins again later.
func (l *Lane) readFull(ctx context.Context) error {
	asked, wanted := l.command(refresh)
	p := l.newSnapshot(asked.ID, asked.ID)
	began := l.deps.Clock.Now()
	users, _, err := l.drain(ctx, p, receiver.Feed{Kind: receiver.UsersFeed}, "", state.Told{})
	if err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	groups, _, err := l.drain(ctx, p, receiver.Feed{Kind: receiver.GroupsFeed}, "", state.Told{})
	if err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	members, watched, err := l.readMembers(ctx, p, l.living())
	if err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	if err := l.catchUp(ctx); err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	if err := l.endSnapshot(ctx, p, event.SnapshotEnded{Users: true, Groups: true, Members: watched}); err != nil {
		return err
	}
	l.feeds.Users, l.feeds.Groups, l.feeds.FullAt = users, groups, began
	l.feeds.UsersTold = state.Begun(l.deps.Clock.Now())
	l.feeds.GroupsTold = l.feeds.UsersTold
	l.feeds.SetAside = p.setAside
	l.feeds.Members = nil
	l.join(members)
	if err := l.save(ctx); err != nil {
		return err
	}
	clear(l.expired)
	l.inbox.rouse()
	l.lookAt = began.Add(l.cfg.Poll) // it has shown who has which address
	if l.lastRun.Before(began) {
		l.lastRun = began
		l.fresh(ctx, began)
	}
	l.deps.Metrics.readAll(l.id, began)
	if l.cfg.Poll > 0 {
		l.pollAt = l.deps.Clock.Now().Add(l.cfg.Poll)
	}
	l.deps.Logger.InfoContext(ctx, "directory read completely", "snapshot", p.snapshot, "requests", p.requests,
		"pages", p.pages, "set_aside", len(p.setAside), "took", l.deps.Clock.Now().Sub(began))
	if !wanted {
		return nil
	}
	return l.finish(ctx, asked)
}

// catchUp goes a last round with the cursors that are about to go. Whom a round has shown while everything was read is no
// candidate for removal, being younger than the read; who has gone since, before the read came there, is not told of by the
// cursors that come. Cursors that cannot be read go all the same: this read may be what mends them.
func (l *Lane) catchUp(ctx context.Context) error {
	if !l.connected() {
		return nil
	}
	waits := backoff.NewExponentialBackOff()
	for attempt := 1; ; attempt++ {
		err := l.round(ctx)
		switch {
		case err == nil || errors.Is(err, errNotStored):
			return err
		case attempt == attempts:
			l.deps.Logger.WarnContext(ctx, "the cursors that go could not be read once more", "error", err)
			return ctx.Err()
		}
		if err := l.pause(ctx, waits.NextBackOff()); err != nil {
			return err
		}
	}
}

// endSnapshot says that everything of it is published. Of groups that are no longer watched, or that are said to be gone,
// it does not speak: what was not published of their members was held back.
func (l *Lane) endSnapshot(ctx context.Context, p *pass, ended event.SnapshotEnded) error {
	living := l.living()
	members := make([]string, 0, len(ended.Members))
	for _, id := range ended.Members {
		if !slices.Contains(living, id) {
			continue
		}
		members = append(members, id)
		if w := l.feeds.Watched[id]; w.Nested() {
			w.By = "" // it is told, and there may be many
			l.feeds.Watched[id] = w
		}
	}
	ended.Snapshot, ended.Began, ended.Pages, ended.Members = p.snapshot, event.StampOf(p.began), p.pages, members
	for _, s := range p.setAside {
		ended.SetAside = append(ended.SetAside, s.ID)
	}
	ended.SetAside = append(ended.SetAside, p.odd...)
	return l.say(ctx, "snapshot", event.TypeSnapshotEnded, p.cause, ended)
}
