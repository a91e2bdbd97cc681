package lane

import (
	"context"
	"fmt"
	"slices"
	"time"

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
	asked, _ := l.command(refresh)
	p := l.newSnapshot(asked.ID, asked.ID)
	began := l.deps.Clock.Now()
	users, err := l.drain(ctx, p, receiver.Feed{Kind: receiver.UsersFeed}, "")
	if err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	groups, err := l.drain(ctx, p, receiver.Feed{Kind: receiver.GroupsFeed}, "")
	if err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	watched := l.living()
	members, err := l.readMembers(ctx, p, watched)
	if err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	if err := l.endSnapshot(ctx, p, event.SnapshotEnded{Users: true, Groups: true, Members: watched}); err != nil {
		return err
	}
	l.feeds.Users, l.feeds.Groups, l.feeds.FullAt = users, groups, began
	l.feeds.SetAside = p.setAside
	l.feeds.Members = nil
	l.join(members)
	if err := l.save(ctx); err != nil {
		return err
	}
	clear(l.expired)
	l.inbox.rouse()
	if l.lastRun.Before(began) {
		l.lastRun = began
		l.deps.Metrics.fresh(l.id, began)
	}
	l.deps.Metrics.readAll(l.id, began)
	if l.cfg.Poll > 0 {
		l.pollAt = l.deps.Clock.Now().Add(l.cfg.Poll)
	}
	l.deps.Logger.InfoContext(ctx, "directory read completely", "snapshot", p.snapshot, "requests", p.requests,
		"pages", p.pages, "set_aside", len(p.setAside), "took", l.deps.Clock.Now().Sub(began))
	if asked.ID == "" {
		return nil
	}
	return l.finish(ctx, asked)
}

// baselineDue says when to read the members of groups that are newly watched: at once.
func (l *Lane) baselineDue(now time.Time) time.Time {
	if l.complete() && len(l.unread()) > 0 {
		return now
	}
	return time.Time{}
}

// readBaseline reads the members of newly watched groups, and says that they are complete.
func (l *Lane) readBaseline(ctx context.Context) error {
	groups := l.unread()
	groups = groups[:min(len(groups), maxGroups)]
	p := l.newSnapshot(l.feeds.Watched[groups[0]].By, "")
	members, err := l.readMembers(ctx, p, groups)
	if err != nil {
		return fmt.Errorf("read the members of watched groups: %w", err)
	}
	if err := l.endSnapshot(ctx, p, event.SnapshotEnded{Members: groups}); err != nil {
		return err
	}
	l.join(members)
	return l.save(ctx)
}

// readMembers reads the members of groups from the beginning, maxGroups in one feed.
func (l *Lane) readMembers(ctx context.Context, p *pass, groups []string) ([]state.MembersFeed, error) {
	var feeds []state.MembersFeed
	for chunk := range slices.Chunk(groups, maxGroups) {
		cursor, err := l.drain(ctx, p, receiver.Feed{Kind: receiver.MembersFeed, Groups: chunk}, "")
		if err != nil {
			return nil, err
		}
		feeds = append(feeds, state.MembersFeed{Groups: chunk, Cursor: cursor})
	}
	return feeds, nil
}

// endSnapshot says that everything of it is published. Of groups that are no longer watched, or that are said to be gone,
// it does not speak: what was not published of their members was held back.
func (l *Lane) endSnapshot(ctx context.Context, p *pass, ended event.SnapshotEnded) error {
	living := l.living()
	members := make([]string, 0, len(ended.Members))
	for _, id := range ended.Members {
		if slices.Contains(living, id) {
			members = append(members, id)
		}
	}
	ended.Snapshot, ended.Began, ended.Pages, ended.Members = p.snapshot, event.StampOf(p.began), p.pages, members
	for _, s := range p.setAside {
		ended.SetAside = append(ended.SetAside, s.ID)
	}
	return l.say(ctx, "snapshot", event.TypeSnapshotEnded, p.cause, ended)
}

// join adds feeds of members that have just been read from the beginning, less the groups that are no longer watched.
func (l *Lane) join(feeds []state.MembersFeed) {
	living := l.living()
	for _, f := range feeds {
		var groups []string
		for _, id := range f.Groups {
			if slices.Contains(living, id) {
				groups = append(groups, id)
			}
		}
		if len(groups) > 0 {
			l.feeds.Members = append(l.feeds.Members, state.MembersFeed{Groups: groups, Cursor: f.Cursor})
		}
	}
}

// living returns the ids of the watched groups that are not said to be gone, sorted.
func (l *Lane) living() []string {
	var ids []string
	for id, w := range l.feeds.Watched {
		if w.Vanish == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// unread returns those of them whose members no feed follows.
func (l *Lane) unread() []string {
	return slices.DeleteFunc(l.living(), func(id string) bool {
		return slices.ContainsFunc(l.feeds.Members, func(f state.MembersFeed) bool { return slices.Contains(f.Groups, id) })
	})
}
