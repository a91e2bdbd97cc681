package lane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// maxGroups is how many groups one feed of members, and so one baseline, can be of.
func (l *Lane) maxGroups() int { return max(1, l.deps.Traits.MaxFeedGroups) }

// baselineDue says when to read the members of groups that are newly watched: at once. Where lists are read group by group,
// one that fails waits by itself.
func (l *Lane) baselineDue(now time.Time) time.Time {
	if !l.complete() {
		return time.Time{}
	}
	var first time.Time
	for _, id := range l.unread() {
		at := now
		if l.lists() {
			at = l.listGate(id).after(now)
		}
		first = earliest(first, at)
	}
	return first
}

// readBaseline reads the members of newly watched groups, and says that they are complete.
func (l *Lane) readBaseline(ctx context.Context) error {
	groups := l.unread()
	if l.lists() {
		now := l.deps.Clock.Now()
		groups = slices.DeleteFunc(groups, func(id string) bool { return l.listGate(id).after(now).After(now) })
	}
	groups = groups[:min(len(groups), l.maxGroups())]
	if len(groups) == 0 {
		return nil
	}
	p := l.newSnapshot(l.feeds.Watched[groups[0]].By, "")
	members, groups, err := l.readMembers(ctx, p, groups)
	if err != nil {
		return fmt.Errorf("read the members of watched groups: %w", err)
	}
	if len(groups) == 0 {
		return nil
	}
	if err := l.endSnapshot(ctx, p, event.SnapshotEnded{Members: groups}); err != nil {
		return err
	}
	l.join(members)
	return l.save(ctx)
}

// readMembers reads the members of groups from the beginning, as many in one feed as it takes, and returns those groups
// whose members were read.
func (l *Lane) readMembers(ctx context.Context, p *pass, groups []string) ([]state.MembersFeed, []string, error) {
	if l.lists() {
		read, err := l.listEach(ctx, p, groups)
		return nil, read, err
	}
	var feeds []state.MembersFeed
	for chunk := range slices.Chunk(groups, l.maxGroups()) {
		cursor, err := l.drain(ctx, p, receiver.Feed{Kind: receiver.MembersFeed, Groups: chunk}, "")
		if err != nil {
			return nil, nil, err
		}
		feeds = append(feeds, state.MembersFeed{Groups: chunk, Cursor: cursor})
	}
	return feeds, groups, nil
}

// listEach lists the groups one after the other. One that cannot be listed is left out and tried again by itself.
func (l *Lane) listEach(ctx context.Context, p *pass, groups []string) ([]string, error) {
	var read []string
	for _, id := range groups {
		err := l.listAll(ctx, p, id)
		switch {
		case err == nil:
			l.listGate(id).open()
			read = append(read, id)
		case ctx.Err() != nil || errors.Is(err, errNotStored):
			return nil, err
		default:
			wait := l.listGate(id).close(l.deps.Clock.Now())
			l.deps.Metrics.failed(baseline)
			l.deps.Logger.WarnContext(ctx, "listing a group's members failed", "group", id, "again_in", wait, "error", err)
		}
	}
	return read, nil
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

// unread returns those of them whose members no feed follows, or whose list has not been read to its end yet.
func (l *Lane) unread() []string {
	return slices.DeleteFunc(l.living(), func(id string) bool {
		if l.lists() {
			r := l.rolls[id]
			return r != nil && r.read()
		}
		return slices.ContainsFunc(l.feeds.Members, func(f state.MembersFeed) bool { return slices.Contains(f.Groups, id) })
	})
}
