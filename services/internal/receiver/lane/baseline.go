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

// maxGroups is how many groups one feed of members can be of.
func (l *Lane) maxGroups() int { return max(1, l.deps.Traits.MaxFeedGroups) }

// baselineDue says when to read the members of groups that are newly watched, and to put feeds of few groups together: at
// once. Where lists are read group by group, one that fails waits by itself.
func (l *Lane) baselineDue(now time.Time) time.Time {
	if !l.complete() || l.readingMembers {
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
	if first.IsZero() && len(l.fragments()) > 0 {
		return now
	}
	return first
}

// readBaseline reads the members of newly watched groups, and says that they are complete. Where there are none it reads
// those of feeds that are to become one.
func (l *Lane) readBaseline(ctx context.Context) error {
	groups := l.unread()
	if l.lists() {
		now := l.deps.Clock.Now()
		groups = slices.DeleteFunc(groups, func(id string) bool { return l.listGate(id).after(now).After(now) })
	}
	cause := ""
	if len(groups) > 0 {
		cause = l.feeds.Watched[groups[0]].By
	} else if groups = l.fragments(); len(groups) == 0 {
		return nil
	}
	p := l.newSnapshot(cause, "")
	feeds, read, err := l.readMembers(ctx, p, groups)
	if err != nil {
		return fmt.Errorf("read the members of watched groups: %w", err)
	}
	if len(read) == 0 {
		return nil
	}
	if err := l.endSnapshot(ctx, p, event.SnapshotEnded{Members: read}); err != nil {
		return err
	}
	l.join(feeds)
	return l.save(ctx)
}

// readMembers reads the members of groups from the beginning, as many in one feed as it takes, then those of the groups
// that turn out to be nested in them, and returns the groups whose members were read.
func (l *Lane) readMembers(ctx context.Context, p *pass, groups []string) (feeds []state.MembersFeed, read []string, err error) {
	l.readingMembers = true
	defer func() { l.readingMembers = false }()
	tried := map[string]bool{}
	for _, id := range l.living() {
		tried[id] = true // by this pass, or by another
	}
	for len(groups) > 0 {
		some, done, err := l.readEach(ctx, p, groups)
		if err != nil {
			return nil, nil, err
		}
		feeds, read = append(feeds, some...), append(read, done...)
		groups = slices.DeleteFunc(l.unread(), func(id string) bool { return tried[id] })
		for _, id := range groups {
			tried[id] = true
		}
	}
	slices.Sort(read)
	return feeds, read, nil
}

func (l *Lane) readEach(ctx context.Context, p *pass, groups []string) ([]state.MembersFeed, []string, error) {
	if l.lists() {
		read, err := l.listEach(ctx, p, groups)
		return nil, read, err
	}
	var feeds []state.MembersFeed
	for chunk := range slices.Chunk(groups, l.maxGroups()) {
		before := p.requests
		cursor, _, err := l.drain(ctx, p, receiver.Feed{Kind: receiver.MembersFeed, Groups: chunk}, "", state.Told{})
		if err != nil {
			return nil, nil, err
		}
		feeds = append(feeds, state.MembersFeed{Groups: chunk, Cursor: cursor, Cost: p.requests - before})
	}
	return feeds, groups, nil
}

// listEach lists the groups one after the other. One that cannot be listed is left out and tried again by itself.
func (l *Lane) listEach(ctx context.Context, p *pass, groups []string) ([]string, error) {
	var read []string
	for _, id := range groups {
		if !l.isLiving(id) { // since the pass began
			continue
		}
		err := l.listNew(ctx, p, id)
		switch {
		case err == nil:
			l.listGate(id).open()
			read = append(read, id)
		case ctx.Err() != nil || errors.Is(err, errNotStored):
			return nil, err
		case errors.Is(err, errNotOurs):
			l.deps.Logger.WarnContext(ctx, "a nested group is of another directory: who is in it is not known", "group", id)
		default:
			wait := l.listGate(id).close(l.deps.Clock.Now())
			l.deps.Metrics.failed(baseline)
			l.deps.Logger.WarnContext(ctx, "listing a group's members failed", "group", id, "again_in", wait, "error", err)
		}
	}
	return read, nil
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

func (l *Lane) isLiving(group string) bool {
	w, watched := l.feeds.Watched[group]
	return watched && w.Vanish == nil
}

// unread returns those of them whose members no feed follows, or whose list has not been read to its end yet.
func (l *Lane) unread() []string {
	fed := map[string]bool{}
	for _, f := range l.feeds.Members {
		for _, id := range f.Groups {
			fed[id] = true
		}
	}
	return slices.DeleteFunc(l.living(), func(id string) bool {
		if _, foreign := l.foreign[id]; foreign {
			return true
		}
		if l.lists() {
			r := l.rolls[id]
			return r != nil && r.read()
		}
		return fed[id]
	})
}

// notAllRead returns what a round says is unread: where nested groups are too many to be followed, no provisioning group is
// known as a whole.
func (l *Lane) notAllRead() []string {
	ids := l.unread()
	if l.tooMany == 0 {
		return ids
	}
	for _, id := range l.living() {
		if !l.feeds.Watched[id].Nested() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
