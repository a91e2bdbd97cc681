package lane

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/cenkalti/backoff/v5"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// maxPages ends a feed that never does. At a hundred objects a page it is ten million of them.
const maxPages = 100_000

// attempts is how often a page of a long read is asked for.
const attempts = 4

// errEndless says that a feed's pages do not lead to an end (it has been seen to happen).
var errEndless = errors.New("the provider's pages lead in a circle")

// trail are the cursors that a read has come along.
type trail map[uint64]struct{}

var trailSeed = maphash.MakeSeed()

// circles notes the cursor of the next page, and reports whether the pages lead there again, or nowhere.
func (t *trail) circles(cursor string) bool {
	hash := maphash.String(trailSeed, cursor)
	if _, again := (*t)[hash]; again || len(*t) >= maxPages {
		return true
	}
	if *t == nil {
		*t = trail{}
	}
	(*t)[hash] = struct{}{}
	return false
}

// drain reads a feed from a cursor to its end and publishes what each page shows before it asks for the next: behind what the
// feed has told, or, where that is nothing, as what a read shows. It returns the cursor to go on from at the next round, and
// what the feed has told then.
func (l *Lane) drain(ctx context.Context, p *pass, feed receiver.Feed, cursor string, told state.Told) (string, state.Told, error) {
	var came trail
	for !came.circles(cursor) {
		page, stamp, err := l.page(ctx, p, feed, cursor)
		if err != nil {
			return "", told, fmt.Errorf("read %s: %w", feed.Kind, err)
		}
		if err := l.take(ctx, p, feed, told, stamp, page); err != nil {
			return "", told, err
		}
		if told != (state.Told{}) && page.Cursor != cursor {
			told = told.To(l.deps.Clock.Now())
		}
		if !page.More {
			return page.Cursor, told, nil
		}
		cursor = page.Cursor
		if p.patient {
			l.between(ctx)
		}
	}
	return "", told, fmt.Errorf("read %s: %w", feed.Kind, errEndless)
}

// page reads one page. A long read does not give up over one failure: it would begin again at the first page.
func (l *Lane) page(ctx context.Context, p *pass, feed receiver.Feed, cursor string) (receiver.Page, directory.Stamp, error) {
	waits := backoff.NewExponentialBackOff()
	for attempt := 1; ; attempt++ {
		page, stamp, err := ask(ctx, l, p, func(ctx context.Context) (receiver.Page, error) {
			return l.deps.Directory.Changes(ctx, feed, cursor)
		})
		if err == nil || !p.patient || attempt == attempts || errors.Is(err, receiver.ErrCursorExpired) {
			return page, stamp, err
		}
		if err := l.pause(ctx, waits.NextBackOff()); err != nil {
			return page, stamp, err
		}
	}
}

// take publishes one page and clears up what it leaves open.
func (l *Lane) take(ctx context.Context, p *pass, feed receiver.Feed, told state.Told, stamp directory.Stamp, page receiver.Page) error {
	if l.deps.Watch != nil && p.snapshot == "" {
		l.deps.Watch.Showed(feed.Kind, page)
	}
	p.name(page.Stale...)
	for _, id := range page.Shown {
		p.shown[id] = struct{}{}
	}
	if page.Anew {
		if err := l.readAgain(ctx, p); err != nil {
			return err
		}
	}
	p.told = told
	err := l.report(ctx, p, stamp, page.Observations)
	p.told = state.Told{}
	if err != nil {
		return err
	}
	if err := l.clarify(ctx, p, page.Unclear); err != nil {
		return err
	}
	for _, id := range page.SetAside {
		if err := l.readAlone(ctx, p, feed.Kind, id); err != nil {
			return err
		}
	}
	return nil
}

// readAlone reads one object whose part of a page could not be understood. If that fails too it stays set aside, and the
// rest stands: one object does not hold up the others.
func (l *Lane) readAlone(ctx context.Context, p *pass, kind receiver.FeedKind, id string) error {
	var seen []directory.Observation
	var stamp directory.Stamp
	var err error
	switch kind {
	case receiver.UsersFeed:
		var u directory.User
		u, stamp, err = ask(ctx, l, p, func(ctx context.Context) (directory.User, error) { return l.deps.Directory.User(ctx, id) })
		seen = []directory.Observation{{User: &u}}
	case receiver.GroupsFeed:
		var g directory.Group
		g, stamp, err = ask(ctx, l, p, func(ctx context.Context) (directory.Group, error) { return l.deps.Directory.Group(ctx, id) })
		seen = []directory.Observation{{Group: &g}}
	default:
		var members []directory.Membership
		if members, stamp, err = l.members(ctx, p, id); err == nil {
			seen = observations(members)
			l.readAnew(p, id)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		p.setAside = append(p.setAside, state.SetAside{Feed: string(kind), ID: id})
		l.deps.Metrics.setAside()
		l.deps.Logger.WarnContext(ctx, "an object cannot be understood and is set aside", "feed", kind, "id", id, "error", err)
		return nil
	}
	return l.report(ctx, p, stamp, seen)
}
