package lane

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// round reads what has changed since the last one, in every feed. A feed that fails does not hold up the others, but only
// a round that read them all has ended well: it stores how far it came, says so, and clears the mark that it answers.
func (l *Lane) round(ctx context.Context) error {
	taken := l.inbox.begin(l.answers)
	p := newPass(taken.cause())
	began := l.deps.Clock.Now()
	err := l.readChanges(ctx, p, taken)
	l.roundAfter = began.Add(min(l.budget.twice(p.requests), l.cfg.List))
	if err == nil && l.complete() {
		err = l.endRound(ctx, p, taken, event.RoundEnded{
			Began: l.listed(began).UTC(), Stamp: event.StampOf(p.began), Requests: p.requests,
			Vanishing: l.vanishing(), Unread: l.notAllRead(),
		})
	}
	if err != nil {
		l.inbox.again(taken)
		return err
	}
	l.unseen.after(began, p.shown, taken.hinted)
	if l.cfg.Poll > 0 {
		l.pollAt = began.Add(l.cfg.Poll)
	}
	if l.complete() {
		l.lastRun = began
		l.deps.Metrics.ended()
		if l.lists() {
			l.measureLists()
		}
		if !l.lists() || len(l.unread()) == 0 {
			l.fresh(ctx, l.listed(began))
		}
	}
	return nil
}

// readChanges reads the feeds, and, when nobody waits for a change, tries again what earlier rounds have set aside. What
// this one sets aside is kept even if it fails: the cursors of the feeds that were read are behind it.
func (l *Lane) readChanges(ctx context.Context, p *pass, taken taken) error {
	before := l.feeds.SetAside
	err := l.readFeeds(ctx, p, taken)
	l.feeds.SetAside = union(before, p.setAside)
	if err != nil || taken.mark != nil {
		return err
	}
	for _, s := range before {
		if err := l.readAlone(ctx, p, receiver.FeedKind(s.Feed), s.ID); err != nil {
			return err
		}
	}
	l.feeds.SetAside = union(nil, p.setAside)
	return nil
}

// union returns a new list of all of a and b, each once.
func union(a, b []state.SetAside) []state.SetAside {
	var all []state.SetAside
	for _, s := range slices.Concat(a, b) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// readFeeds reads the feeds, that of the hint's kind first.
func (l *Lane) readFeeds(ctx context.Context, p *pass, taken taken) error {
	members := func(ctx context.Context, p *pass) error { return l.changedMembers(ctx, p, taken.hinted) }
	order := []func(context.Context, *pass) error{l.changedUsers, l.changedGroups, members}
	if taken.mark != nil && taken.mark.Resource == "group" {
		order = []func(context.Context, *pass) error{l.changedGroups, members, l.changedUsers}
	}
	var errs []error
	for _, read := range order {
		err := read(ctx, p)
		if errors.Is(err, errNotStored) || ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
	}
	if err := l.readNamed(ctx, p, taken); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (l *Lane) changedUsers(ctx context.Context, p *pass) error {
	return l.changed(ctx, p, receiver.Feed{Kind: receiver.UsersFeed}, &l.feeds.Users, &l.feeds.UsersTold)
}

func (l *Lane) changedGroups(ctx context.Context, p *pass) error {
	return l.changed(ctx, p, receiver.Feed{Kind: receiver.GroupsFeed}, &l.feeds.Groups, &l.feeds.GroupsTold)
}

// changedMembers reads the feeds of members, those of groups that hints named first.
func (l *Lane) changedMembers(ctx context.Context, p *pass, hinted map[string]string) error {
	if l.lists() {
		return nil
	}
	isHinted := func(id string) bool { _, is := hinted[id]; return is }
	var first, others []state.MembersFeed
	for _, f := range l.feeds.Members {
		if slices.ContainsFunc(f.Groups, isHinted) {
			first = append(first, f)
		} else {
			others = append(others, f)
		}
	}
	for _, f := range append(first, others...) {
		cursor, told := f.Cursor, f.Told
		if err := l.changed(ctx, p, receiver.Feed{Kind: receiver.MembersFeed, Groups: f.Groups}, &cursor, &told); err != nil {
			return err
		}
		for i, now := range l.feeds.Members { // what the pages showed may have changed the list
			if now.Cursor == f.Cursor && slices.Contains(f.Groups, now.Groups[0]) {
				l.feeds.Members[i].Cursor, l.feeds.Members[i].Told = cursor, told
			}
		}
	}
	return nil
}

// changed reads one feed on from its cursor. One whose cursor is of no use any more rests until everything has been read
// again. What a journal shows besides names is what reads have shown.
func (l *Lane) changed(ctx context.Context, p *pass, feed receiver.Feed, cursor *string, told *state.Told) error {
	if l.expired[feed.Kind] {
		return nil
	}
	was := *told
	if l.deps.Traits.Journals {
		was = state.Told{}
	}
	next, has, err := l.drain(ctx, p, feed, *cursor, was)
	if errors.Is(err, receiver.ErrCursorExpired) || errors.Is(err, errEndless) {
		l.expired[feed.Kind] = true
		l.deps.Metrics.expired()
		l.deps.Logger.WarnContext(ctx, "a cursor is of no use any more: everything is read again", "feed", feed.Kind, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	move := func() { *cursor, *told = next, has }
	if l.deps.Traits.Journals {
		p.moved = append(p.moved, move)
		return nil
	}
	move()
	return nil
}

func (l *Lane) endRound(ctx context.Context, p *pass, taken taken, ended event.RoundEnded) error {
	if err := l.save(ctx); err != nil {
		return err
	}
	for _, cause := range taken.causes() {
		if err := l.say(ctx, "round", event.TypeRoundEnded, cause, ended); err != nil {
			return err
		}
	}
	for _, c := range taken.commands {
		if err := l.finish(ctx, c); err != nil {
			return err
		}
	}
	if taken.mark != nil {
		if err := l.deps.Store.ClearMark(ctx, l.id, *taken.mark); err != nil {
			return err
		}
		l.inbox.cleared(*taken.mark)
	}
	return nil
}

// cause is what the round's pages name: the hint, as it brought the news, or else the command.
func (t taken) cause() string {
	switch {
	case t.mark != nil:
		return t.mark.Cause
	case len(t.commands) > 0:
		return t.commands[0].ID
	}
	return ""
}

// causes are what the round's end is told for: each command that waits for one, or else the hint.
func (t taken) causes() []string {
	if len(t.commands) == 0 {
		return []string{t.cause()}
	}
	ids := make([]string, len(t.commands))
	for i, c := range t.commands {
		ids[i] = c.ID
	}
	return ids
}

// save stores the feeds by compare-and-set, if anything in them has changed.
func (l *Lane) save(ctx context.Context) error {
	if l.revision != 0 && reflect.DeepEqual(l.feeds, l.saved) {
		return nil
	}
	revision, err := l.deps.Store.SaveFeeds(ctx, l.id, l.feeds, l.revision)
	if err != nil {
		return err
	}
	l.revision, l.saved = revision, l.feeds.Clone()
	return nil
}
