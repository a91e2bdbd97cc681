package lane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// errTornOff says that the group was no longer to be listed when its next page was due.
var errTornOff = errors.New("the group is no longer followed as it was")

// lists reports whether watched groups are followed by listing their members again and again.
func (l *Lane) lists() bool { return !l.deps.Traits.MemberFeeds }

// listDue says when the next page of a watched group is to be read, or the next missing member to be asked about.
func (l *Lane) listDue(now time.Time) time.Time {
	if _, at := l.nextRoll(now); !at.IsZero() {
		if may := l.budget.at(now, true); may.After(at) {
			return may
		}
		return at
	}
	return time.Time{}
}

// nextRoll returns the group whose list goes on first, and when; the zero time when there is none.
func (l *Lane) nextRoll(now time.Time) (group string, first time.Time) {
	if !l.lists() || !l.connected() {
		return "", first
	}
	intervals, asked := l.intervals(), l.inbox.latestPlain()
	for id, r := range l.rolls {
		if !r.read() || r.held || !l.isLiving(id) {
			continue
		}
		at := l.listGate(id).after(rollDue(r, intervals[id], asked, now))
		if order := at.Compare(first); first.IsZero() || order < 0 || order == 0 && id < group {
			group, first = id, at
		}
	}
	return group, first
}

// rollDue says when a list goes on. asked is the revision of the last command that waits for a pass which begins after it. A
// list that is to clear up doubts is read as fast as can be: so fewer leave meanwhile.
func rollDue(r *roll, interval time.Duration, asked uint64, now time.Time) time.Time {
	switch {
	case r.restless && !r.running:
		return r.began.Add(interval)
	case r.wanted || r.done.after < asked || len(r.open) > 0:
		return now
	case !r.running:
		return r.began.Add(interval)
	case r.ended || len(r.missing) > 0 && len(r.missing) <= few:
		return now
	}
	return r.began.Add(interval * time.Duration(r.pages) / time.Duration(max(1, r.length)))
}

// list does one request for the group that is due first. A group that fails waits by itself and holds up no other.
func (l *Lane) list(ctx context.Context) error {
	now := l.deps.Clock.Now()
	group, _ := l.nextRoll(now)
	if group == "" {
		return nil
	}
	r, gate := l.rolls[group], l.listGate(group)
	if !r.running {
		r.begin(now, l.inbox.latest())
	}
	p := newPass(r.cause)
	p.background = true
	err := l.advance(ctx, p, group, r)
	if err == nil {
		gate.open()
		return l.showLists(ctx)
	}
	if ctx.Err() != nil || errors.Is(err, errNotStored) {
		return err
	}
	wait := gate.close(l.deps.Clock.Now())
	l.deps.Metrics.failed(list)
	l.deps.Logger.WarnContext(ctx, "listing a group's members failed", "group", group, "again_in", wait, "error", err)
	return nil
}

// advance takes a pass one request on: a missing member is asked about, or the next page is read, in turns.
func (l *Lane) advance(ctx context.Context, p *pass, group string, r *roll) error {
	if r.asked = !r.asked || r.ended; r.asked {
		if m, ok := r.suspect(); ok {
			m.GroupID = group
			if err := l.proveMissing(ctx, p, r, m); err != nil {
				return err
			}
			return l.settleList(ctx, p, group, r)
		}
	}
	if !r.ended {
		if err := l.listPage(ctx, p, group, r, false); err != nil {
			return err
		}
	}
	return l.settleList(ctx, p, group, r)
}

// listPage reads the next page of a group's members and publishes what it tells: all of it, or only what is new.
func (l *Lane) listPage(ctx context.Context, p *pass, group string, r *roll, all bool) error {
	if r.cursor == "" {
		r.stamp = l.deps.Stamps.Next() // its own, as events are named by theirs
	}
	page, stamp, err := ask(ctx, l, p, func(ctx context.Context) (receiver.Page, error) {
		return l.deps.Directory.Members(ctx, group, r.cursor)
	})
	if err != nil {
		if r.tries++; errors.Is(err, receiver.ErrNoGroup) {
			l.beginVanish(group, p.cause)
		}
		if errors.Is(err, receiver.ErrNoGroup) || errors.Is(err, receiver.ErrCursorExpired) || r.tries >= attempts {
			r.stop() // it begins again: the cursor may be of no use any more
		}
		return fmt.Errorf("list the members of group %s: %w", group, err)
	}
	r.tries = 0
	shown := membersOf(group, page.Observations)
	tell := shown
	if !all {
		tell = r.news(shown)
	}
	if err := l.report(ctx, p, stamp, observations(tell)); err != nil {
		return err
	}
	for _, id := range page.SetAside {
		p.odd = append(p.odd, id)
		l.deps.Metrics.setAside()
	}
	l.deps.Metrics.listed()
	r.see(shown, page.SetAside)
	if !page.More {
		r.whole = l.wholeOnly
		r.end()
		l.every = nil
		return nil
	}
	if r.came.circles(page.Cursor) {
		r.stop()
		return fmt.Errorf("list the members of group %s: %w", group, errEndless)
	}
	r.cursor = page.Cursor
	return nil
}

// membersOf returns the living memberships of the group that a page shows.
func membersOf(group string, seen []directory.Observation) []directory.Membership {
	members := make([]directory.Membership, 0, len(seen))
	for _, o := range seen {
		if o.Membership != nil && o.Membership.GroupID == group && o.Membership.Present {
			members = append(members, *o.Membership)
		}
	}
	return members
}

// listAll reads a group's list from its first page to its last as part of a snapshot, which holds all that it shows. To the
// rest it is a pass like any other, and begins when the one that is under way has come to its end.
func (l *Lane) listAll(ctx context.Context, p *pass, group string) error {
	r := l.rolls[group]
	if r == nil {
		r = newRoll()
		for _, id := range l.feeds.Inside[group] { // the passes ask about those that have left
			r.put(directory.Membership{GroupID: group, Kind: directory.GroupMember, ID: id, Present: true})
		}
		l.rolls[group], l.every = r, nil
	}
	r.held = true
	defer func() { r.held = false }()
	if err := l.finishPass(ctx, group, r); err != nil {
		return err
	}
	r.begin(l.deps.Clock.Now(), l.inbox.latest())
	waits := newGate()
	for {
		err := l.listPage(ctx, p, group, r, true)
		switch {
		case err == nil && r.ended:
			return l.settleList(ctx, p, group, r)
		case err == nil:
			l.between(ctx)
		case !r.running || ctx.Err() != nil || errors.Is(err, errNotStored):
			r.stop()
			return err
		default:
			if err := l.pause(ctx, waits.close(l.deps.Clock.Now())); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if l.rolls[group] != r {
			return errTornOff
		}
	}
}

// finishPass takes the pass that is under way to its end, with those that clear up at once what it doubts, or leaves it
// where it fails.
func (l *Lane) finishPass(ctx context.Context, group string, r *roll) error {
	for more := enough; r.read() && (r.running || more > 0 && len(r.open) > 0 && !r.restless); {
		if !r.running {
			r.begin(l.deps.Clock.Now(), l.inbox.latest())
			more--
		}
		p := newPass(r.cause)
		p.patient = true
		if err := l.advance(ctx, p, group, r); err != nil {
			if ctx.Err() != nil || errors.Is(err, errNotStored) {
				return err
			}
			return nil // the one that follows will say so
		}
		if l.between(ctx); l.rolls[group] != r {
			return errTornOff
		}
	}
	return ctx.Err()
}

// settleList ends a pass whose pages are read when nobody is left to ask about. The first to reach its end only shows who
// is there: whom one that broke off before it has shown besides, the next asks about.
func (l *Lane) settleList(ctx context.Context, p *pass, group string, r *roll) error {
	if !r.running || !r.ended {
		return nil
	}
	if _, open := r.suspect(); open && r.read() {
		return nil
	}
	if err := l.report(ctx, p, r.proof, observations(r.absent(group))); err != nil {
		r.stop() // some may be told, and the stamp is used: the next pass tells of the others
		return err
	}
	r.close()
	l.measureLists()
	return nil
}
